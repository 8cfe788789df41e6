using NextGpt.Model;
using NextGpt.Tuning.Talk;

namespace NextGpt.Tuning.Evaluation.Rows;

/// <summary>Stories, poems, explanations, advice: whether narrow training has eaten them.</summary>
/// <remarks>
/// An answer is kept when a content word of the request's subject stands in it, it has two sentences or more, and it is not a
/// template's wording: no five words in a row that the templates of everyday talk say in many different answers.
/// </remarks>
internal static class OpenRequests
{
    private const int LongestAnswer = 180;
    private const int TemplateRun = 5;

    private static readonly HashSet<string> Small = new(StringComparer.Ordinal)
    {
        "a", "an", "the", "of", "in", "on", "at", "to", "for", "with", "my", "i", "is", "are", "am", "we", "have", "has", "what", "why", "how", "does", "do", "would", "like", "want",
        "cannot", "always", "too", "much", "well", "more", "new", "good", "keep", "before", "and", "long", "some", "stays", "makes", "give", "carries",
    };

    internal static async Task<RowFindings> RunAsync(EvaluationBench bench, CancellationToken cancellationToken)
    {
        var requests = OpenTalk.Subjected(bench.Count(60, 6), bench.Options.Seed, testing: true);
        var marks = await AskAsync(bench, bench.Examinee, requests, cancellationToken);
        var floor = bench.Untouched is { } untouched && !bench.Options.Quick ? await AskAsync(bench, untouched, requests, cancellationToken) : null;
        var figures = new List<Figure>
        {
            Figure.Share("open.kept", "open requests answered on the subject, in two sentences or more, in its own words", [.. marks.Select(mark => mark.Kept)]) with
            {
                Floor = Share(floor, mark => mark.Kept), Aim = Share(floor, mark => mark.Kept), UpperBound = 1,
                Note = floor is null ? null : "Floor and aim are the untouched language model's own share, asked without a system text.",
            },
            Figure.Share("open.subject", "on the subject", [.. marks.Select(mark => mark.OnSubject)]) with { Floor = Share(floor, mark => mark.OnSubject), UpperBound = 1 },
            Figure.Share("open.long", "two sentences or more", [.. marks.Select(mark => mark.Long)]) with { Floor = Share(floor, mark => mark.Long), UpperBound = 1 },
            Figure.Share("open.own", "not a template's wording", [.. marks.Select(mark => mark.Own)]) with { Floor = Share(floor, mark => mark.Own), UpperBound = 1 },
        };
        return new RowFindings(figures, [.. marks.Select((mark, place) => new EvaluationItem(
            mark.Request, mark.Said, Right: mark.Kept, Note: floor is null ? mark.Why : $"{mark.Why} Untouched: {floor[place].Said}"))]);
    }

    /// <summary>Whether an answer holds a content word of a subject, inflected or not.</summary>
    internal static bool IsOnSubject(string subject, string said)
    {
        var words = Words(said);
        return Words(subject).Where(word => !Small.Contains(word)).Select(Stem).Any(stem => words.Exists(word => Stem(word) == stem));
    }

    /// <summary>Whether an answer says five words in a row that templates say again and again.</summary>
    internal static bool IsTemplate(string said) => Runs(said).Any(Templates.Value.Contains);

    private static readonly Lazy<HashSet<string>> Templates = new(() =>
        [.. TalkComposer.ForTraining(6_000, 1).SelectMany(dialogue => dialogue.Turns).Select(turn => turn.Answer).Distinct(StringComparer.Ordinal)
            .SelectMany(answer => Runs(answer).Distinct(StringComparer.Ordinal))
            .CountBy(run => run, StringComparer.Ordinal).Where(run => run.Value >= 8).Select(run => run.Key)]);

    private static async Task<IReadOnlyList<Mark>> AskAsync(
        EvaluationBench bench, Examinee model, IReadOnlyList<(string Request, string Subject)> requests, CancellationToken cancellationToken)
    {
        // The package's own way of choosing tokens, as a person would get it.
        var replies = await model.AskAsync(
            requests.Count,
            place => new GenerationRequest
            {
                Messages = [PromptMessage.Of(PromptRole.User, requests[place].Request)],
                MaxTokens = LongestAnswer,
                Seed = bench.Options.Seed + place,
            },
            done => bench.Progress(done, requests.Count),
            cancellationToken);
        return [.. requests.Zip(replies, (request, reply) => new Mark(
            request.Request, reply.Text, IsOnSubject(request.Subject, reply.Text), OpenTalk.Sentences(reply.Text + "\n").Count >= 2, reply.Text.Length > 0 && !IsTemplate(reply.Text)))];
    }

    private static double? Share(IReadOnlyList<Mark>? marks, Func<Mark, bool> counts) => marks is null ? null : (double)marks.Count(counts) / marks.Count;

    private static List<string> Words(string text) =>
        [.. new string([.. text.ToLowerInvariant().Select(letter => char.IsLetterOrDigit(letter) || letter == '\'' ? letter : ' ')]).Split(' ', StringSplitOptions.RemoveEmptyEntries)];

    private static string Stem(string word) => word switch
    {
        _ when word.Length > 5 && word.EndsWith("ing", StringComparison.Ordinal) => word[..^3],
        _ when word.Length > 4 && word.EndsWith("es", StringComparison.Ordinal) => word[..^2],
        _ when word.Length > 3 && (word.EndsWith('s') || word.EndsWith('e')) => word[..^1],
        _ => word,
    };

    private static IEnumerable<string> Runs(string text)
    {
        var words = Words(text);
        return Enumerable.Range(0, Math.Max(0, words.Count - TemplateRun + 1)).Select(from => string.Join(' ', words.Skip(from).Take(TemplateRun)));
    }

    private sealed record Mark(string Request, string Said, bool OnSubject, bool Long, bool Own)
    {
        public bool Kept => OnSubject && Long && Own;

        public string Why => Kept ? "Kept." : $"{(OnSubject ? string.Empty : "Off the subject. ")}{(Long ? string.Empty : "One sentence. ")}{(Own ? string.Empty : "A template's wording. ")}".Trim();
    }
}
