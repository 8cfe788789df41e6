using System.Collections.Concurrent;
using NextGpt.Bots.Discord.Wire;

namespace NextGpt.Bots.Discord.Answers;

/// <summary>
/// Messages that followed an interaction, as the gateway tells of them. A follow-up has no nonce that Discord enforces:
/// when the answer to sending one is lost, only its event says whether it is there. Thread-safe.
/// </summary>
internal sealed class FollowUps(TimeProvider time)
{
    private const int Most = 10_000;
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);
    private readonly ConcurrentDictionary<string, ConcurrentQueue<string>> _byInteraction = new();
    private readonly ConcurrentQueue<string> _order = new();

    /// <summary>Notes a message of ours if it followed an interaction.</summary>
    public void Note(WireObject message)
    {
        var origin = message.Object("interaction_metadata");
        if (origin.Text("id") is not { } interaction || !origin.Has("original_response_message_id"))
        {
            return;   // the first answer; a change of it can be repeated without harm
        }

        _byInteraction.GetOrAdd(interaction, static _ => new()).Enqueue(message.Id("id"));
        _order.Enqueue(interaction);
        if (_order.Count > Most && _order.TryDequeue(out var oldest))
        {
            _byInteraction.TryRemove(oldest, out _);
        }
    }

    /// <summary>A follow-up of this interaction that is not known yet; null if none comes in time.</summary>
    public async Task<string?> FindAsync(
        string interaction, IReadOnlySet<string> known, TimeSpan patience, CancellationToken cancellationToken)
    {
        var since = time.GetTimestamp();
        while (true)
        {
            if (_byInteraction.GetValueOrDefault(interaction)?.FirstOrDefault(id => !known.Contains(id)) is { } arrived)
            {
                return arrived;
            }

            if (time.GetElapsedTime(since) >= patience)
            {
                return null;
            }

            await Task.Delay(Look, time, cancellationToken);
        }
    }
}
