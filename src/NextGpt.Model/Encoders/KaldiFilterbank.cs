using System.Numerics;

namespace NextGpt.Model.Encoders;

/// <summary>Spectrograms in mel bands as Kaldi makes them. Immutable and thread-safe.</summary>
/// <remarks>
/// The defaults of <c>torchaudio.compliance.kaldi.fbank</c> with a Hann window and without dither: frames of 25 ms every
/// 10 ms that lie whole within the sound, the mean of each subtracted, pre-emphasis 0.97, power, triangles on the mel scale
/// from 20 Hz to half the sample rate, natural logarithm with a floor.
/// </remarks>
internal sealed class KaldiFilterbank
{
    private const double PreEmphasis = 0.97;
    private const double LowestHz = 20;
    private const double Floor = 1.1920928955078125e-7;   // the epsilon of float32

    private readonly int _frame;
    private readonly int _shift;
    private readonly int _size;
    private readonly double[] _window;
    private readonly Complex[] _turns;
    private readonly int[] _order;
    private readonly Band[] _bands;

    /// <param name="sampleRateHz">Of the sounds.</param>
    /// <param name="mels">Number of bands.</param>
    internal KaldiFilterbank(int sampleRateHz, int mels)
    {
        _frame = sampleRateHz / 40;
        _shift = sampleRateHz / 100;
        _size = (int)BitOperations.RoundUpToPowerOf2((uint)_frame);
        _window = [.. Enumerable.Range(0, _frame).Select(at => 0.5 - (0.5 * Math.Cos(2 * Math.PI * at / (_frame - 1))))];

        var half = _size / 2;
        _turns = [.. Enumerable.Range(0, half).Select(step => Complex.FromPolarCoordinates(1, -2 * Math.PI * step / _size))];
        var bits = BitOperations.Log2((uint)half);
        _order = [.. Enumerable.Range(0, half).Select(at => Reversed(at, bits))];
        _bands = [.. Bands(sampleRateHz, half, mels)];
    }

    /// <summary>Frames that lie whole within a sound.</summary>
    /// <param name="samples">Of the sound.</param>
    internal int FramesOf(int samples) => samples < _frame ? 0 : 1 + ((samples - _frame) / _shift);

    /// <summary>Sum of the weights of each band.</summary>
    internal float[] BandSums() => [.. _bands.Select(band => (float)band.Weights.Sum())];

    /// <summary>Writes the bands of a sound.</summary>
    /// <param name="samples">One channel, −1..1.</param>
    /// <param name="mean">Subtracted from every sample.</param>
    /// <param name="bands">[mels, frames]; frames beyond the sound are 0.</param>
    /// <param name="frames">Frames of the result; further ones of the sound are cut.</param>
    internal void Spectrogram(ReadOnlySpan<float> samples, float mean, Span<float> bands, int frames)
    {
        bands.Clear();
        var power = new double[(_size / 2) + 1];
        var wave = new double[_size];
        var spectrum = new Complex[_size / 2];
        for (var frame = 0; frame < Math.Min(frames, FramesOf(samples.Length)); frame++)
        {
            Power(samples.Slice(frame * _shift, _frame), mean, wave, spectrum, power);
            for (var mel = 0; mel < _bands.Length; mel++)
            {
                var band = _bands[mel];
                var sum = 0.0;
                for (var at = 0; at < band.Weights.Length; at++)
                {
                    sum += band.Weights[at] * power[band.First + at];
                }

                bands[(mel * frames) + frame] = (float)Math.Log(Math.Max(sum, Floor));
            }
        }
    }

    /// <summary>The power of a frame at each frequency.</summary>
    /// <param name="samples">One frame.</param>
    /// <param name="mean">Subtracted from every sample.</param>
    internal float[] PowerOf(ReadOnlySpan<float> samples, float mean)
    {
        var power = new double[(_size / 2) + 1];
        Power(samples[.._frame], mean, new double[_size], new Complex[_size / 2], power);
        return [.. power.Select(value => (float)value)];
    }

    private void Power(ReadOnlySpan<float> samples, float mean, double[] wave, Complex[] spectrum, double[] power)
    {
        var average = 0.0;
        for (var at = 0; at < _frame; at++)
        {
            wave[at] = samples[at] - mean;
            average += wave[at];
        }

        average /= _frame;
        var before = wave[0] - average;   // the first sample has itself before it
        for (var at = 0; at < _frame; at++)
        {
            var sample = wave[at] - average;
            wave[at] = (sample - (PreEmphasis * before)) * _window[at];
            before = sample;
        }

        // Half as long a transform: even samples are the real, odd ones the imaginary part (the rest of wave is zero).
        var half = _size / 2;
        for (var at = 0; at < half; at++)
        {
            var from = 2 * _order[at];
            spectrum[at] = new Complex(wave[from], wave[from + 1]);
        }

        Transform(spectrum);
        for (var at = 0; at <= half; at++)
        {
            var here = spectrum[at % half];
            var mirror = Complex.Conjugate(spectrum[(half - at) % half]);
            var even = (here + mirror) / 2;
            var odd = (here - mirror) * new Complex(0, -0.5);
            var whole = even + (odd * (at == half ? -Complex.One : _turns[at]));
            power[at] = (whole.Real * whole.Real) + (whole.Imaginary * whole.Imaginary);
        }
    }

    /// <summary>Radix 2, in place; the input is in bit-reversed order.</summary>
    private void Transform(Complex[] values)
    {
        for (var span = 1; span < values.Length; span *= 2)
        {
            var step = _size / (2 * span);
            for (var start = 0; start < values.Length; start += 2 * span)
            {
                for (var at = 0; at < span; at++)
                {
                    var turned = values[start + span + at] * _turns[at * step];
                    var kept = values[start + at];
                    values[start + at] = kept + turned;
                    values[start + span + at] = kept - turned;
                }
            }
        }
    }

    private static IEnumerable<Band> Bands(int sampleRateHz, int half, int mels)
    {
        var low = Mel(LowestHz);
        var step = (Mel(sampleRateHz / 2.0) - low) / (mels + 1);
        for (var mel = 0; mel < mels; mel++)
        {
            var (left, centre, right) = (low + (mel * step), low + ((mel + 1) * step), low + ((mel + 2) * step));
            var weights = Enumerable.Range(0, half)
                .Select(at => Mel((double)sampleRateHz * at / (2 * half)))
                .Select(pitch => Math.Max(0, Math.Min((pitch - left) / (centre - left), (right - pitch) / (right - centre))))
                .ToArray();
            var first = Array.FindIndex(weights, weight => weight > 0);
            var last = Array.FindLastIndex(weights, weight => weight > 0);
            yield return first < 0 ? new Band(0, []) : new Band(first, weights[first..(last + 1)]);
        }
    }

    private static double Mel(double hertz) => 1127 * Math.Log(1 + (hertz / 700));

    private static int Reversed(int value, int bits)
    {
        var reversed = 0;
        for (var bit = 0; bit < bits; bit++)
        {
            reversed |= ((value >> bit) & 1) << (bits - 1 - bit);
        }

        return reversed;
    }

    /// <summary>A triangle over neighbouring frequencies.</summary>
    private sealed record Band(int First, double[] Weights);
}
