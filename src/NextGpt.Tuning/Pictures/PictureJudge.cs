using NextGpt.Tuning.Data;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Pictures;

/// <summary>How often a drawing resembles the asked thing more than any other of the world.</summary>
/// <param name="Count">Drawings judged.</param>
/// <param name="Top1">Share whose nearest picture shows the asked concept.</param>
/// <param name="Top5">Share with the asked concept among the five nearest pictures.</param>
/// <param name="Style">Share whose nearest picture has the asked style.</param>
public sealed record PictureScore(int Count, double Top1, double Top5, double Style);

/// <summary>Judges drawings by the nearest real picture in 16 x 16 colours: crude, quick, without learning.</summary>
/// <remarks>
/// For watching a run, not for the evaluation report: it rewards memory and forgives blur. The pictures kept back for testing
/// are in the bank too, so that an unseen pair can be met.
/// </remarks>
public sealed class PictureJudge : IDisposable
{
    private const int Side = 16;
    private readonly PictureAtlas _atlas;
    private readonly Tensor _bank;   // [pictures, 3 * Side * Side]

    /// <summary>Prepares the bank.</summary>
    /// <param name="atlas">All pictures.</param>
    /// <param name="renderer">Renders them.</param>
    /// <param name="device">Where to compare.</param>
    public PictureJudge(PictureAtlas atlas, SceneRenderer renderer, Device device)
    {
        using var scope = NewDisposeScope();
        _atlas = atlas;
        var all = arange(atlas.Pictures.Count, device: device);
        _bank = cat([.. all.split(256).Select(part => Features((renderer.RenderPlain(part) + 1) / 2))]).DetachFromDisposeScope();
    }

    /// <summary>Judges.</summary>
    /// <param name="drawings">[count, 3, size, size] float, 0..1</param>
    /// <param name="asked">What each should show.</param>
    public PictureScore Score(Tensor drawings, IReadOnlyList<WorldPicture> asked)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var nearest = cdist(Features(drawings), _bank).topk(5, -1, largest: false).indexes.cpu();
        var places = nearest.data<long>().ToArray();
        var (top1, top5, style) = (0, 0, 0);
        for (var index = 0; index < asked.Count; index++)
        {
            var five = Enumerable.Range(0, 5).Select(rank => _atlas.Pictures[(int)places[(index * 5) + rank]]).ToList();
            top1 += five[0].Concept == asked[index].Concept ? 1 : 0;
            top5 += five.Any(picture => picture.Concept == asked[index].Concept) ? 1 : 0;
            style += five[0].Style == asked[index].Style ? 1 : 0;
        }

        var count = Math.Max(1, asked.Count);
        return new PictureScore(asked.Count, (double)top1 / count, (double)top5 / count, (double)style / count);
    }

    /// <inheritdoc/>
    public void Dispose() => _bank.Dispose();

    private static Tensor Features(Tensor pictures) =>
        nn.functional.avg_pool2d(pictures, pictures.shape[2] / Side).flatten(1);
}
