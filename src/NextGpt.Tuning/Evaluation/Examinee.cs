using System.Collections.Concurrent;
using System.Text;
using NextGpt.Media;
using NextGpt.Model;

namespace NextGpt.Tuning.Evaluation;

/// <summary>The model under examination, asked the way people ask it.</summary>
/// <param name="generator">What answers.</param>
/// <param name="scorer">Tells how likely a text is; null where it cannot.</param>
internal sealed class Examinee(IGenerator generator, ITextScorer? scorer)
{
    // A few requests wait at any time, so that a model that answers several at once can.
    private const int Waiting = 4;

    internal IGenerator Generator { get; } = generator;

    internal ITextScorer? Scorer { get; } = scorer;

    internal ModelAbilities Abilities => Generator.Abilities;

    /// <summary>A request as an exam asks it: greedy, with a seed.</summary>
    /// <param name="messages">Oldest first.</param>
    /// <param name="maxTokens">Of the reply.</param>
    /// <param name="seed">Of the media.</param>
    /// <param name="media">How media are made; null leaves all to the model.</param>
    internal static GenerationRequest Greedy(IReadOnlyList<PromptMessage> messages, int maxTokens, long seed, MediaOptions? media = null) => new()
    {
        Messages = messages,
        Sampling = new SamplingOptions { Temperature = 0 },
        MaxTokens = maxTokens,
        Seed = seed,
        Media = media,
    };

    /// <summary>Asks many things.</summary>
    /// <param name="count">How many.</param>
    /// <param name="request">Makes the request of a place when its turn comes.</param>
    /// <param name="done">Hears how many are answered.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <returns>Replies in the order of their places.</returns>
    internal async Task<IReadOnlyList<Reply>> AskAsync(
        int count, Func<int, GenerationRequest> request, Action<int>? done, CancellationToken cancellationToken)
    {
        var replies = new ConcurrentDictionary<int, Reply>();
        var answered = 0;
        await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = Waiting, CancellationToken = cancellationToken }, async (place, stop) =>
        {
            replies[place] = await AskAsync(request(place), stop);
            done?.Invoke(Interlocked.Increment(ref answered));
        });
        return [.. Enumerable.Range(0, count).Select(place => replies[place])];
    }

    /// <summary>Asks one thing.</summary>
    internal async Task<Reply> AskAsync(GenerationRequest request, CancellationToken cancellationToken)
    {
        var text = new StringBuilder();
        var media = new List<Medium>();
        var failures = new List<string>();
        await foreach (var happened in Generator.GenerateAsync(request, cancellationToken))
        {
            switch (happened)
            {
                case TextGenerated piece:
                    text.Append(piece.Text);
                    break;
                case MediaGenerated made:
                    media.Add(made.Medium);
                    break;
                case MediaFailed failed:
                    failures.Add(failed.Reason);
                    break;
            }
        }

        return new Reply(text.ToString().Trim(), media, failures);
    }
}
