using static TorchSharp.torch;

namespace NextGpt.Tuning.Losses;

/// <summary>How far a projected signal is from what the decoder's own text encoder makes of the gold caption.</summary>
/// <remarks>
/// Wu et al. 2023 (NExT-GPT), section 4.2. In the repository the Euclidean length of the difference, position by position, not
/// its square; here with an epsilon under the root, whose slope is infinite at zero otherwise.
/// </remarks>
public static class CaptionAlignmentLoss
{
    /// <summary>What is added under the root.</summary>
    public const double Epsilon = 1e-8;

    /// <summary>The distance of each signal, averaged over its positions.</summary>
    /// <param name="projected">[spans, queries, width], from the output projection.</param>
    /// <param name="captions">The same shape; [spans, width] where there is one query (sounds).</param>
    /// <returns>[spans] float32, owned by the caller's dispose scope.</returns>
    /// <exception cref="ArgumentException">The shapes do not fit: the captions were encoded for another decoder.</exception>
    public static Tensor PerSpan(Tensor projected, Tensor captions)
    {
        ArgumentNullException.ThrowIfNull(projected);
        ArgumentNullException.ThrowIfNull(captions);
        using var scope = NewDisposeScope();
        var wanted = captions.dim() == 2 ? captions.unsqueeze(1) : captions;
        if (!wanted.shape.AsSpan().SequenceEqual(projected.shape))
        {
            throw new ArgumentException(
                $"The projection gives [{string.Join(", ", projected.shape)}] and the captions are [{string.Join(", ", captions.shape)}]; "
                + "encode them with the text encoder of this decoder.",
                nameof(captions));
        }

        var difference = projected.to(ScalarType.Float32) - wanted.to(ScalarType.Float32);
        return (difference.square().sum(-1) + Epsilon).sqrt().mean([-1L]).MoveToOuterDisposeScope();
    }

    /// <summary>The mean over signals.</summary>
    /// <param name="projected">[spans, queries, width]</param>
    /// <param name="captions">The same shape; [spans, width] where there is one query.</param>
    /// <param name="weights">[spans], how much each counts; null is all alike.</param>
    /// <returns>A scalar, float32, owned by the caller's dispose scope.</returns>
    public static Tensor Mean(Tensor projected, Tensor captions, Tensor? weights = null)
    {
        using var scope = NewDisposeScope();
        var distances = PerSpan(projected, captions);
        var mean = weights is null ? distances.mean() : (distances * weights).sum() / weights.sum().clamp_min(1e-12);
        return mean.MoveToOuterDisposeScope();
    }
}
