using System.Runtime.InteropServices;
using NextGpt.Media;
using NextGpt.Model.Decoders;
using NextGpt.Model.Decoders.Enlarging;
using NextGpt.Model.Packages;
using NextGpt.Model.Projections;
using NextGpt.Model.Weights;
using static TorchSharp.torch;

namespace NextGpt.Model;

/// <summary>One kind of medium that a package makes: an output projection and a diffusion decoder, both read when first needed.</summary>
internal sealed class MediaOutput : IDisposable
{
    private const double DrawingShare = 0.9;   // of the time a medium takes; the rest is enlarging

    private readonly Func<OutputProjection> _loadProjection;
    private readonly IDiffusionDecoder _decoder;
    private readonly MediaEnlarging? _enlarging;
    private OutputProjection? _projection;

    /// <param name="part">What the package says.</param>
    /// <param name="decoder">Opened; owned by this.</param>
    /// <param name="loadProjection">Reads the projection.</param>
    /// <param name="sizeBytes">Memory that projection and decoder take once they are loaded.</param>
    /// <param name="enlarging">Makes what the decoder drew larger; owned by this. Null leaves it as it is.</param>
    public MediaOutput(
        OutputPart part, IDiffusionDecoder decoder, Func<OutputProjection> loadProjection, long sizeBytes, MediaEnlarging? enlarging = null)
    {
        Part = part;
        SizeBytes = sizeBytes;
        _decoder = decoder;
        _loadProjection = loadProjection;
        _enlarging = enlarging;
    }

    /// <summary>What the package says.</summary>
    public OutputPart Part { get; }

    /// <summary>Picture, sound or clip.</summary>
    public MediaKind Kind => Part.Kind;

    /// <summary>Memory that it takes once it is loaded.</summary>
    public long SizeBytes { get; }

    /// <summary>Whether the decoder's networks are in memory.</summary>
    public bool IsLoaded => _decoder.IsLoaded;

    /// <summary>When it was last used, by the clock of <see cref="NextGptModel"/>.</summary>
    public long LastUsed { get; set; }

    /// <summary>Guidance that is used: none where the decoder cannot say what nothing looks like.</summary>
    public double GuidanceFor(double asked) => _decoder.ReadsText ? asked : 1;

    /// <summary>Opens a part of a package; reads configurations and the projection's shapes, no weights.</summary>
    /// <param name="package">The package.</param>
    /// <param name="part">Which of its outputs.</param>
    /// <param name="hiddenSize">Width of the language model.</param>
    /// <param name="device">Where the networks shall lie.</param>
    /// <param name="type">Type of the weights.</param>
    /// <exception cref="InvalidDataException">The parts do not fit each other; with what was expected.</exception>
    public static MediaOutput Open(ModelPackage package, OutputPart part, int hiddenSize, Device device, ScalarType type)
    {
        var file = package.PathOf(part.Projection);
        using var source = SafetensorsFile.Open(file);
        var config = OutputProjectionConfig.Of(source, part.Heads);
        var decoder = DiffusionDecoder.Load(package.PathOf(part.Decoder), device, type, DefaultsOf(part));
        try
        {
            Check(part, config, hiddenSize, decoder);
            var bytes = package.Manifest.Files
                .Where(listed => listed.Path == part.Projection || listed.Path.StartsWith(part.Decoder + "/", StringComparison.Ordinal)
                    || (part.Enlarger is not null && listed.Path.StartsWith(part.Enlarger + "/", StringComparison.Ordinal)))
                .Sum(listed => listed.SizeBytes);
            return new MediaOutput(
                part, decoder, Load, bytes * (type == ScalarType.Float32 ? 2 : 1),   // files hold halves
                part.Enlarger is null ? null : Enlarging(package.PathOf(part.Enlarger)));
        }
        catch
        {
            decoder.Dispose();
            throw;
        }

        OutputProjection Load()
        {
            using var again = SafetensorsFile.Open(file);
            return OutputProjection.Load(again, part.Heads, device, type);
        }

        MediaEnlarging Enlarging(string folder)
        {
            var (own, step) = (decoder.DrawnSize, decoder.SizeStep);
            return new MediaEnlarging(
                () => PictureEnlarger.Load(folder, device, type), PictureEnlargerConfig.Load(Path.Combine(folder, "config.json")).Factor,
                (part.Width ?? own.Width, part.Height ?? own.Height), step);
        }
    }

    /// <summary>Makes the medium of a signal.</summary>
    /// <param name="states">[positions · hidden]: at every position of the signal the last hidden state plus the token's embedding.</param>
    /// <param name="options">One seed; steps, guidance, and the size in which it reaches the person.</param>
    /// <param name="progress">Gets the share that is done, 0 to 1.</param>
    /// <param name="cancellationToken">Looked at before every denoising step.</param>
    public Medium Render(float[] states, RenderOptions options, IProgress<double>? progress, CancellationToken cancellationToken)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var projection = _projection ??= Apart(_loadProjection);
        var weights = projection.parameters().First();
        var signal = tensor(states, [1, states.Length / projection.Config.InputSize, projection.Config.InputSize]);
        var conditioning = projection.call(signal.to(weights.dtype).to(weights.device))
            .reshape([1, .. _decoder.ConditioningShape]);   // a sound's only query has no dimension of its own
        if (_enlarging is null)
        {
            return _decoder.Render(conditioning, negative: null, options, progress, cancellationToken)[0];
        }

        var (asked, own) = ((options.Width, options.Height), (Part.Width, Part.Height));
        var (wide, high) = asked == own ? (null, null) : asked;   // the package's own size is one of drawing
        var (width, height) = _enlarging.Drawn(wide, high);
        var drawing = progress is null ? null : new PartOfWork(progress, 0, DrawingShare);
        var enlarging = progress is null ? null : new PartOfWork(progress, DrawingShare, 1);
        var drawn = _decoder.Render(conditioning, negative: null, options with { Width = width, Height = height }, drawing, cancellationToken)[0];
        var medium = _enlarging.Enlarge(drawn, wide, high, enlarging, cancellationToken);
        progress?.Report(1);
        return medium;
    }

    /// <summary>Lets the networks go until they are needed again.</summary>
    public void OffLoad()
    {
        _projection?.Dispose();
        _projection = null;
        _enlarging?.OffLoad();
        _decoder.OffLoad();
    }

    public void Dispose()
    {
        OffLoad();
        _decoder.Dispose();
    }

    /// <summary>Whether a failure says that memory ran out.</summary>
    public static bool IsOutOfMemory(Exception failure) => failure is OutOfMemoryException
        || (failure is ExternalException && failure.Message.Contains("memory", StringComparison.OrdinalIgnoreCase));

    private static RenderDefaults DefaultsOf(OutputPart part)
    {
        var usual = new RenderDefaults();
        return new RenderDefaults
        {
            Steps = part.Steps,
            Guidance = part.GuidanceScale,
            Width = part.Width,
            Height = part.Height,
            Frames = part.Frames ?? usual.Frames,
            FramesPerSecond = part.FramesPerSecond,
            Seconds = part.Seconds ?? usual.Seconds,
        };
    }

    private static void Check(OutputPart part, OutputProjectionConfig config, int hiddenSize, DiffusionDecoder decoder)
    {
        if (decoder.Kind != part.Kind)
        {
            throw new InvalidDataException($"{part.Decoder} makes media of the kind {decoder.Kind}, the package says {part.Kind}.");
        }

        if (config.InputSize != hiddenSize)
        {
            throw new InvalidDataException(
                $"{part.Projection} is for a language model of width {config.InputSize}, this one is {hiddenSize} wide.");
        }

        var wanted = decoder.ConditioningShape;
        if (config.OutputSize != wanted[^1] || config.Queries != (wanted.Count == 1 ? 1 : wanted[0]))
        {
            throw new InvalidDataException(
                $"{part.Projection} gives {config.Queries} x {config.OutputSize}, {part.Decoder} takes {string.Join(" x ", wanted)}; they "
                + "belong to different decoders.");
        }
    }

    // Reports a part of the work as a share of all of it, on the thread that works.
    private sealed class PartOfWork(IProgress<double> whole, double from, double to) : IProgress<double>
    {
        public void Report(double value) => whole.Report(from + (value * (to - from)));
    }

    // What is kept beyond a request must belong to no scope of the one who asked.
    private static T Apart<T>(Func<T> load)
    {
        using var scope = NewDisposeScope();
        return load();
    }
}
