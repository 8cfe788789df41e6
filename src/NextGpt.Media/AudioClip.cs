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
        var kernels = SincKernels(from, to, out var halfWidth);
        return new AudioClip
        {
            SampleRateHz = sampleRateHz,
            Channels = [.. Channels.Select(channel => Interpolate(channel, from, to, kernels, halfWidth))],
        };
    }

    private const int ZeroCrossings = 6;
    private const double RollOff = 0.99;

    /// <returns>One kernel per output phase, each 2 · halfWidth + from samples wide.</returns>
    private static float[][] SincKernels(int from, int to, out int halfWidth)
    {
        var cutoff = Math.Min(from, to) * RollOff;
        halfWidth = (int)Math.Ceiling(ZeroCrossings * from / cutoff);
        var kernels = new float[to][];
        for (var phase = 0; phase < to; phase++)
        {
            var kernel = kernels[phase] = new float[(2 * halfWidth) + from];
            for (var i = 0; i < kernel.Length; i++)
            {
                var time = Math.Clamp(
                    (((double)(i - halfWidth) / from) - ((double)phase / to)) * cutoff, -ZeroCrossings, ZeroCrossings);
                var window = Math.Pow(Math.Cos(time * Math.PI / ZeroCrossings / 2), 2);
                var sinc = time == 0 ? 1 : Math.Sin(time * Math.PI) / (time * Math.PI);
                kernel[i] = (float)(sinc * window * cutoff / from);
            }
        }

        return kernels;
    }

    private static float[] Interpolate(float[] samples, int from, int to, float[][] kernels, int halfWidth)
    {
        var result = new float[(int)(((((long)samples.Length * to) + from) - 1) / from)];
        for (var i = 0; i < result.Length; i++)
        {
            var kernel = kernels[i % to];
            var start = (i / to * from) - halfWidth;
            var sum = 0.0;
            for (var k = Math.Max(0, -start); k < kernel.Length && start + k < samples.Length; k++)
            {
                sum += kernel[k] * (double)samples[start + k];
            }

            result[i] = (float)sum;
        }

        return result;
    }
}
