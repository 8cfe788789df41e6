namespace NextGpt.Model.Language;

/// <summary>A conversation as token ids.</summary>
/// <param name="Tokens">The ids, the begin token first where the model has one; negative where a medium stands.</param>
/// <param name="Trained">For each id, whether the tuning loss covers it.</param>
/// <param name="DroppedMessages">Oldest messages that were left out.</param>
public sealed record BuiltPrompt(IReadOnlyList<int> Tokens, IReadOnlyList<bool> Trained, int DroppedMessages)
{
    /// <summary>The media among the tokens, in order.</summary>
    public IReadOnlyList<SplicedMedium> Media { get; init; } = [];
}

/// <summary>Turns a conversation into token ids; the same for training and inference.</summary>
/// <param name="tokenizer">The language model's.</param>
/// <param name="template">How conversations are written.</param>
/// <param name="splice">How media stand in them; null where the model reads none.</param>
internal sealed class PromptBuilder(ITokenizer tokenizer, IPromptTemplate template, MediaSplice? splice = null)
{
    /// <summary>Less room than this beside the system text is not worth an answer.</summary>
    private const int LeastMessageTokens = 8;

    /// <summary>The whole conversation.</summary>
    /// <param name="messages">The conversation, oldest first.</param>
    /// <param name="openReply">True for inference: ends where the reply begins.</param>
    public BuiltPrompt Build(IReadOnlyList<PromptMessage> messages, bool openReply)
    {
        var tokens = new List<int>();
        var trained = new List<bool>();
        if (tokenizer.BeginToken is { } begin)
        {
            tokens.Add(begin);
            trained.Add(false);
        }

        var pieces = template.Write(messages, openReply);
        var media = new MediaSplicer(tokenizer, splice, messages);
        var beginsText = true;
        for (var from = 0; from < pieces.Count;)
        {
            // Pieces of one kind are tokenised as one text; where training begins or ends, tokens never straddle.
            var to = from;
            while (to < pieces.Count && pieces[to].Trained == pieces[from].Trained)
            {
                to++;
            }

            var runs = pieces.Skip(from).Take(to - from).Select(piece => new TextRun(piece.Text, piece.Specials)).ToList();
            media.Write(runs, beginsText, tokens);
            trained.AddRange(Enumerable.Repeat(pieces[from].Trained, tokens.Count - trained.Count));
            beginsText = false;
            from = to;
        }

        return new BuiltPrompt(tokens, trained, DroppedMessages: 0) { Media = media.Written };
    }

    /// <summary>The newest part of a conversation that fits, opened for a reply; system texts always stay (TRN-6).</summary>
    /// <param name="messages">The conversation, oldest first; the last one is what is answered.</param>
    /// <param name="maxTokens">Most tokens of the prompt.</param>
    /// <exception cref="GenerationRefusedException">The newest message does not fit even alone.</exception>
    public BuiltPrompt Fit(IReadOnlyList<PromptMessage> messages, int maxTokens)
    {
        var said = Enumerable.Range(0, messages.Count).Where(i => messages[i].Role != PromptRole.System).ToList();
        var dropped = SureToDrop(messages, said, maxTokens);
        while (true)
        {
            dropped = DropOrphans(messages, said, dropped);
            var cut = said.Take(dropped).ToHashSet();
            var prompt = Build([.. messages.Where((_, i) => !cut.Contains(i))], openReply: true);
            if (prompt.Tokens.Count <= maxTokens)
            {
                return prompt with { DroppedMessages = dropped };
            }

            if (dropped >= said.Count - 1)
            {
                throw TooLong(messages[said[^1]], prompt.Tokens.Count, maxTokens);
            }

            dropped++;
        }
    }

    /// <summary>How many of the oldest cannot fit by their bare text alone: saves writing a long history again and again.</summary>
    private int SureToDrop(IReadOnlyList<PromptMessage> messages, List<int> said, int maxTokens)
    {
        var room = (long)maxTokens + 16;   // joined texts may need a few tokens less than single ones
        for (var i = said.Count - 1; i > 0; i--)
        {
            room -= CountOf(messages[said[i]]);
            if (room < 0)
            {
                return i == said.Count - 1 ? i : i + 1;
            }
        }

        return 0;
    }

    /// <summary>An answer whose question is gone, or a tool's result whose call is gone, goes with it.</summary>
    private static int DropOrphans(IReadOnlyList<PromptMessage> messages, List<int> said, int dropped)
    {
        while (dropped > 0 && dropped < said.Count - 1 && messages[said[dropped]].Role != PromptRole.User)
        {
            dropped++;
        }

        return dropped;
    }

    private GenerationRefusedException TooLong(PromptMessage newest, int promptTokens, int maxTokens)
    {
        var count = CountOf(newest);
        var room = maxTokens - (promptTokens - count);
        var sentence = room >= LeastMessageTokens
            ? FormattableString.Invariant($"The message has {count:N0} tokens, at most {room:N0} fit; shorten it.")
            : FormattableString.Invariant(
                $"The system text needs {promptTokens - count:N0} of {maxTokens:N0} tokens and leaves no room for a message; shorten it.");
        return new GenerationRefusedException(GenerationRefusal.PromptTooLong, sentence);
    }

    private int CountOf(PromptMessage message)
    {
        var tokens = new List<int>();
        new MediaSplicer(tokenizer, splice, [message])
            .Write([new TextRun(PromptText.Of(message), SpecialTokens.AsText)], beginsText: false, tokens);
        return tokens.Count;
    }
}
