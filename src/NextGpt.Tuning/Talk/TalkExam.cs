using System.Globalization;
using System.Text.RegularExpressions;
using NextGpt.Model.Language;
using NextGpt.Tuning.Evaluation;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Talk;

/// <summary>One question of an exam and what was said.</summary>
/// <param name="Dialogue">The conversation; its last turn was asked.</param>
/// <param name="Said">What the model said.</param>
/// <param name="Right">Whether it holds what a right answer holds; null where many answers are right.</param>
public sealed record TalkMark(Dialogue Dialogue, string Said, bool? Right);

/// <summary>Asks a model the questions that training never saw, greedily, and looks for what a right answer contains.</summary>
public static class TalkExam
{
    private const int LongestAnswer = 60;

    /// <summary>Asks.</summary>
    /// <param name="language">With or without an adapter attached.</param>
    /// <param name="questions">See <see cref="TalkComposer.ForTesting"/>.</param>
    /// <param name="cancellationToken">Looked at before every question.</param>
    public static IReadOnlyList<TalkMark> Ask(
        TrainableLanguage language, IReadOnlyList<Dialogue> questions, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(language);
        ArgumentNullException.ThrowIfNull(questions);
        return [.. questions.Select(question =>
        {
            cancellationToken.ThrowIfCancellationRequested();
            var said = Answer(language, question);
            return new TalkMark(question, said, Judge(question.Turns[^1].Expected, said));
        })];
    }

    /// <summary>Asks a model through the path that people's requests take.</summary>
    /// <param name="model">Loaded or not.</param>
    /// <param name="questions">See <see cref="TalkComposer.ForTesting"/>.</param>
    /// <param name="done">Hears how many are answered.</param>
    /// <param name="cancellationToken">Stops.</param>
    internal static async Task<IReadOnlyList<TalkMark>> AskAsync(
        Examinee model, IReadOnlyList<Dialogue> questions, Action<int>? done, CancellationToken cancellationToken)
    {
        var replies = await model.AskAsync(
            questions.Count, place => Examinee.Greedy([.. TalkTrainer.MessagesOf(questions[place]).SkipLast(1)], LongestAnswer, place), done, cancellationToken);
        return [.. questions.Zip(replies, (question, reply) => new TalkMark(question, reply.Text, Judge(question.Turns[^1].Expected, reply.Text)))];
    }

    /// <summary>Whether an answer holds what was expected, as words of their own.</summary>
    /// <param name="expected">Alternatives between bars; null where many answers are right.</param>
    /// <param name="said">The answer.</param>
    public static bool? Judge(string? expected, string said) => expected is null ? null
        : expected.Split('|').Any(word => Regex.IsMatch(said, $@"(?<!\w){Regex.Escape(word)}(?!\w)", RegexOptions.IgnoreCase));

    /// <summary>What the marks come to, for a person.</summary>
    /// <param name="marks">The marks.</param>
    public static string Sum(IReadOnlyList<TalkMark> marks)
    {
        ArgumentNullException.ThrowIfNull(marks);
        var judged = marks.Where(mark => mark.Right is not null).ToList();
        var recall = judged.Where(mark => mark.Dialogue.Family.StartsWith("recall", StringComparison.Ordinal)).ToList();
        var rest = judged.Except(recall).ToList();
        return string.Create(
            CultureInfo.InvariantCulture,
            $"everyday questions {rest.Count(mark => mark.Right == true)} of {rest.Count} right, recall over five turns {recall.Count(mark => mark.Right == true)} of {recall.Count}");
    }

    private static string Answer(TrainableLanguage language, Dialogue dialogue)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var (tokens, _, _) = language.Write([.. TalkTrainer.MessagesOf(dialogue).SkipLast(1)], openReply: true);
        using var cache = language.Network.NewCache(tokens.Count + LongestAnswer);
        var said = new List<int>();
        var next = Next(language, cache, [.. tokens]);
        while (said.Count < LongestAnswer - 1 && !language.Tokenizer.EndTokens.Contains(next))
        {
            said.Add(next);
            next = Next(language, cache, [next]);
        }

        return language.Tokenizer.Decode(said).Trim();
    }

    private static int Next(TrainableLanguage language, KeyValueCache cache, int[] tokens)
    {
        using var scope = NewDisposeScope();
        var hidden = language.Network.call(language.Network.Embed(tokens), cache, null);
        var logits = language.Network.Head(hidden.narrow(1, hidden.shape[1] - 1, 1));
        return (int)logits.flatten().argmax().item<long>();
    }
}
