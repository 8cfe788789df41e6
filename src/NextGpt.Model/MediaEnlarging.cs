using NextGpt.Media;
using NextGpt.Model.Decoders.Enlarging;
using static TorchSharp.torch;

namespace NextGpt.Model;

/// <summary>Lets a decoder draw small and makes the result as large as it is wanted.</summary>
/// <remarks>Not thread-safe: it belongs to the thread of its model.</remarks>
internal sealed class MediaEnlarging : IDisposable
{
    private readonly Func<PictureEnlarger> _load;
    private readonly int _factor;
    private readonly int _step;
    private readonly (int Width, int Height) _own;
    private PictureEnlarger? _network;

    /// <param name="load">Reads the network when it is first needed.</param>
    /// <param name="factor">How many times larger it makes the sides.</param>
    /// <param name="own">What the decoder draws where a request does not say, in pixels.</param>
    /// <param name="step">The decoder's sides are multiples of it.</param>
    internal MediaEnlarging(Func<PictureEnlarger> load, int factor, (int Width, int Height) own, int step)
    {
        _load = load;
        _factor = factor;
        _own = own;
        _step = step;
    }

    /// <summary>The size in which to draw, for a size that was asked for.</summary>
    /// <param name="width">Asked for, in pixels; null is not.</param>
    /// <param name="height">Asked for, in pixels; null is not.</param>
    /// <remarks>
    /// A decoder draws best in its own size: it draws as much smaller as can be made up for, never smaller than its own, and keeps
    /// the proportion. Without a wish it draws its own size, and what comes is that size times the factor.
    /// </remarks>
    internal (int Width, int Height) Drawn(int? width, int? height)
    {
        if (width is null && height is null)
        {
            return _own;
        }

        var (wide, high) = Wanted(width, height);
        var shrink = Math.Min((double)wide / _own.Width, (double)high / _own.Height);
        return shrink > 1
            ? (Round(wide / Math.Min(shrink, _factor)), Round(high / Math.Min(shrink, _factor)))
            : (wide, high);

        int Round(double side) => (int)Math.Ceiling(side / _step) * _step;
    }

    /// <summary>Enlarges to the size that was asked for, or by the factor where none was.</summary>
    /// <param name="medium">As drawn; sounds come back as they are.</param>
    /// <param name="width">Asked for, in pixels; null is not.</param>
    /// <param name="height">Asked for, in pixels; null is not.</param>
    /// <param name="progress">Gets the share that is done, 0 to 1.</param>
    /// <param name="cancellationToken">Looked at before every picture.</param>
    internal Medium Enlarge(Medium medium, int? width, int? height, IProgress<double>? progress, CancellationToken cancellationToken)
    {
        switch (medium)
        {
            case Picture picture:
                return Enlarge(picture, width, height, cancellationToken);
            case VideoClip clip:
                var frames = new List<Picture>();
                foreach (var frame in clip.Frames)
                {
                    frames.Add(Enlarge(frame, width, height, cancellationToken));
                    progress?.Report((double)frames.Count / clip.Frames.Count);
                }

                return clip with { Frames = frames };
            default:
                return medium;
        }
    }

    /// <summary>Lets the network go until it is needed again.</summary>
    internal void OffLoad()
    {
        _network?.Dispose();
        _network = null;
    }

    /// <inheritdoc/>
    public void Dispose() => OffLoad();

    private Picture Enlarge(Picture picture, int? width, int? height, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var (wide, high) = width is null && height is null ? (picture.Width * _factor, picture.Height * _factor) : Wanted(width, height);
        return (wide, high) == (picture.Width, picture.Height) ? picture : Network().Enlarge(picture).Resize(wide, high);
    }

    // A side that was not asked for is in proportion to the one that was.
    private (int Width, int Height) Wanted(int? width, int? height) => (
        width ?? (int)Math.Round((double)_own.Width * height.GetValueOrDefault() / _own.Height),
        height ?? (int)Math.Round((double)_own.Height * width.GetValueOrDefault() / _own.Width));

    // What is kept beyond a request must belong to no scope of the one who asked.
    private PictureEnlarger Network()
    {
        using var scope = NewDisposeScope();
        return _network ??= _load();
    }
}
