using static TorchSharp.torch;

namespace NextGpt.Model.Decoders.AudioLdm;

/// <summary>Spectrograms as AudioLDM's autoencoder and vocoder take them; with gradients, on any device.</summary>
/// <remarks>
/// 1,024 samples under a Hann window every 160 samples, the ends mirrored so that there are as many frames as hops, magnitudes,
/// 64 triangles of equal area on Slaney's mel scale from 0 to 8,000 Hz, natural logarithm with a floor of 1e-5 (Kong et al.
/// 2020, section 3; the settings of AudioLDM, Liu et al. 2023, appendix). Not thread-safe.
/// </remarks>
public sealed class MelSpectrogram : IDisposable
{
    /// <summary>Samples a second.</summary>
    public const int SampleRateHz = 16_000;

    /// <summary>Samples from one frame to the next.</summary>
    public const int Hop = 160;

    /// <summary>Samples of a frame.</summary>
    public const int Frame = 1_024;

    /// <summary>Magnitude below which bands count as silent, as a logarithm: the smallest entry of a spectrogram.</summary>
    public static readonly float Silence = MathF.Log(1e-5f);

    /// <summary>
    /// What nobody hears, as a logarithm: errors are measured above it only, because the deeper half of the range is the
    /// rounding of sixteen bits.
    /// </summary>
    public static readonly float Inaudible = MathF.Log(1e-4f);

    private const double SmallestPower = 1e-9;   // keeps the root's gradient finite

    private readonly Tensor _window;   // [Frame]
    private readonly Tensor _bands;    // [mels, Frame / 2 + 1]

    /// <summary>Prepares.</summary>
    /// <param name="device">Where the sounds will lie.</param>
    /// <param name="mels">Bands.</param>
    public MelSpectrogram(Device device, int mels = 64)
    {
        using var scope = NewDisposeScope();
        _window = hann_window(Frame, device: device).DetachFromDisposeScope();
        // Copied, because managed memory lies anywhere, and matrix products round otherwise where it lies otherwise.
        _bands = tensor(Triangles(mels), [mels, (Frame / 2) + 1]).clone().to(device).alias().DetachFromDisposeScope();
    }

    /// <summary>The bands' weights: [mels, 513] float32.</summary>
    public Tensor Bands => _bands;

    /// <summary>The window of a frame.</summary>
    internal Tensor Window => _window;

    /// <summary>Samples that are mirrored at either end.</summary>
    internal static int Margin => (Frame - Hop) / 2;

    /// <summary>Turns sounds into spectrograms.</summary>
    /// <param name="samples">[batch, samples] float32, −1..1, 16 kHz, at least 433 samples.</param>
    /// <returns>[batch, samples / 160, mels] float32, natural logarithms, owned by the caller's dispose scope.</returns>
    public Tensor Of(Tensor samples)
    {
        ArgumentNullException.ThrowIfNull(samples);
        using var scope = NewDisposeScope();
        var spectrum = Spectrum(Padded(samples));   // [batch, frames, bins] complex
        var magnitude = (spectrum.real.square() + spectrum.imag.square() + SmallestPower).sqrt();
        return matmul(magnitude, _bands.transpose(0, 1)).clamp(min: 1e-5).log().MoveToOuterDisposeScope();
    }

    /// <summary>Short-time Fourier transform without padding.</summary>
    /// <param name="samples">[batch, samples]</param>
    /// <returns>[batch, 1 + (samples − 1,024) / 160, 513] complex64, owned by the caller's dispose scope.</returns>
    internal Tensor Spectrum(Tensor samples) => fft.rfft(samples.unfold(1, Frame, Hop) * _window);

    /// <summary>Mirrors both ends, so that there are as many frames as hops.</summary>
    /// <param name="samples">[batch, samples]</param>
    /// <returns>[batch, samples + 864], owned by the caller's dispose scope.</returns>
    internal static Tensor Padded(Tensor samples)
    {
        using var scope = NewDisposeScope();
        return nn.functional.pad(samples.unsqueeze(1), [Margin, Margin], TorchSharp.PaddingModes.Reflect).squeeze(1)
            .MoveToOuterDisposeScope();
    }

    /// <summary>What can be heard of the error of a spectrogram.</summary>
    /// <param name="made">Any shape, logarithms.</param>
    /// <param name="real">The same shape.</param>
    /// <returns>The same shape, in natural logarithms of magnitudes; what is too loud where nothing is heard counts from there on.</returns>
    public static Tensor AudibleError(Tensor made, Tensor real)
    {
        ArgumentNullException.ThrowIfNull(made);
        ArgumentNullException.ThrowIfNull(real);
        using var scope = NewDisposeScope();
        return where(real > Inaudible, made - real, (made - Inaudible).clamp(min: 0)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _window.Dispose();
        _bands.Dispose();
    }

    private static float[] Triangles(int mels)
    {
        var bins = (Frame / 2) + 1;
        var highest = Mel(SampleRateHz / 2.0);
        var edges = Enumerable.Range(0, mels + 2).Select(at => Hertz(highest * at / (mels + 1))).ToArray();
        var weights = new float[mels * bins];
        for (var mel = 0; mel < mels; mel++)
        {
            var (left, centre, right) = (edges[mel], edges[mel + 1], edges[mel + 2]);
            for (var bin = 0; bin < bins; bin++)
            {
                var hertz = (double)bin * SampleRateHz / Frame;
                var height = Math.Min((hertz - left) / (centre - left), (right - hertz) / (right - centre));
                weights[(mel * bins) + bin] = (float)(Math.Max(0, height) * 2 / (right - left));
            }
        }

        return weights;
    }

    // Slaney 1998 (Auditory Toolbox): even steps up to 1,000 Hz, then 27 steps for a factor of 6.4.
    private static double Mel(double hertz) => hertz < 1_000 ? hertz * 3 / 200 : 15 + (27 * Math.Log(hertz / 1_000) / Math.Log(6.4));

    private static double Hertz(double mel) => mel < 15 ? mel * 200 / 3 : 1_000 * Math.Exp((mel - 15) * Math.Log(6.4) / 27);
}
