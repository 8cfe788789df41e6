using static TorchSharp.torch;

namespace NextGpt.Tuning.Sounds;

/// <summary>How different two sounds are to the ear, whatever their phases.</summary>
/// <remarks>
/// Yamamoto et al. 2020 (Parallel WaveGAN), section 2.2: at several lengths of the window the relative distance of the
/// magnitudes (spectral convergence) and the mean absolute distance of their logarithms. Magnitudes are those of a window of
/// unit energy and end at 1e-4, below which nothing is heard. Not thread-safe.
/// </remarks>
internal sealed class SpectralDistance : IDisposable
{
    private const double Quietest = 1e-4;

    private static readonly int[] Lengths = [256, 512, 1_024, 2_048];

    private readonly Tensor[] _windows;

    internal SpectralDistance(Device device) => _windows = [.. Lengths.Select(length =>
    {
        using var scope = NewDisposeScope();
        var window = hann_window(length, device: device);
        return (window / window.square().sum().sqrt()).DetachFromDisposeScope();
    })];

    /// <summary>The mean distance over a batch.</summary>
    /// <param name="made">[batch, samples] float32, at least 2,048 samples.</param>
    /// <param name="real">The same shape.</param>
    /// <returns>A scalar with gradients, owned by the caller's dispose scope.</returns>
    internal Tensor Of(Tensor made, Tensor real)
    {
        using var scope = NewDisposeScope();
        var sum = zeros(1, device: made.device);
        for (var at = 0; at < Lengths.Length; at++)
        {
            var (one, other) = (Magnitudes(made, at), Magnitudes(real, at));   // [batch, frames, bins]
            var (gap, whole) = ((other - one).flatten(1).norm(1), other.flatten(1).norm(1));
            var convergence = (gap / whole.clamp(min: 0.1)).mean();
            sum = sum + convergence + (other.log() - one.log()).abs().mean();
        }

        return (sum / Lengths.Length).squeeze().MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        foreach (var window in _windows)
        {
            window.Dispose();
        }
    }

    private Tensor Magnitudes(Tensor samples, int at)
    {
        var length = Lengths[at];
        var spectrum = fft.rfft(samples.unfold(1, length, length / 4) * _windows[at]);
        return (spectrum.real.square() + spectrum.imag.square() + (Quietest * Quietest)).sqrt();
    }
}
