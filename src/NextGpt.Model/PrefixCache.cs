using NextGpt.Model.Language;

namespace NextGpt.Model;

/// <summary>Keys and values of the last conversations, the longest unused given up first.</summary>
/// <remarks>
/// Where the engine's numbers depend on the chunks a prompt is read in, only whole chunks of prompts are used again: what
/// is computed, and so the reply, is bit by bit the same whether a prefix was still there or not (TRN-8). Belongs to the
/// model thread. A medium among the tokens is a number of its own for every content (<see cref="MediaIndex"/>), so that another
/// picture at the same place is never taken for the one before.
/// </remarks>
/// <param name="budgetBytes">Memory of all sequences that are kept.</param>
internal sealed class PrefixCache(long budgetBytes) : IDisposable
{
    private readonly LinkedList<Entry> _entries = [];   // most recently used last

    /// <summary>Conversations that are kept.</summary>
    public int Count => _entries.Count;

    /// <summary>Takes the sequence of a conversation out, cut to what it shares with a prompt.</summary>
    /// <param name="key">The conversation, or null.</param>
    /// <param name="prompt">The prompt.</param>
    /// <param name="engine">Makes a sequence where there is none.</param>
    public ILanguageSequence Take(string? key, IReadOnlyList<int> prompt, ILanguageEngine engine)
    {
        if (key is null || Find(key) is not { } found)
        {
            return engine.NewSequence();
        }

        _entries.Remove(found);
        var shared = 0;
        var most = Math.Min(found.Value.Tokens.Count, prompt.Count - 1);   // the last token gives the logits
        while (shared < most && found.Value.Tokens[shared] == prompt[shared])
        {
            shared++;
        }

        found.Value.Sequence.Truncate(Usable(shared, engine));
        return found.Value.Sequence;
    }

    /// <summary>Keeps a sequence for the conversation's next turn; takes over its ownership.</summary>
    /// <param name="key">The conversation, or null: the sequence is given up.</param>
    /// <param name="prompt">The prompt that was read, or the begin of it.</param>
    /// <param name="reply">The reply, of which all but the last token may have been read.</param>
    /// <param name="sequence">The sequence.</param>
    /// <param name="engine">Its engine.</param>
    public void Keep(
        string? key, IReadOnlyList<int> prompt, IReadOnlyList<int> reply, ILanguageSequence sequence, ILanguageEngine engine)
    {
        IEnumerable<int> read = engine.DependsOnChunks ? prompt : prompt.Concat(reply);
        var tokens = read.Take(sequence.Length).ToList();
        var length = Usable(tokens.Count, engine);
        if (key is null || length == 0)
        {
            sequence.Dispose();
            return;
        }

        sequence.Truncate(length);
        _entries.AddLast(new Entry(key, tokens[..length], sequence));
        while (_entries.First is { } oldest && _entries.Sum(entry => entry.Sequence.SizeBytes) > budgetBytes)
        {
            oldest.Value.Sequence.Dispose();
            _entries.RemoveFirst();
        }
    }

    /// <summary>Gives everything up, for example because the weights changed.</summary>
    public void Clear()
    {
        foreach (var entry in _entries)
        {
            entry.Sequence.Dispose();
        }

        _entries.Clear();
    }

    /// <inheritdoc/>
    public void Dispose() => Clear();

    private static int Usable(int tokens, ILanguageEngine engine) =>
        engine.DependsOnChunks ? tokens / engine.ChunkTokens * engine.ChunkTokens : tokens;

    private LinkedListNode<Entry>? Find(string key)
    {
        for (var node = _entries.First; node is not null; node = node.Next)
        {
            if (node.Value.Key == key)
            {
                return node;
            }
        }

        return null;
    }

    private sealed record Entry(string Key, IReadOnlyList<int> Tokens, ILanguageSequence Sequence);
}
