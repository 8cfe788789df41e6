namespace NextGpt.Server.Web.Rendering;

/// <summary>A change of a growing answer: blocks from an index on are new, the rest stands.</summary>
/// <param name="From">Index of the first block that changed.</param>
/// <param name="Count">Blocks in all.</param>
/// <param name="Blocks">Markup of the blocks from <paramref name="From"/> on.</param>
internal sealed record AnswerChange(int From, int Count, IReadOnlyList<string> Blocks);

/// <summary>An answer while it grows: renders the whole, sends only the blocks that changed. For one reader.</summary>
internal sealed class StreamedAnswer(AnswerRenderer renderer)
{
    private readonly List<(string Raw, string Shown)> _blocks = [];

    /// <summary>The change since the last call, or null if nothing would look different.</summary>
    /// <param name="text">The whole answer so far.</param>
    public AnswerChange? Update(string text)
    {
        var raw = renderer.ToRawBlocks(MarkdownTail.Settle(text));
        var from = 0;
        while (from < raw.Count && from < _blocks.Count && _blocks[from].Raw == raw[from])
        {
            from++;
        }

        if (from == raw.Count && from == _blocks.Count)
        {
            return null;
        }

        _blocks.RemoveRange(from, _blocks.Count - from);
        for (var index = from; index < raw.Count; index++)
        {
            _blocks.Add((raw[index], renderer.Sanitise(raw[index]).ToString()));
        }

        return new AnswerChange(from, _blocks.Count, [.. _blocks.Skip(from).Select(block => block.Shown)]);
    }
}
