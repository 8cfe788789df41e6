using System.Text.Json.Nodes;
using NextGpt.Model.Weights;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace NextGpt.Model.Decoders.AudioLdm;

/// <summary>The numbers of a <see cref="HifiGan"/>, as in its <c>config.json</c>.</summary>
public sealed record HifiGanConfig
{
    /// <summary>Bins of the mel spectrogram.</summary>
    public int Mels { get; init; } = 80;

    /// <summary>Samples a second of what comes out.</summary>
    public int SampleRateHz { get; init; } = 16_000;

    /// <summary>Channels before the first up-sampling, which halves them as does every further one.</summary>
    public int InitialChannels { get; init; } = 512;

    /// <summary>Factors of the up-samplings; their product is the samples per spectrogram frame.</summary>
    public IReadOnlyList<int> UpsampleRates { get; init; } = [4, 4, 4, 4];

    /// <summary>Kernel sizes of the up-samplings.</summary>
    public IReadOnlyList<int> UpsampleKernels { get; init; } = [8, 8, 8, 8];

    /// <summary>Kernel sizes of the residual blocks that run side by side after every up-sampling.</summary>
    public IReadOnlyList<int> ResidualKernels { get; init; } = [3, 7, 11];

    /// <summary>Dilations of the convolutions in each of these blocks.</summary>
    public IReadOnlyList<IReadOnlyList<int>> ResidualDilations { get; init; } = [[1, 3, 5], [1, 3, 5], [1, 3, 5]];

    /// <summary>Slope of the leaky rectifiers below zero, the last one's apart.</summary>
    public double Slope { get; init; } = 0.1;

    /// <summary>Whether the spectrogram is normalised with the checkpoint's mean and scale first.</summary>
    public bool Normalises { get; init; } = true;

    /// <summary>
    /// Rounds of <see cref="GriffinLim"/> that bring the sound's bands nearer to the spectrogram, beginning with its phases; 0, as in
    /// every published vocoder, is none. Ours is small and has no adversary: it is told which of both is nearer when it is trained.
    /// </summary>
    public int PolishRounds { get; init; }

    /// <summary>Samples per spectrogram frame.</summary>
    public int HopSamples => UpsampleRates.Aggregate(1, (product, rate) => product * rate);

    /// <summary>Writes a <c>config.json</c> in transformers layout.</summary>
    /// <param name="file">Path of the file; replaced where it exists.</param>
    public void Save(string file)
    {
        var config = new JsonObject
        {
            ["architectures"] = DiffusersConfig.List(["SpeechT5HifiGan"]),
            ["model_type"] = "hifigan",
            ["model_in_dim"] = Mels,
            ["sampling_rate"] = SampleRateHz,
            ["upsample_initial_channel"] = InitialChannels,
            ["upsample_rates"] = DiffusersConfig.List(UpsampleRates),
            ["upsample_kernel_sizes"] = DiffusersConfig.List(UpsampleKernels),
            ["resblock_kernel_sizes"] = DiffusersConfig.List(ResidualKernels),
            ["resblock_dilation_sizes"] = new JsonArray([.. ResidualDilations.Select(DiffusersConfig.List)]),
            ["leaky_relu_slope"] = Slope,
            ["normalize_before"] = Normalises,
        };
        if (PolishRounds > 0)
        {
            config["griffin_lim_rounds"] = PolishRounds;
        }

        DiffusersConfig.Save(file, config);
    }

    /// <summary>Reads the <c>config.json</c> of a transformers vocoder.</summary>
    /// <param name="file">Path of the file.</param>
    /// <exception cref="InvalidDataException">A setting is missing or means another network; the message names it.</exception>
    public static HifiGanConfig Load(string file)
    {
        var config = DiffusersConfig.Load(file);
        config.Expect("model_type", "hifigan");
        var read = new HifiGanConfig
        {
            Mels = config.Integer("model_in_dim", 80),
            SampleRateHz = config.Integer("sampling_rate", 16_000),
            InitialChannels = config.Integer("upsample_initial_channel", 512),
            UpsampleRates = config.Integers("upsample_rates"),
            UpsampleKernels = config.Integers("upsample_kernel_sizes"),
            ResidualKernels = config.Integers("resblock_kernel_sizes"),
            ResidualDilations = config.IntegerLists("resblock_dilation_sizes"),
            Slope = config.Number("leaky_relu_slope", 0.1),
            Normalises = config.Flag("normalize_before", true),
            PolishRounds = config.Integer("griffin_lim_rounds", 0),
        };
        if (read.PolishRounds is < 0 or > 1_000
            || (read.PolishRounds > 0 && (read.HopSamples != MelSpectrogram.Hop || read.SampleRateHz != MelSpectrogram.SampleRateHz)))
        {
            throw new InvalidDataException(
                $"{file}: griffin_lim_rounds is {read.PolishRounds}; 0 to 1,000 rounds are possible, and any at all only for "
                + $"{MelSpectrogram.SampleRateHz} samples a second and {MelSpectrogram.Hop} a frame.");
        }

        return read.UpsampleRates.Count == read.UpsampleKernels.Count && read.ResidualKernels.Count == read.ResidualDilations.Count
            && read.UpsampleRates.Zip(read.UpsampleKernels).All(pair => pair.First > 0 && pair.Second >= pair.First)
            ? read
            : throw new InvalidDataException(
                $"{file}: every up-sampling rate needs a kernel size that is at least as large, and every residual kernel "
                + "size a list of dilations.");
    }
}

/// <summary>Turns mel spectrograms into sound.</summary>
/// <remarks>
/// Kong et al. 2020, section 2.2 (the generator); weight names of <c>SpeechT5HifiGan</c> in transformers, the vocoder of
/// AudioLDM. Checkpoints that keep weights as direction and length (weight normalisation, either generation of names) are
/// folded while they are read, which changes no result.
/// </remarks>
public sealed class HifiGan : nn.Module<Tensor, Tensor>
{
    private const double LastSlope = 0.01;

    [ComponentName(Name = "conv_pre")]
    private readonly Conv1d _input;

    [ComponentName(Name = "upsampler")]
    private readonly ModuleList<ConvTranspose1d> _upsamplings;

    [ComponentName(Name = "resblocks")]
    private readonly ModuleList<HifiGanResidualBlock> _residuals;   // kernels side by side, up-sampling by up-sampling

    [ComponentName(Name = "conv_post")]
    private readonly Conv1d _output;

    [ComponentName(Name = "mean")]
    private readonly Tensor _mean;

    [ComponentName(Name = "scale")]
    private readonly Tensor _scale;

    /// <summary>Builds the network with fresh weights.</summary>
    /// <param name="config">Its numbers.</param>
    /// <param name="device">Where the weights lie; null is the CPU.</param>
    /// <param name="dtype">Type of the weights; null is float32.</param>
    public HifiGan(HifiGanConfig config, Device? device = null, ScalarType? dtype = null)
        : base(nameof(HifiGan))
    {
        Config = config;
        int[] channels = [.. Enumerable.Range(0, config.UpsampleRates.Count + 1).Select(level => config.InitialChannels >> level)];
        _input = nn.Conv1d(config.Mels, channels[0], 7, padding: 3, device: device, dtype: dtype);
        _upsamplings = new ModuleList<ConvTranspose1d>([.. config.UpsampleRates.Zip(config.UpsampleKernels).Select((pair, level) =>
            nn.ConvTranspose1d(
                channels[level], channels[level + 1], pair.Second, stride: pair.First, padding: (pair.Second - pair.First) / 2,
                device: device, dtype: dtype))]);
        _residuals = new ModuleList<HifiGanResidualBlock>([.. channels.Skip(1).SelectMany(width =>
            config.ResidualKernels.Zip(config.ResidualDilations).Select(pair =>
                new HifiGanResidualBlock(width, pair.First, pair.Second, config.Slope, device, dtype)))]);
        _output = nn.Conv1d(channels[^1], 1, 7, padding: 3, device: device, dtype: dtype);
        _mean = zeros(config.Mels, device: device, dtype: dtype).DetachFromDisposeScope();
        _scale = ones(config.Mels, device: device, dtype: dtype).DetachFromDisposeScope();
        RegisterComponents();
    }

    /// <summary>The numbers it was built with.</summary>
    public HifiGanConfig Config { get; }

    /// <summary>Reads a transformers folder: <c>config.json</c> and safetensors weights.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="device">Where the weights shall lie; null is the CPU.</param>
    /// <param name="dtype">Type of the weights; null is float32.</param>
    /// <exception cref="InvalidDataException">What does not fit, by name.</exception>
    public static HifiGan Load(string folder, Device? device = null, ScalarType? dtype = null)
    {
        using var weights = new WeightNormSource(SafetensorsFile.Open(DiffusersWeights.FileIn(folder)));
        var network = new HifiGan(HifiGanConfig.Load(Path.Combine(folder, "config.json")), device, dtype);
        DiffusersWeights.Load(network, weights, name => name);
        return network;
    }

    /// <summary>Writes a transformers folder that <see cref="Load"/> reads.</summary>
    /// <param name="folder">Made where it is missing; files of the same names are replaced.</param>
    /// <param name="type">How numbers are stored.</param>
    public void Save(string folder, SafetensorsType type = SafetensorsType.F16)
    {
        DiffusersWeights.Save(this, Path.Combine(folder, "model.safetensors"), type);
        Config.Save(Path.Combine(folder, "config.json"));
    }

    /// <summary>Makes sound.</summary>
    /// <param name="spectrogram">[batch, frames, mels] float, logarithmic, as the network was trained with.</param>
    /// <returns>
    /// [batch, samples] float, −1..1, owned by the caller's dispose scope; frames * hop samples, and some more where a kernel
    /// is larger than its rate by an odd number (as in AudioLDM: 16 for 5).
    /// </returns>
    public override Tensor forward(Tensor spectrogram)
    {
        using var scope = NewDisposeScope();
        var mels = Config.Normalises ? (spectrogram - _mean) / _scale : spectrogram;
        var hidden = _input.call(mels.transpose(1, 2));   // [batch, channels, frames]

        var kernels = Config.ResidualKernels.Count;
        for (var level = 0; level < _upsamplings.Count; level++)
        {
            using var step = NewDisposeScope();
            hidden = _upsamplings[level].call(nn.functional.leaky_relu(hidden, Config.Slope));   // [batch, channels / 2, frames * rate]
            var sum = _residuals[level * kernels].call(hidden);
            for (var kernel = 1; kernel < kernels; kernel++)
            {
                sum = sum + _residuals[(level * kernels) + kernel].call(hidden);
            }

            hidden = (sum / kernels).MoveToOuterDisposeScope();
        }

        hidden = _output.call(nn.functional.leaky_relu(hidden, LastSlope));   // [batch, 1, samples]
        return hidden.tanh().squeeze(1).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _mean.Dispose();
            _scale.Dispose();
        }

        base.Dispose(disposing);
    }
}

/// <summary>Pairs of convolutions, the first of each dilated, each pair with a shortcut.</summary>
internal sealed class HifiGanResidualBlock : nn.Module<Tensor, Tensor>
{
    private readonly double _slope;

    [ComponentName(Name = "convs1")]
    private readonly ModuleList<Conv1d> _dilated;

    [ComponentName(Name = "convs2")]
    private readonly ModuleList<Conv1d> _plain;

    internal HifiGanResidualBlock(
        int channels, int kernel, IReadOnlyList<int> dilations, double slope, Device? device, ScalarType? dtype)
        : base(nameof(HifiGanResidualBlock))
    {
        _slope = slope;
        _dilated = new ModuleList<Conv1d>([.. dilations.Select(dilation => nn.Conv1d(
            channels, channels, kernel, padding: dilation * (kernel - 1) / 2, dilation: dilation, device: device, dtype: dtype))]);
        _plain = new ModuleList<Conv1d>([.. dilations.Select(_ => nn.Conv1d(
            channels, channels, kernel, padding: (kernel - 1) / 2, device: device, dtype: dtype))]);
        RegisterComponents();
    }

    /// <param name="input">[batch, channels, samples]</param>
    /// <returns>The same shape, owned by the caller's dispose scope.</returns>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var hidden = input;
        for (var pair = 0; pair < _dilated.Count; pair++)
        {
            using var step = NewDisposeScope();
            var change = _dilated[pair].call(nn.functional.leaky_relu(hidden, _slope));
            change = _plain[pair].call(nn.functional.leaky_relu(change, _slope));
            hidden = (change + hidden).MoveToOuterDisposeScope();
        }

        return hidden.MoveToOuterDisposeScope();
    }
}
