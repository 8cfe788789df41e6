using NextGpt.Model.Decoders.AudioLdm;
using NextGpt.Model.Decoders.Schedulers;
using NextGpt.Model.Decoders.StableDiffusion;

namespace NextGpt.Tuning.Sounds;

/// <summary>The sizes of the embedded model's sound decoder.</summary>
/// <remarks>
/// AudioLDM's architecture, so that one vector conditions it and one signal vector of the language model can. Four seconds are
/// 400 frames of 64 bands; latents of 25 x 4 places keep the U-Net as cheap as the pictures' one (AudioLDM's own reduction by
/// four would give it sixteen times as many places), at the price of a deeper autoencoder.
/// </remarks>
public static class MiniSounds
{
    /// <summary>Length of a sound in seconds.</summary>
    public const double Seconds = 4;

    /// <summary>Samples of a sound.</summary>
    public const int Samples = (int)(Seconds * MelSpectrogram.SampleRateHz);

    /// <summary>Tokens of a caption at most, begin and end included.</summary>
    public const int CaptionTokens = 32;

    /// <summary>Tokens of the caption vocabulary at most.</summary>
    public const int VocabularySize = 1_024;

    /// <summary>The autoencoder of spectrograms.</summary>
    public static AutoencoderKLConfig Autoencoder { get; } = new()
    {
        PictureChannels = 1,
        LatentChannels = 32,   // 256 numbers a place come in: fewer channels cannot keep the partials of a chord apart
        LevelChannels = [16, 32, 64, 80, 112],
        BlocksPerLevel = 1,
        NormGroups = 8,
        MiddleAttention = false,   // so that short windows teach what long sounds need
        ScalingFactor = 1,
        SampleSize = 64,
    };

    /// <summary>The vocoder.</summary>
    public static HifiGanConfig Vocoder { get; } = new()
    {
        Mels = 64,
        SampleRateHz = MelSpectrogram.SampleRateHz,
        InitialChannels = 256,
        UpsampleRates = [5, 4, 4, 2],
        UpsampleKernels = [11, 8, 8, 4],
        ResidualKernels = [3, 7],
        ResidualDilations = [[1, 3], [1, 3]],   // wide and shallow: as quick as half the width with nine convolutions more per block
        Normalises = true,
    };

    /// <summary>The U-Net.</summary>
    public static UNet2DConditionConfig UNet { get; } = new()
    {
        InputChannels = 32,
        OutputChannels = 32,
        SampleSize = 25,
        LevelChannels = [96, 160],
        BlocksPerLevel = 1,
        DownAttention = [true, true],
        UpAttention = [true, true],
        Heads = [3, 5],
        ContextSizes = [96, 160],
        LinearProjection = true,
        ClassSize = 192,
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
    /// <param name="vocabulary">Tokens of its tokenizer.</param>
    public static ClapTextEncoderConfig TextEncoder(int vocabulary) => new()
    {
        VocabularySize = vocabulary,
        HiddenSize = 192,
        IntermediateSize = 512,
        Layers = 2,
        Heads = 4,
        ProjectionSize = 192,
        Positions = CaptionTokens + SoundVocabulary.PadToken + 1,
        PadToken = SoundVocabulary.PadToken,
    };
}
