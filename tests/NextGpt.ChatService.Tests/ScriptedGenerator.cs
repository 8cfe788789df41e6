using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using NextGpt.Model;

namespace NextGpt.ChatService.Tests;

/// <summary>What one request is answered with.</summary>
internal delegate IAsyncEnumerable<GenerationEvent> Script(
    GenerationRequest request, CancellationToken cancellationToken);

/// <summary>Stands in for the model: answers by script, remembers what it was asked and what still runs.</summary>
internal sealed class ScriptedGenerator(Script script) : IGenerator
{
    private int _running;

    public string ModelId { get; set; } = "toy-1b";

    public ModelAbilities Abilities { get; init; } = ModelAbilities.TextOnly;

    public ConcurrentQueue<GenerationRequest> Requests { get; } = [];

    public GenerationRequest Asked => Requests.Last();

    /// <summary>Answers that were begun and neither ended nor abandoned.</summary>
    public int Running => Volatile.Read(ref _running);

    /// <summary>Says the same pieces to everyone.</summary>
    public static ScriptedGenerator Saying(params string[] pieces) =>
        new((request, _) => Speak(request, pieces));

    /// <summary>Says what the function makes of the request, one piece per word.</summary>
    public static ScriptedGenerator Answering(Func<GenerationRequest, string> answer) =>
        new((request, _) => Speak(request, Words(answer(request))));

    /// <summary>Says one answer after the other, one piece per word.</summary>
    public static ScriptedGenerator InTurn(params string[] answers)
    {
        var turn = -1;
        return Answering(_ => answers[Math.Min(Interlocked.Increment(ref turn), answers.Length - 1)]);
    }

    public static async IAsyncEnumerable<GenerationEvent> Speak(
        GenerationRequest request, IEnumerable<string> pieces,
        GenerationFinishReason reason = GenerationFinishReason.Stop, int dropped = 0, int cached = 0,
        string modelId = "toy-1b")
    {
        await Task.Yield();
        var replyTokens = 0;
        yield return Started(request, modelId, dropped, cached);
        foreach (var piece in pieces)
        {
            replyTokens++;
            yield return new TextGenerated(piece);
        }

        yield return Finished(request, reason, replyTokens);
    }

    public static GenerationStarted Started(
        GenerationRequest request, string modelId = "toy-1b", int dropped = 0, int cached = 0) => new()
        {
            ModelId = request.Adapter is null ? modelId : $"{modelId}+{request.Adapter}",
            Adapter = request.Adapter,
            Seed = request.Seed ?? 7,
            PromptTokens = PromptTokens(request),
            CachedPromptTokens = cached,
            DroppedMessages = dropped,
        };

    public static GenerationFinished Finished(
        GenerationRequest request, GenerationFinishReason reason, int replyTokens) => new()
        {
            Reason = reason,
            PromptTokens = PromptTokens(request),
            ReplyTokens = replyTokens,
        };

    /// <summary>One token per word and medium, to have a number that depends on the prompt.</summary>
    public static int PromptTokens(GenerationRequest request) => request.Messages.Sum(message =>
        Text(message).Split(' ', StringSplitOptions.RemoveEmptyEntries).Length + message.Parts.OfType<MediaPart>().Count());

    public static string Text(PromptMessage message) =>
        string.Concat(message.Parts.OfType<TextPart>().Select(part => part.Text));

    public async IAsyncEnumerable<GenerationEvent> GenerateAsync(
        GenerationRequest request, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        Requests.Enqueue(request);
        Interlocked.Increment(ref _running);
        try
        {
            await foreach (var generationEvent in script(request, cancellationToken)
                .WithCancellation(cancellationToken))
            {
                yield return generationEvent;
            }
        }
        finally
        {
            Interlocked.Decrement(ref _running);
        }
    }

    private static IEnumerable<string> Words(string text)
    {
        var start = 0;
        for (var i = 1; i < text.Length; i++)
        {
            if (text[i] == ' ')
            {
                yield return text[start..i];
                start = i;
            }
        }

        if (text.Length > 0)
        {
            yield return text[start..];
        }
    }
}
