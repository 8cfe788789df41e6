using NextGpt.Model.Decoders.StableDiffusion;
using NextGpt.Model.Encoders;

namespace NextGpt.Tuning.Contrastive;

/// <summary>The sizes of the embedded model's encoder.</summary>
/// <remarks>
/// Pictures of 64 pixels in 64 patches. A clip is seen in all of its 16 frames, four to a patch, because first and last frame
/// alone, as ImageBind takes them, look the same in a drawing that swings, bounces or spins. Sounds are heard in two pieces of
/// two seconds, in patches that do not overlap.
/// </remarks>
public static class MiniEncoder
{
    /// <summary>Tokens of a text, start and end included.</summary>
    public const int TextTokens = 24;

    /// <summary>Tokens of the vocabulary at most.</summary>
    public const int VocabularySize = 4_096;

    /// <summary>The towers.</summary>
    /// <param name="tokenizer">Gives the vocabulary.</param>
    public static ImageBindConfig Config(ClipTokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        return new ImageBindConfig
        {
            OutputSize = 256,
            Vision = new ImageBindVisionConfig
            {
                Width = 256,
                Layers = 6,
                Heads = 4,
                ImageSize = 64,
                PatchSize = 8,
                TimePatch = 4,
                FramesPerClip = 16,
                ClipsPerVideo = 2,
                CropsPerClip = 1,
            },
            Audio = new ImageBindAudioConfig
            {
                Width = 192,
                Layers = 4,
                Heads = 3,
                Stride = 16,
                ClipsPerSound = 2,
            },
            Text = new ImageBindTextConfig
            {
                Width = 192,
                Layers = 3,
                Heads = 3,
                VocabularySize = tokenizer.VocabularySize,
                MaxTokens = TextTokens,
            },
        };
    }
}
