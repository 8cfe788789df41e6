using NextGpt.Media;
using NextGpt.Model.Decoders.Schedulers;
using NextGpt.Model.Weights;
using static TorchSharp.torch;

namespace NextGpt.Model.Decoders;

/// <summary>A diffusion model in a folder of diffusers layout, read when it is first needed.</summary>
public sealed class DiffusionDecoder : IDiffusionDecoder
{
    private readonly DiffusersFolder _folder;
    private readonly ScalarType _type;
    private IDiffusionNetworks? _networks;
    private ITextConditioner? _text;
    private Tensor? _nothing;   // the conditioning of the empty text; kept, because every guided request needs it
    private bool _disposed;

    private DiffusionDecoder(DiffusersFolder folder, Device device, ScalarType type, RenderDefaults defaults)
    {
        _folder = folder;
        _type = type;
        Device = device;
        Defaults = defaults;
    }

    /// <inheritdoc/>
    public MediaKind Kind => _folder.Kind;

    /// <inheritdoc/>
    public IReadOnlyList<long> ConditioningShape => _folder.ConditioningShape;

    /// <inheritdoc/>
    public RenderDefaults Defaults { get; }

    /// <summary>Width and height in pixels of what it was trained to draw; 0 for sounds.</summary>
    internal (int Width, int Height) DrawnSize => (_folder.PixelSide, _folder.PixelSide);

    /// <summary>Sides of what it draws are multiples of this many pixels; 1 for sounds.</summary>
    internal int SizeStep => _folder.PixelStep;

    /// <summary>Noise schedule and sampler, as in the folder.</summary>
    public SchedulerConfig Scheduler => _folder.Scheduler;

    /// <inheritdoc/>
    public Device Device { get; }

    /// <inheritdoc/>
    public bool IsLoaded => _networks is not null;

    /// <inheritdoc/>
    public bool ReadsText => _folder.HasText;

    /// <summary>Opens a folder: reads and checks its configurations, but no weights yet.</summary>
    /// <param name="folder">
    /// Subfolders <c>unet</c>, <c>vae</c>, <c>scheduler</c>, for sounds <c>vocoder</c>, and to read text <c>text_encoder</c> and
    /// <c>tokenizer</c>.
    /// </param>
    /// <param name="device">Where the networks shall lie; null is the CPU.</param>
    /// <param name="dtype">Type of the weights; null is float32.</param>
    /// <param name="defaults">What requests leave out; null is NExT-GPT's.</param>
    /// <exception cref="InvalidDataException">A file is missing or means a model this program does not have, by name.</exception>
    public static DiffusionDecoder Load(
        string folder, Device? device = null, ScalarType? dtype = null, RenderDefaults? defaults = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        return new DiffusionDecoder(
            DiffusersFolder.Open(folder), device ?? CPU, dtype ?? ScalarType.Float32, defaults ?? new RenderDefaults());
    }

    /// <inheritdoc/>
    public Tensor Encode(IReadOnlyList<string> prompts)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        ArgumentOutOfRangeException.ThrowIfZero(prompts.Count);
        ObjectDisposedException.ThrowIf(_disposed, this);
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        return Text().Encode(prompts).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public IReadOnlyList<Medium> Render(
        Tensor conditioning, Tensor? negative, RenderOptions options, IProgress<double>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(conditioning);
        ArgumentNullException.ThrowIfNull(options);
        ObjectDisposedException.ThrowIf(_disposed, this);
        var plan = RenderPlan.Make(options, Defaults, Scheduler);
        Check(conditioning, nameof(conditioning), options.Seeds.Count);

        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        LoadNetworks();
        var networks = _networks!;   // just read
        var shape = networks.LatentShape(plan);
        var condition = conditioning.to(Device).to(networks.Type);
        var away = plan.Guidance > 1 ? Away(negative, condition).to(Device).to(networks.Type) : null;

        // Noise is drawn on the host, row by row, so that it depends on neither the device nor the rest of the batch.
        using var draws = new NoiseDraws(plan.Seeds);
        var parts = plan.Steps + 1;   // decoding counts as much as a step
        var request = new StableDiffusion.DiffusionRequest
        {
            Steps = plan.Steps,
            Guidance = plan.Guidance,
            FreshNoise = batchShape => draws.Normal(batchShape[1..]),
            Progress = share => progress?.Report(share * plan.Steps / parts),
        };
        var latent = Denoiser.Denoise(
            plan.Scheduler, networks.Predict, condition, away, draws.Normal(shape).to(Device), request, null, cancellationToken);
        cancellationToken.ThrowIfCancellationRequested();
        var media = networks.Decode(latent, plan, cancellationToken);
        progress?.Report(1);
        return media;
    }

    /// <inheritdoc/>
    public void LoadNetworks()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        _networks ??= Apart(() => _folder.LoadNetworks(Device, _type));
    }

    /// <inheritdoc/>
    public void OffLoad()
    {
        _networks?.Dispose();
        _text?.Dispose();
        _nothing?.Dispose();
        (_networks, _text, _nothing) = (null, null, null);
    }

    /// <inheritdoc/>
    public void Save(string folder, SafetensorsType type = SafetensorsType.F16)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        LoadNetworks();
        _networks!.Save(folder, type);   // just read
        if (ReadsText)
        {
            Text().Save(folder, type);
        }

        _folder.SaveIndex(folder);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        OffLoad();
        _disposed = true;
    }

    private ITextConditioner Text() => _text ??= ReadsText
        ? Apart(() => _folder.LoadText(Device, _type))
        : throw new InvalidOperationException(
            $"{_folder.Path} has no text_encoder with a tokenizer, so words cannot be drawn; add them, or give a conditioning.");

    private Tensor Away(Tensor? negative, Tensor condition)
    {
        if (negative is not null)
        {
            Check(negative, nameof(negative), (int)condition.shape[0]);
            return negative;
        }

        if (!ReadsText)
        {
            throw new ArgumentException(
                $"Guidance needs the conditioning of an empty text, and {_folder.Path} has no text_encoder with a tokenizer to "
                + "make it; pass it, or set the guidance to 1.", nameof(negative));
        }

        _nothing ??= Encode([string.Empty]).DetachFromDisposeScope();
        return _nothing.dim() == 2 || _nothing.shape[1] == condition.shape[1]
            ? _nothing
            : throw new ArgumentException(
                $"The conditioning has {condition.shape[1]} tokens, that of the empty text {_nothing.shape[1]}; guidance needs "
                + "as many. Pass a negative conditioning of the same length, or set the guidance to 1.", nameof(negative));
    }

    private void Check(Tensor conditioning, string name, int rows)
    {
        var (shape, wanted) = (conditioning.shape, ConditioningShape);
        var fits = shape.Length == wanted.Count + 1 && shape[^1] == wanted[^1]
            && (shape[0] == rows || (shape[0] == 1 && name == "negative"));
        if (!fits)
        {
            throw new ArgumentException(
                $"The {name} has the shape [{string.Join(", ", shape)}]; this decoder of kind {Kind} takes "
                + $"[{rows}, {string.Join(", ", wanted)}] (one row per seed).", name);
        }
    }

    // What is kept beyond a request must belong to no scope of the one who asked.
    private static T Apart<T>(Func<T> load)
    {
        using var scope = NewDisposeScope();
        var loaded = load();
        return loaded;
    }
}
