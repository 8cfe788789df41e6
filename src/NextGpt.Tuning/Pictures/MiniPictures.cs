using NextGpt.Model.Decoders.Schedulers;
using NextGpt.Model.Decoders.StableDiffusion;

namespace NextGpt.Tuning.Pictures;

/// <summary>The sizes of the embedded model's picture decoder.</summary>
/// <remarks>
/// 64 pixels to 16 x 16 x 8: half as many numbers again as 8 x 8 x 16, but edges stay crisp. The U-Net's widths are bound by
/// what fits the repository as float16 and by twenty guided steps in a second or two on two cores.
/// </remarks>
public static class MiniPictures
{
    /// <summary>Tokens of a caption, start and end included.</summary>
    public const int CaptionTokens = 32;

    /// <summary>Tokens of the caption vocabulary at most.</summary>
    public const int VocabularySize = 4_096;

    /// <summary>The autoencoder.</summary>
    public static AutoencoderKLConfig Autoencoder { get; } = new()
    {
        LatentChannels = 8,
        LevelChannels = [48, 96, 128],
        BlocksPerLevel = 1,
        NormGroups = 16,
        ScalingFactor = 1,
        SampleSize = 64,
    };

    /// <summary>The U-Net.</summary>
    public static UNet2DConditionConfig UNet { get; } = new()
    {
        InputChannels = 8,
        OutputChannels = 8,
        SampleSize = 16,
        LevelChannels = [160, 192, 224],
        BlocksPerLevel = 1,
        DownAttention = [true, true, true],
        UpAttention = [true, true, true],
        Heads = [5, 6, 7],
        ContextSizes = [256, 256, 256],
        LinearProjection = true,
    };

    /// <summary>The noise schedule and the sampler.</summary>
    public static SchedulerConfig Scheduler { get; } = new()
    {
        Kind = SamplerKind.DpmSolver,
        BetaSchedule = BetaSchedule.SquaredCosine,
        Prediction = PredictionKind.Velocity,
        Spacing = TimestepSpacing.Linspace,
    };

    /// <summary>The caption encoder.</summary>
    /// <param name="tokenizer">Gives the vocabulary.</param>
    public static ClipTextEncoderConfig TextEncoder(ClipTokenizer tokenizer) => new()
    {
        VocabularySize = tokenizer.VocabularySize,
        HiddenSize = 256,
        IntermediateSize = 1_024,
        Layers = 4,
        Heads = 4,
        MaxTokens = CaptionTokens,
        EndToken = tokenizer.EndToken,
    };
}
