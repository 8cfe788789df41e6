using System.Globalization;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Enlarging;

/// <summary>How near an enlarged picture comes to the one that was drawn large.</summary>
/// <param name="Way">What enlarged: <c>bicubic</c>, <c>Lanczos</c> or <c>network</c>.</param>
/// <param name="Input">What was enlarged: <c>drawn</c>, the small drawing itself, or <c>decoded</c>, what the autoencoder makes of it.</param>
/// <param name="Decibels">Peak signal-to-noise ratio, mean over pictures.</param>
/// <param name="EdgeError">Mean error of the differences between neighbouring pixels, for values 0..1.</param>
public sealed record EnlargingScore(string Way, string Input, double Decibels, double EdgeError)
{
    /// <summary>Measures.</summary>
    /// <param name="way">What enlarged.</param>
    /// <param name="input">What was enlarged.</param>
    /// <param name="enlarged">[count, 3, height, width] float, 0..1</param>
    /// <param name="wanted">The same shape.</param>
    internal static EnlargingScore Of(string way, string input, Tensor enlarged, Tensor wanted)
    {
        using var scope = NewDisposeScope();
        var difference = enlarged - wanted;
        var errors = difference.square().mean([1, 2, 3]).clamp(min: 1e-10);
        return new EnlargingScore(way, input, (-10 * errors.log10()).mean().item<float>(), Edges(difference).item<float>());
    }

    /// <summary>Mean size of the differences between neighbours, sideways and downwards together.</summary>
    /// <param name="map">[count, channels, height, width]</param>
    internal static Tensor Edges(Tensor map)
    {
        using var scope = NewDisposeScope();
        var (sideways, downwards) = Neighbours(map);
        return (sideways.abs().mean() + downwards.abs().mean()).MoveToOuterDisposeScope();
    }

    /// <summary>The differences between neighbours, owned by the caller's dispose scope.</summary>
    /// <param name="map">[count, channels, height, width]</param>
    internal static (Tensor Sideways, Tensor Downwards) Neighbours(Tensor map) => (
        map.narrow(3, 1, map.shape[3] - 1) - map.narrow(3, 0, map.shape[3] - 1),
        map.narrow(2, 1, map.shape[2] - 1) - map.narrow(2, 0, map.shape[2] - 1));

    /// <inheritdoc/>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Way} of {Input}: {Decibels:0.00} dB, edge error {EdgeError:0.00000}");
}
