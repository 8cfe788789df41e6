using System.Numerics;

namespace NextGpt.Model.Language.Quantized;

/// <summary>Embedding and head of tokens added to a packed network, as float32 beside it: a few dozen rows, never quantised.</summary>
/// <param name="embedding">[rows · hidden]</param>
/// <param name="head">[rows · hidden]</param>
/// <param name="hiddenSize">Width of a row.</param>
internal sealed class FloatRows(float[] embedding, float[] head, int hiddenSize)
{
    /// <summary>Tokens added.</summary>
    public int Count => embedding.Length / hiddenSize;

    /// <summary>[hidden]</summary>
    public ReadOnlySpan<float> EmbeddingOf(int row) => embedding.AsSpan(row * hiddenSize, hiddenSize);

    /// <summary>How likely each row's token is next.</summary>
    /// <param name="state">[hidden] after the final norm.</param>
    /// <param name="logits">[rows]</param>
    public void Score(ReadOnlySpan<float> state, Span<float> logits)
    {
        for (var row = 0; row < logits.Length; row++)
        {
            logits[row] = Dot(head.AsSpan(row * hiddenSize, hiddenSize), state);
        }
    }

    /// <summary>Eight sums side by side whatever the vector width, so that every machine gets the same bits.</summary>
    private static float Dot(ReadOnlySpan<float> one, ReadOnlySpan<float> other)
    {
        var sums = Vector4.Zero;
        var more = Vector4.Zero;
        var at = 0;
        for (; at <= one.Length - 8; at += 8)
        {
            sums += new Vector4(one.Slice(at, 4)) * new Vector4(other.Slice(at, 4));
            more += new Vector4(one.Slice(at + 4, 4)) * new Vector4(other.Slice(at + 4, 4));
        }

        var sum = sums + more;
        var total = sum.X + sum.Y + (sum.Z + sum.W);
        for (; at < one.Length; at++)
        {
            total += one[at] * other[at];
        }

        return total;
    }
}
