namespace NextGpt.Model.Language;

/// <summary>Restricts which token may come next, step by step. One instance serves one reply.</summary>
public interface ITokenConstraint
{
    /// <summary>Strikes out forbidden tokens of the next step by setting their logits to negative infinity.</summary>
    /// <param name="generated">The reply's tokens so far.</param>
    /// <param name="logits">[vocab], changed in place; at least one must stay finite.</param>
    void Apply(IReadOnlyList<int> generated, Span<float> logits);
}
