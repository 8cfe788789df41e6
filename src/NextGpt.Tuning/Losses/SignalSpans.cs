using NextGpt.Media;

namespace NextGpt.Tuning.Losses;

/// <summary>One whole signal in a batch.</summary>
/// <param name="Row">Row of the batch.</param>
/// <param name="Start">Position of its first token.</param>
/// <param name="Length">Positions it takes, separators included.</param>
/// <param name="Kind">What it means.</param>
public sealed record SignalSpan(int Row, int Start, int Length, MediaKind Kind);

/// <summary>Finds signals where the language model is to speak them.</summary>
/// <remarks>
/// Looks in labels in which media are spliced in already, so that a position of the labels is one of the hidden states.
/// NExT-GPT/NExT-GPT, <c>nextgpt_arch.py</c>, looks in the labels before the splice and so takes wrong states wherever a medium
/// stands before a signal. Parts of a signal, and its tokens out of order, are passed over.
/// </remarks>
/// <param name="signals">The tokens of each kind's signal, in order.</param>
/// <param name="separator">The token between two tokens of a signal (v2), or null (v0).</param>
public sealed class SignalSpans(IReadOnlyDictionary<MediaKind, IReadOnlyList<int>> signals, int? separator = null)
{
    private readonly (MediaKind Kind, long[] Tokens)[] _patterns =
        [.. signals.OrderBy(signal => signal.Key).Select(signal => (signal.Key, Pattern(signal.Value, separator)))];

    /// <summary>Every whole signal, row by row, in order of position.</summary>
    /// <param name="labels">[batch · seq], spliced; the token where it is learnt, else <see cref="NextTokenLoss.Unlabelled"/>.</param>
    /// <param name="seq">Positions of a row.</param>
    public IReadOnlyList<SignalSpan> Find(ReadOnlySpan<long> labels, int seq)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(seq, 1);
        var found = new List<SignalSpan>();
        for (var row = 0; row < labels.Length / seq; row++)
        {
            var line = labels.Slice(row * seq, seq);
            for (var at = 0; at < seq;)
            {
                var span = At(line, at, row);
                if (span is not null)
                {
                    found.Add(span);
                }

                at += span?.Length ?? 1;
            }
        }

        return found;
    }

    private SignalSpan? At(ReadOnlySpan<long> line, int at, int row)
    {
        foreach (var (kind, tokens) in _patterns)
        {
            if (line[at..].StartsWith(tokens))
            {
                return new SignalSpan(row, at, tokens.Length, kind);
            }
        }

        return null;
    }

    private static long[] Pattern(IReadOnlyList<int> signal, int? separator)
    {
        var pattern = new List<long>();
        foreach (var token in signal)
        {
            if (separator is { } between && pattern.Count > 0)
            {
                pattern.Add(between);
            }

            pattern.Add(token);
        }

        return [.. pattern];
    }
}
