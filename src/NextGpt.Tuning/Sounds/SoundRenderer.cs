using NextGpt.Media;
using NextGpt.Tuning.Data;

namespace NextGpt.Tuning.Sounds;

/// <summary>Turns scenes into samples.</summary>
/// <param name="studio">Reads recordings.</param>
internal sealed class SoundRenderer(WorldStudio studio)
{
    private const int Fade = 320;
    private const float Peak = 0.5f;

    /// <summary>Renders a scene.</summary>
    /// <param name="scene">What.</param>
    /// <returns><see cref="MiniSounds.Samples"/> samples, −1..1.</returns>
    internal float[] Render(SoundScene scene)
    {
        var quiet = scene.Recipe.Change == SoundChange.Quieter ? 0.25f : 1;   // the one change that levelling would undo
        var clip = SoundBank.Levelled((AudioClip)studio.Make(scene.Recipe), Peak * scene.Gain * quiet);
        clip = scene.Semitone switch
        {
            > 0 => SoundShaping.Replayed(clip, 16, 15),
            < 0 => SoundShaping.Replayed(clip, 15, 16),
            _ => clip,
        };
        return Cut(clip.Channels[0], scene.Onset);
    }

    /// <summary>Brings a sound to the length of the model's sounds: silence after it, or an end that fades quickly.</summary>
    /// <param name="samples">At 16 kHz.</param>
    /// <param name="onset">Samples of silence before it.</param>
    internal static float[] Cut(ReadOnlySpan<float> samples, int onset = 0)
    {
        var cut = new float[MiniSounds.Samples];
        var kept = Math.Min(samples.Length, cut.Length - onset);
        samples[..kept].CopyTo(cut.AsSpan(onset));
        if (kept < samples.Length)
        {
            for (var at = 0; at < Fade; at++)
            {
                cut[cut.Length - 1 - at] *= (float)at / Fade;
            }
        }

        return cut;
    }
}
