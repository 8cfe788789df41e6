using static TorchSharp.torch;

namespace NextGpt.Tuning.Contrastive;

/// <summary>Pulls media and their texts together and apart from all others of a batch.</summary>
/// <remarks>
/// InfoNCE in both directions (Girdhar et al. 2023, section 3.2) where several texts may be right for a medium and several
/// media for a text, because a batch meets a thing twice now and then (Yang et al. 2022, "Unified Contrastive Learning in
/// Image-Text-Label Space", section 3.2).
/// </remarks>
internal static class ContrastiveLoss
{
    /// <summary>The mean over both directions.</summary>
    /// <param name="logits">[media, texts], similarities times the scale.</param>
    /// <param name="fits">[media, texts] bool: which belong together. Every medium has a text; a text without a medium only repels.</param>
    /// <returns>A scalar, owned by the caller's dispose scope.</returns>
    internal static Tensor Of(Tensor logits, Tensor fits)
    {
        using var scope = NewDisposeScope();
        var right = fits.to(ScalarType.Float32);
        var byMedium = -((logits.log_softmax(1) * right).sum([1]) / right.sum([1])).mean();
        var media = right.sum([0]);
        var asked = media.gt(0).to(ScalarType.Float32);
        var byText = -((logits.log_softmax(0) * right).sum([0]) / media.clamp(min: 1) * asked).sum() / asked.sum();
        return ((byMedium + byText) / 2).MoveToOuterDisposeScope();
    }

    /// <summary>Which media and texts have the same label.</summary>
    /// <param name="media">Label of each medium.</param>
    /// <param name="texts">Label of each text.</param>
    /// <param name="device">Where the answer shall lie.</param>
    /// <returns>[media, texts] bool, owned by the caller's dispose scope.</returns>
    internal static Tensor Same(IReadOnlyList<long> media, IReadOnlyList<long> texts, Device device)
    {
        using var scope = NewDisposeScope();
        return tensor([.. media]).unsqueeze(1).eq(tensor([.. texts]).unsqueeze(0)).to(device).MoveToOuterDisposeScope();
    }
}
