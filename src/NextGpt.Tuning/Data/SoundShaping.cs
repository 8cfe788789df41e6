using NextGpt.Media;

namespace NextGpt.Tuning.Data;

/// <summary>Changes and mixes recordings of one channel.</summary>
internal static class SoundShaping
{
    private const int Frame = 512;
    private const int Search = 160;

    /// <summary>Does one thing to a recording.</summary>
    internal static AudioClip Change(AudioClip clip, SoundChange change) => change switch
    {
        // Played as if it had been taken at another rate: 9 : 8 is a whole tone.
        SoundChange.Higher => Replayed(clip, 9, 8),
        SoundChange.Lower => Replayed(clip, 8, 9),
        SoundChange.Faster => clip with { Channels = [Stretch(clip.Channels[0], 1.25)] },
        SoundChange.Slower => clip with { Channels = [Stretch(clip.Channels[0], 0.8)] },
        SoundChange.Quieter => clip with { Channels = [[.. clip.Channels[0].Select(sample => sample / 4)]] },
        _ => clip,
    };

    /// <summary>As if it had been taken at another rate: pitch and tempo change together.</summary>
    /// <param name="clip">One channel.</param>
    /// <param name="from">With <paramref name="to"/> the ratio of the pitches, new to old, in small numbers.</param>
    /// <param name="to">See there.</param>
    internal static AudioClip Replayed(AudioClip clip, int from, int to) =>
        (clip with { SampleRateHz = from * 1_000 }).Resample(to * 1_000) with { SampleRateHz = clip.SampleRateHz };

    /// <summary>Both at the same time, as long as the longer one; the shorter one is repeated where it fits again whole.</summary>
    internal static AudioClip Mix(AudioClip first, AudioClip second)
    {
        var length = Math.Max(first.Length, second.Length);
        var mixed = new float[length];
        foreach (var clip in new[] { first, second })
        {
            // Equal loudness first, so that neither drowns in the other.
            var samples = clip.Channels[0];
            var strength = 0.12f / Math.Max(1e-4f, MathF.Sqrt(samples.Sum(sample => sample * sample) / samples.Length));
            for (var start = 0; start == 0 || start + samples.Length <= length; start += samples.Length)
            {
                for (var at = 0; at < samples.Length; at++)
                {
                    mixed[start + at] += samples[at] * strength;
                }
            }
        }

        var peak = mixed.Max(MathF.Abs);
        if (peak > 0.95f)
        {
            for (var at = 0; at < length; at++)
            {
                mixed[at] *= 0.95f / peak;
            }
        }

        return first with { Channels = [mixed] };
    }

    /// <summary>Another tempo at the same pitch: overlapped frames, each taken where it fits what was written (WSOLA, Verhelst and Roelands 1993).</summary>
    /// <param name="samples">One channel.</param>
    /// <param name="tempo">Above 1 is faster.</param>
    internal static float[] Stretch(float[] samples, double tempo)
    {
        const int hop = Frame / 2;
        if (samples.Length < 2 * (Frame + Search))
        {
            return samples;
        }

        var result = new float[(int)(samples.Length / tempo)];
        var weight = new float[result.Length];
        var last = 0;
        for (var to = 0; to < result.Length; to += hop)
        {
            var wanted = (int)(to * tempo);
            var from = to == 0 ? 0 : BestFit(samples, last + hop, wanted);
            if (from + Frame > samples.Length)
            {
                from = samples.Length - Frame;
            }

            for (var at = 0; at < Frame && to + at < result.Length; at++)
            {
                var window = MathF.Sin(MathF.PI * (at + 0.5f) / Frame);
                window *= window;
                result[to + at] += window * samples[from + at];
                weight[to + at] += window;
            }

            last = from;
        }

        for (var at = 0; at < result.Length; at++)
        {
            result[at] /= Math.Max(weight[at], 1e-3f);
        }

        return result;
    }

    private static int BestFit(float[] samples, int continuation, int wanted)
    {
        var (best, bestScore) = (Math.Clamp(wanted, 0, samples.Length - Frame), float.NegativeInfinity);
        if (continuation + Frame > samples.Length)
        {
            return best;
        }

        for (var from = Math.Max(0, wanted - Search); from <= Math.Min(samples.Length - Frame, wanted + Search); from += 2)
        {
            var (score, power) = (0f, 1e-6f);
            for (var at = 0; at < Frame; at += 2)
            {
                score += samples[continuation + at] * samples[from + at];
                power += samples[from + at] * samples[from + at];
            }

            score /= MathF.Sqrt(power);
            if (score > bestScore)
            {
                (best, bestScore) = (from, score);
            }
        }

        return best;
    }
}
