using System.Text.Json.Nodes;

namespace NextGpt.Bots.Teams.Inbound;

/// <summary>What a request is answered with.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Body">JSON, or null for an empty body.</param>
internal sealed record InboundAnswer(int Status, JsonNode? Body = null)
{
    /// <summary>Taken; the work goes on.</summary>
    public static InboundAnswer Accepted { get; } = new(202);

    /// <summary>Too much waits; the service sends it again.</summary>
    public static InboundAnswer Full { get; } = new(503);
}

/// <summary>Remembers for ten minutes what arrived, so that a repeat does nothing and gets the same answer (A2033). Thread-safe.</summary>
internal sealed class Repeats(TimeProvider time)
{
    private const int MostKept = 100_000;
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(10);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Task<InboundAnswer>> _answers = new(StringComparer.Ordinal);
    private readonly Queue<(string Key, DateTimeOffset At)> _order = new();

    /// <summary>The answer of the first arrival, or of this one if it is the first.</summary>
    /// <param name="key">Names the activity; null is never a repeat.</param>
    /// <param name="answer">Does the work.</param>
    public Task<InboundAnswer> OnceAsync(string? key, Func<Task<InboundAnswer>> answer)
    {
        if (key is null)
        {
            return answer();
        }

        TaskCompletionSource<InboundAnswer> first;
        lock (_gate)
        {
            var now = time.GetUtcNow();
            while (_order.TryPeek(out var oldest) && (now - oldest.At >= Life || _order.Count > MostKept))
            {
                _order.Dequeue();
                _answers.Remove(oldest.Key);
            }

            if (_answers.TryGetValue(key, out var known))
            {
                return known;
            }

            first = new TaskCompletionSource<InboundAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
            _answers.Add(key, first.Task);
            _order.Enqueue((key, now));
        }

        return RunAsync(key, answer, first);
    }

    private async Task<InboundAnswer> RunAsync(
        string key, Func<Task<InboundAnswer>> answer, TaskCompletionSource<InboundAnswer> first)
    {
        try
        {
            var given = await answer();
            if (given.Status >= 500)
            {
                Forget(key);   // the service sends it again, and then it counts
            }

            first.SetResult(given);
            return given;
        }
        catch
        {
            Forget(key);
            first.SetResult(new InboundAnswer(500));
            throw;
        }
    }

    private void Forget(string key)
    {
        lock (_gate)
        {
            _answers.Remove(key);
        }
    }
}
