using NextGpt.Media;

namespace NextGpt.Model.Language;

/// <summary>A medium among the tokens of a prompt.</summary>
/// <param name="Position">Of its first token.</param>
/// <param name="Count">Positions that it takes.</param>
/// <param name="Medium">The picture, sound or clip.</param>
/// <param name="Id">What stands in its place among the token ids: negative, one for every content.</param>
public sealed record SplicedMedium(int Position, int Count, Medium Medium, int Id);

/// <summary>How media stand among the tokens of a model.</summary>
internal sealed record MediaSplice
{
    /// <summary>The package's tokens.</summary>
    public required SignalTokens Tokens { get; init; }

    /// <summary>Positions of one medium.</summary>
    public required int MediaTokens { get; init; }

    /// <summary>Whether spaces before a medium are left out and one stands behind it.</summary>
    public bool SwallowsSpaces { get; init; }

    /// <summary>The negative number that stands for a medium's content.</summary>
    public required Func<Medium, int> IdOf { get; init; }
}

/// <summary>Writes runs of text as tokens, with every medium at its place.</summary>
/// <remarks>
/// A person's medium becomes positions between the start and the end token. The model's own earlier medium becomes its signal
/// again, as it was spoken and as it is trained; one it could not have made becomes positions too.
/// </remarks>
internal sealed class MediaSplicer
{
    private readonly ITokenizer _tokenizer;
    private readonly MediaSplice? _splice;
    private readonly Queue<(Medium Medium, PromptRole Role)> _media;
    private readonly List<SplicedMedium> _written = [];

    /// <param name="tokenizer">The language model's.</param>
    /// <param name="splice">How media stand; null where the model reads none.</param>
    /// <param name="messages">Where the media are, in the order in which the runs come to them.</param>
    public MediaSplicer(ITokenizer tokenizer, MediaSplice? splice, IEnumerable<PromptMessage> messages)
    {
        _tokenizer = tokenizer;
        _splice = splice;
        _media = new(messages.SelectMany(message => message.Parts.OfType<MediaPart>().Select(part => (part.Medium, message.Role))));
    }

    /// <summary>What was spliced so far.</summary>
    public IReadOnlyList<SplicedMedium> Written => _written;

    /// <summary>Writes runs behind what stands there already.</summary>
    /// <param name="runs">As one text; a medium is <see cref="PromptText.Medium"/>.</param>
    /// <param name="beginsText">False where the runs continue a text.</param>
    /// <param name="tokens">Grows by the runs' tokens.</param>
    /// <exception cref="NotSupportedException">There is a medium and the model reads none.</exception>
    public void Write(IReadOnlyList<TextRun> runs, bool beginsText, List<int> tokens)
    {
        var before = new List<TextRun>();
        foreach (var run in runs)
        {
            var rest = run.Text;
            for (var at = rest.IndexOf(PromptText.Medium, StringComparison.Ordinal); at >= 0; at = rest.IndexOf(PromptText.Medium, StringComparison.Ordinal))
            {
                before.Add(run with { Text = rest[..at] });
                rest = rest[(at + 1)..];
                var spliced = Next();
                if (spliced is not null && Splice.SwallowsSpaces)
                {
                    TrimEnd(before);
                    rest = rest.Length > 0 && !char.IsControl(rest[0]) ? " " + rest.TrimStart(' ') : rest;
                }

                Flush(before, beginsText, tokens);
                beginsText = false;
                Place(spliced, tokens);
            }

            before.Add(run with { Text = rest });
        }

        Flush(before, beginsText, tokens);
    }

    private MediaSplice Splice => _splice
        ?? throw new NotSupportedException("The language model reads text; it has no place for a picture, sound or clip.");

    private (Medium Medium, PromptRole Role) _next;

    /// <returns>The medium that comes as positions, or null where its signal comes.</returns>
    private Medium? Next()
    {
        _next = _media.Dequeue();
        return _next.Role == PromptRole.Assistant && Splice.Tokens.Patterns.ContainsKey(_next.Medium.Kind) ? null : _next.Medium;
    }

    private void Place(Medium? spliced, List<int> tokens)
    {
        if (spliced is null)
        {
            tokens.AddRange(Splice.Tokens.Patterns[_next.Medium.Kind]);
            return;
        }

        if (Splice.Tokens.MediaStart is { } start)
        {
            tokens.Add(start);
        }

        var id = Splice.IdOf(spliced);
        _written.Add(new SplicedMedium(tokens.Count, Splice.MediaTokens, spliced, id));
        tokens.AddRange(Enumerable.Repeat(id, Splice.MediaTokens));
        if (Splice.Tokens.MediaEnd is { } end)
        {
            tokens.Add(end);
        }
    }

    private void Flush(List<TextRun> runs, bool beginsText, List<int> tokens)
    {
        if (runs.Any(run => run.Text.Length > 0))
        {
            tokens.AddRange(_tokenizer.Encode([.. runs], beginsText));
        }

        runs.Clear();
    }

    private static void TrimEnd(List<TextRun> runs)
    {
        for (var last = runs.Count - 1; last >= 0; last--)
        {
            runs[last] = runs[last] with { Text = runs[last].Text.TrimEnd(' ') };
            if (runs[last].Text.Length > 0)
            {
                return;
            }
        }
    }
}
