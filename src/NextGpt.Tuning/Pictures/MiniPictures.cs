using NextGpt.Model.Decoders.Schedulers;
using NextGpt.Model.Decoders.StableDiffusion;

namespace NextGpt.Tuning.Pictures;

/// <summary>The sizes of the embedded model's picture decoder.</summary>
/// <remarks>
/// 64 pixels to 8 x 8 x 16: a quarter of the places of 16 x 16 x 8, so that the U-Net sees five times as many samples in the
/// same time. Widths are bound by what two cores can train in a night and draw in a second or two.
/// </remarks>
public static class MiniPictures
{
    /// <summary>Tokens of a caption, start and end included.</summary>
    public const int CaptionTokens = 24;

    /// <summary>Tokens of the caption vocabulary at most.</summary>
    public const int VocabularySize = 4_096;

    /// <summary>The autoencoder.</summary>
    public static AutoencoderKLConfig Autoencoder { get; } = new()
    {
        LatentChannels = 16,
        LevelChannels = [16, 32, 64, 128],
        BlocksPerLevel = 1,
        NormGroups = 8,
        ScalingFactor = 1,
        SampleSize = 64,
    };

    /// <summary>The U-Net.</summary>
    public static UNet2DConditionConfig UNet { get; } = new()
    {
        InputChannels = 16,
        OutputChannels = 16,
        SampleSize = 8,
        LevelChannels = [96, 192],
        BlocksPerLevel = 1,
        DownAttention = [true, true],
        UpAttention = [true, true],
        Heads = [3, 6],
        ContextSizes = [256, 256],
        LinearProjection = true,
        ClassSize = 256,
        ClassFromContext = true,
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
        Layers = 2,
        Heads = 4,
        MaxTokens = CaptionTokens,
        EndToken = tokenizer.EndToken,
    };
}
