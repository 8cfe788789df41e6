using static TorchSharp.torch;

namespace NextGpt.Model.Decoders.AudioLdm;

/// <summary>Sound from a spectrogram without learning: what a vocoder must beat, and what may polish its sounds.</summary>
/// <remarks>
/// Magnitudes that the bands could have come from (multiplicative updates, Lee and Seung 2001), then phases by the fast
/// Griffin-Lim algorithm (Perraudin et al. 2013, algorithm 2, with its recommended 0.99).
/// </remarks>
public static class GriffinLim
{
    private const double Momentum = 0.99;
    private const int MagnitudeRounds = 50;

    /// <summary>Makes sound.</summary>
    /// <param name="mel">Says what a spectrogram is.</param>
    /// <param name="spectrogram">[batch, frames, mels] float32, logarithms.</param>
    /// <param name="rounds">Improvements of the phases.</param>
    /// <param name="from">[batch, frames * 160] float32, a sound whose phases to begin with, as a vocoder's; null begins with tones.</param>
    /// <returns>[batch, frames * 160] float32, owned by the caller's dispose scope.</returns>
    public static Tensor Sound(MelSpectrogram mel, Tensor spectrogram, int rounds = 60, Tensor? from = null)
    {
        ArgumentNullException.ThrowIfNull(mel);
        ArgumentNullException.ThrowIfNull(spectrogram);
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var magnitude = Magnitudes(mel, spectrogram.exp());   // [batch, frames, bins]
        var phases = from is null ? Tones(magnitude) : Phases(mel.Spectrum(MelSpectrogram.Padded(from)));
        var last = zeros_like(phases);
        for (var round = 0; round < rounds; round++)
        {
            using var inner = NewDisposeScope();
            var consistent = mel.Spectrum(Overlapped(mel, magnitude * phases));
            var pushed = consistent + (Momentum * (consistent - last));
            phases = Phases(pushed).MoveToOuterDisposeScope();
            last = consistent.MoveToOuterDisposeScope();
        }

        var sound = Overlapped(mel, magnitude * phases);
        return sound.narrow(1, MelSpectrogram.Margin, spectrogram.shape[1] * MelSpectrogram.Hop).contiguous().MoveToOuterDisposeScope();
    }

    // Any beginning will do as long as it is the same in every run: phases run on as a tone in the middle of each bin would.
    private static Tensor Tones(Tensor magnitude)
    {
        var step = arange(magnitude.shape[2], device: magnitude.device) * (2 * Math.PI * MelSpectrogram.Hop / MelSpectrogram.Frame);
        var turns = arange(magnitude.shape[1], device: magnitude.device).view(1, -1, 1) * step.view(1, 1, -1);
        return polar(ones_like(magnitude), turns.expand(magnitude.shape));
    }

    private static Tensor Phases(Tensor spectrum) => spectrum / spectrum.abs().clamp(min: 1e-12);

    private static Tensor Magnitudes(MelSpectrogram mel, Tensor bands)
    {
        using var scope = NewDisposeScope();
        var back = mel.Bands;                                        // [mels, bins]
        var wanted = matmul(bands, back);                            // [batch, frames, bins]
        var magnitude = wanted / back.sum(0).clamp(min: 1e-9);
        for (var round = 0; round < MagnitudeRounds; round++)
        {
            using var inner = NewDisposeScope();
            var reached = matmul(matmul(magnitude, back.transpose(0, 1)), back);
            magnitude = (magnitude * wanted / reached.clamp(min: 1e-12)).MoveToOuterDisposeScope();
        }

        return magnitude.MoveToOuterDisposeScope();
    }

    // The sound whose frames come closest to these: windowed again, added, divided by what the windows add up to.
    private static Tensor Overlapped(MelSpectrogram mel, Tensor spectrum)
    {
        using var scope = NewDisposeScope();
        var frames = fft.irfft(spectrum, MelSpectrogram.Frame) * mel.Window;   // [batch, frames, Frame]
        var length = ((frames.shape[1] - 1) * MelSpectrogram.Hop) + MelSpectrogram.Frame;
        var weight = mel.Window.square().view(1, 1, -1).expand(1, frames.shape[1], -1);
        return (Folded(frames, length) / Folded(weight, length).clamp(min: 1e-4)).MoveToOuterDisposeScope();
    }

    private static Tensor Folded(Tensor frames, long length)
    {
        using var scope = NewDisposeScope();
        var sum = zeros(frames.shape[0], length, device: frames.device);
        for (var at = 0L; at < frames.shape[1]; at++)
        {
            using var place = sum.narrow(1, at * MelSpectrogram.Hop, MelSpectrogram.Frame);
            using var frame = frames.select(1, at);
            place.add_(frame);
        }

        return sum.MoveToOuterDisposeScope();
    }
}
