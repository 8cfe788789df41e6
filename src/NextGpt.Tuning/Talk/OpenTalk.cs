using System.Text.Json;
using System.Text.RegularExpressions;
using NextGpt.Model;

namespace NextGpt.Tuning.Talk;

/// <summary>An open request and the untouched model's own answer to it.</summary>
/// <param name="Request">For example a wish for a story.</param>
/// <param name="Answer">What the model said before it was trained.</param>
public sealed record OpenAnswer(string Request, string Answer);

/// <summary>
/// Requests that have no one answer: stories, poems, explanations, advice, descriptions. Trained on narrow talk alone a small model
/// forgets them; its own earlier answers, mixed in, hold it.
/// </summary>
public static partial class OpenTalk
{
    private static readonly string[] Subjects =
    [
        "a fox", "the sea", "a lost key", "an old bridge", "snow", "a friendly dragon", "a small village", "the moon", "a lazy cat", "a train journey", "autumn leaves", "a market",
        "a lighthouse", "a rainy day", "a brave mouse", "the desert", "a garden", "a clock maker", "a river", "two friends", "a birthday", "the stars", "a baker", "a storm",
        "an owl", "a picnic", "a secret door", "the mountains", "a robot", "a birthday cake", "a tree house", "a long night",
    ];

    private static readonly string[] Topics =
    [
        "how rain forms", "why the sky is blue", "how plants grow", "what a computer does", "why we sleep", "how a bicycle stays upright", "what gravity is", "how bread rises",
        "why leaves change colour", "how a bridge carries weight", "what a library is good for", "why ice floats", "how birds fly", "what makes music pleasant", "how the heart works", "why the sea is salty",
        "how a lock works", "what money is for", "how glass is made", "why we have seasons",
    ];

    private static readonly string[] Troubles =
    [
        "I cannot sleep well", "I argue with my brother", "I want to learn to cook", "I am nervous before an exam", "my room is always untidy", "I want to make new friends", "I forget appointments",
        "I would like to read more", "I am bored at the weekend", "I spend too much money", "I want to start running", "my plants keep dying", "I am new in town", "I have to give a talk",
        "I want to learn a language", "I work too much",
    ];

    private static readonly (Wordings Wordings, string[] Fillings)[] Kinds =
    [
        (new("Tell me a short story about {0}.", "Write a little story about {0}.", "Please make up a story about {0}.", "Can you tell a story in which {0} plays a part?",
            "I would like to hear a tale about {0}.", "Invent a short tale about {0}.", "Start a story with {0}.", "A bedtime story about {0}, please."), Subjects),
        (new("Write a short poem about {0}.", "Can you write a few verses about {0}?", "Please write me a poem on {0}.", "I would like some lines of poetry about {0}.",
            "Compose a little poem about {0}.", "Make a poem for me about {0}.", "Put {0} into a poem.", "A poem about {0}, please."), Subjects),
        (new("Describe {0}.", "What does {0} look like? Describe it in a few sentences.", "Paint {0} with words.", "Give me a description of {0}.",
            "Write three sentences about {0}.", "Tell me something about {0}.", "How would you describe {0}?", "Say a few things about {0}."), Subjects),
        (new("Explain {0}.", "Can you explain {0} in simple words?", "I do not understand {0}. Please explain.", "Tell a child {0}.",
            "Please explain to me {0}.", "Write a short paragraph on {0}.", "What can you tell me about {0}?", "Help me understand {0}."), Topics),
        (new("{0}. What can I do?", "{0}. Have you some advice?", "Give me advice: {0}.", "What would you recommend? {0}.",
            "I need help: {0}.", "{0}. Any ideas?", "Please advise me. {0}.", "{0}. How should I begin?"), Troubles),
    ];

    /// <summary>Requests, each once.</summary>
    /// <param name="count">At most.</param>
    /// <param name="seed">The same seed makes the same.</param>
    /// <param name="testing">Whether they are for a test; such wordings are never trained.</param>
    public static IReadOnlyList<string> Requests(int count, int seed, bool testing) => [.. Subjected(count, seed, testing).Select(request => request.Request)];

    /// <summary>The same requests with what each is about.</summary>
    /// <param name="count">At most.</param>
    /// <param name="seed">The same seed makes the same.</param>
    /// <param name="testing">Whether they are for a test.</param>
    internal static IReadOnlyList<(string Request, string Subject)> Subjected(int count, int seed, bool testing)
    {
        var draw = new TalkDraw(seed, testing);
        var all = Kinds.SelectMany(kind => (testing ? kind.Wordings.ForTesting : kind.Wordings.ForTraining)
            .SelectMany(wording => kind.Fillings.Select(filling => (Request: Upper(wording.Replace("{0}", filling, StringComparison.Ordinal)), Subject: filling))))
            .DistinctBy(request => request.Request).ToList();
        return draw.Some(all, Math.Min(count, all.Count));
    }

    /// <summary>Asks the model as it is.</summary>
    /// <param name="model">Loaded.</param>
    /// <param name="requests">What to ask.</param>
    /// <param name="seed">Of the draws; a warm temperature makes the answers various.</param>
    /// <param name="kept">Hears every answer that is good enough to learn from.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <returns>How many were left out.</returns>
    public static async Task<int> AskAsync(
        IGenerator model, IReadOnlyList<string> requests, int seed, Action<OpenAnswer> kept, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(requests);
        ArgumentNullException.ThrowIfNull(kept);
        var bad = 0;
        for (var index = 0; index < requests.Count; index++)
        {
            var text = new System.Text.StringBuilder();
            var ended = false;
            await foreach (var happened in model.GenerateAsync(
                new GenerationRequest
                {
                    Messages = [PromptMessage.Of(PromptRole.User, requests[index])],
                    Sampling = new SamplingOptions { Temperature = 0.6, TopP = 0.9, RepetitionPenalty = 1.05 },
                    MaxTokens = 180,
                    Seed = seed + index,
                },
                cancellationToken))
            {
                switch (happened)
                {
                    case TextGenerated piece:
                        text.Append(piece.Text);
                        break;
                    case GenerationFinished finished:
                        ended = finished.Reason == GenerationFinishReason.Stop;
                        break;
                }
            }

            var answer = text.ToString().Trim();
            if (ended && IsGood(answer))
            {
                kept(new OpenAnswer(requests[index], answer));
            }
            else
            {
                bad++;
            }
        }

        return bad;
    }

    /// <summary>Whether an answer is worth keeping: two sentences, whole, and no sentence said twice.</summary>
    /// <param name="answer">What the model said.</param>
    public static bool IsGood(string answer)
    {
        ArgumentNullException.ThrowIfNull(answer);
        var sentences = Sentences(answer);
        return sentences.Count >= 2 && answer[^1] is '.' or '!' or '?' or '"' && answer.Length >= 60
            && sentences.Distinct(StringComparer.OrdinalIgnoreCase).Count() == sentences.Count && !answer.Contains('\uFFFD');
    }

    /// <summary>The sentences and lines of an answer, whole ones.</summary>
    internal static IReadOnlyList<string> Sentences(string answer) =>
        [.. Sentence().Matches(answer).Select(match => match.Value.Trim()).Where(sentence => sentence.Length > 3)];

    /// <summary>Reads a file of answers, one JSON object a line.</summary>
    /// <param name="file">Its path.</param>
    /// <exception cref="InvalidDataException">A line is not an answer.</exception>
    public static IReadOnlyList<OpenAnswer> Read(string file)
    {
        try
        {
            return [.. File.ReadLines(file).Where(line => line.Length > 0)
                .Select(line => JsonSerializer.Deserialize<OpenAnswer>(line) ?? throw new JsonException("null"))];
        }
        catch (JsonException failure)
        {
            throw new InvalidDataException($"{file} is not a list of open answers ({failure.Message}); make it with `nextgpt train talk-open`.", failure);
        }
    }

    private static string Upper(string text) => char.ToUpperInvariant(text[0]) + text[1..];

    [GeneratedRegex(@"[^.!?\n]+[.!?\n]")]
    private static partial Regex Sentence();
}
