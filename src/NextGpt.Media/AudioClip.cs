namespace NextGpt.Media;

/// <summary>A decoded sound.</summary>
/// <remarks>Immutable by convention: operations return a new clip.</remarks>
public sealed record AudioClip : Medium
{
    /// <inheritdoc/>
    public override MediaKind Kind => MediaKind.Audio;

    /// <summary>One array of samples per channel, all of one length; float, nominally −1..1.</summary>
    public required IReadOnlyList<float[]> Channels { get; init; }

    /// <summary>Samples a second and channel.</summary>
    public required int SampleRateHz { get; init; }

    /// <summary>Samples of one channel.</summary>
    public int Length => Channels[0].Length;

    /// <summary>How long it lasts.</summary>
    public TimeSpan Duration => TimeSpan.FromSeconds((double)Length / SampleRateHz);

    /// <summary>The mean of all channels as one.</summary>
    public AudioClip ToMono()
    {
        if (Channels.Count == 1)
        {
            return this;
        }

        var mono = new float[Length];
        foreach (var channel in Channels)
        {
            for (var i = 0; i < mono.Length; i++)
            {
                mono[i] += channel[i] / Channels.Count;
            }
        }

        return this with { Channels = [mono] };
    }

    /// <summary>The clip at another sample rate, by band-limited interpolation.</summary>
    /// <remarks>
    /// Sinc interpolation under a Hann window, kernel half-width 6 zero crossings, roll-off 0.99: the defaults of
    /// <c>torchaudio.functional.resample</c>, to which it is numerically equal (golden <c>audio_resample</c>).
    /// The result has ceil(length · new / old) samples.
    /// </remarks>
    /// <param name="sampleRateHz">1 or more.</param>
    public AudioClip Resample(int sampleRateHz)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sampleRateHz, 1);
        if (sampleRateHz == SampleRateHz)
        {
            return this;
        }

        var divisor = (int)System.Numerics.BigInteger.GreatestCommonDivisor(SampleRateHz, sampleRateHz);
        var (from, to) = (SampleRateHz / divisor, sampleRateHz / divisor);
        var kernels = SincKernels(from, to);
        return new AudioClip
        {
            SampleRateHz = sampleRateHz,
            Channels = [.. Channels.Select(channel => Interpolate(channel, from, to, kernels))],
        };
    }

    private const int ZeroCrossings = 6;
    private const double RollOff = 0.99;

    /// <returns>
    /// One kernel per output phase: its first sample relative to the phase's block, and its taps. Only the taps within the
    /// window are kept: a table over whole blocks would take gigabytes for rates without a common divisor.
    /// </returns>
    private static (int First, float[] Taps)[] SincKernels(int from, int to)
    {
        var cutoff = Math.Min(from, to) * RollOff;
        var reach = ZeroCrossings * from / cutoff;   // in samples, to either side
        var kernels = new (int, float[])[to];
        for (var phase = 0; phase < to; phase++)
        {
            var centre = (double)phase * from / to;
            var first = (int)Math.Ceiling(centre - reach);
            var taps = new float[(int)Math.Floor(centre + reach) - first + 1];
            for (var i = 0; i < taps.Length; i++)
            {
                var time = Math.Clamp(
                    (((double)(first + i) / from) - ((double)phase / to)) * cutoff, -ZeroCrossings, ZeroCrossings);
                var window = Math.Pow(Math.Cos(time * Math.PI / ZeroCrossings / 2), 2);
                var sinc = time == 0 ? 1 : Math.Sin(time * Math.PI) / (time * Math.PI);
                taps[i] = (float)(sinc * window * cutoff / from);
            }

            kernels[phase] = (first, taps);
        }

        return kernels;
    }

    private static float[] Interpolate(float[] samples, int from, int to, (int First, float[] Taps)[] kernels)
    {
        var result = new float[(int)(((((long)samples.Length * to) + from) - 1) / from)];
        for (var i = 0; i < result.Length; i++)
        {
            var (first, taps) = kernels[i % to];
            var start = (int)((long)(i / to) * from) + first;
            var sum = 0.0;
            for (var k = Math.Max(0, -start); k < taps.Length && start + k < samples.Length; k++)
            {
                sum += taps[k] * (double)samples[start + k];
            }

            result[i] = (float)sum;
        }

        return result;
    }
}
