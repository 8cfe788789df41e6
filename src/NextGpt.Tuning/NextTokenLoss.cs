using static TorchSharp.torch;

namespace NextGpt.Tuning;

/// <summary>How badly a language model foresaw the next token, over the tokens it is to learn and no others.</summary>
public static class NextTokenLoss
{
    /// <summary>Label of a token that is not learnt: prompt, padding, another speaker.</summary>
    public const long Unlabelled = -100;

    /// <summary>Cross-entropy of each next token.</summary>
    /// <param name="logits">[batch, seq, vocab] float; place i foretells token i + 1.</param>
    /// <param name="labels">[batch, seq] int64, the tokens themselves where they are learnt, else <see cref="Unlabelled"/>.</param>
    /// <returns>[batch, seq − 1] float32, 0 where the next token is not learnt; owned by the caller's dispose scope.</returns>
    public static Tensor PerToken(Tensor logits, Tensor labels)
    {
        ArgumentNullException.ThrowIfNull(logits);
        ArgumentNullException.ThrowIfNull(labels);
        var shape = logits.shape;
        if (shape is not [_, >= 2, _] || !labels.shape.AsSpan().SequenceEqual(shape.AsSpan(0, 2)))
        {
            throw new ArgumentException(
                $"Logits of [batch, seq, vocab] from 2 tokens up and labels of [batch, seq] were expected, not "
                + $"[{string.Join(", ", shape)}] and [{string.Join(", ", labels.shape)}].");
        }

        using var scope = NewDisposeScope();
        var (batch, next) = (shape[0], shape[1] - 1);
        return nn.functional.cross_entropy(
                logits.narrow(1, 0, next).reshape(batch * next, shape[2]).to(ScalarType.Float32),
                labels.narrow(1, 1, next).reshape(batch * next),
                ignore_index: Unlabelled,
                reduction: nn.Reduction.None)
            .view(batch, next)
            .MoveToOuterDisposeScope();
    }

    /// <summary>Mean cross-entropy over the labelled tokens of all rows.</summary>
    /// <param name="logits">[batch, seq, vocab] float; place i foretells token i + 1.</param>
    /// <param name="labels">[batch, seq] int64, see <see cref="PerToken"/>.</param>
    /// <param name="rowWeights">[batch] float, how much each row counts; null is all alike.</param>
    /// <returns>A scalar, float32, owned by the caller's dispose scope.</returns>
    /// <exception cref="ArgumentException">No token that counts is labelled: there is nothing to learn, and 0 / 0 as loss.</exception>
    public static Tensor Mean(Tensor logits, Tensor labels, Tensor? rowWeights = null)
    {
        using var scope = NewDisposeScope();
        var losses = PerToken(logits, labels);
        var counts = labels.narrow(1, 1, losses.shape[1]).not_equal(Unlabelled).to(ScalarType.Float32);   // [batch, seq − 1]
        if (rowWeights is not null)
        {
            counts = counts * rowWeights.unsqueeze(1);
        }

        var total = counts.sum();
        return total.item<float>() > 0
            ? (losses * counts).sum().div(total).MoveToOuterDisposeScope()
            : throw new ArgumentException("No labelled token follows another one in any row that counts; leave the batch out.", nameof(labels));
    }

    /// <summary>The same mean without scoring what is not learnt: a wide vocabulary costs most of a short batch.</summary>
    /// <param name="hidden">[batch, seq, hidden], the network's output before its head.</param>
    /// <param name="labels">[batch, seq] int64, see <see cref="PerToken"/>.</param>
    /// <param name="head">Makes [rows, vocab] of [rows, hidden].</param>
    /// <param name="rowWeights">[batch] float, how much each row counts; null is all alike.</param>
    /// <returns>A scalar, float32, owned by the caller's dispose scope.</returns>
    /// <exception cref="ArgumentException">No token is labelled.</exception>
    public static Tensor MeanOfLabelled(Tensor hidden, Tensor labels, Func<Tensor, Tensor> head, Tensor? rowWeights = null)
    {
        ArgumentNullException.ThrowIfNull(hidden);
        ArgumentNullException.ThrowIfNull(labels);
        ArgumentNullException.ThrowIfNull(head);
        using var scope = NewDisposeScope();
        var next = labels.narrow(1, 1, labels.shape[1] - 1).reshape(-1);
        var places = next.not_equal(Unlabelled).nonzero().squeeze(1);
        if (places.numel() == 0)
        {
            throw new ArgumentException("No labelled token follows another one; leave the batch out.", nameof(labels));
        }

        var before = hidden.narrow(1, 0, labels.shape[1] - 1).flatten(0, 1).index_select(0, places);
        var (scores, wanted) = (head(before).to(ScalarType.Float32), next.index_select(0, places));
        if (rowWeights is null)
        {
            return nn.functional.cross_entropy(scores, wanted).MoveToOuterDisposeScope();
        }

        var weights = rowWeights.unsqueeze(1).expand(-1, labels.shape[1] - 1).reshape(-1).index_select(0, places);
        var losses = nn.functional.cross_entropy(scores, wanted, reduction: nn.Reduction.None);
        return (losses * weights).sum().div(weights.sum().clamp_min(1e-12)).MoveToOuterDisposeScope();
    }
}
