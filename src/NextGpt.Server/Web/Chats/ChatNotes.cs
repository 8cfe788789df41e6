using System.Collections.Concurrent;
using NextGpt.Host;

namespace NextGpt.Server.Web.Chats;

/// <summary>
/// What only the page shows of turns: those that run or failed, seed, notices, corrections. Kept for no longer than the
/// host has the turn. Thread-safe.
/// </summary>
internal sealed partial class ChatNotes : IDisposable
{
    /// <summary>What is not kept is not remembered longer than this (PRI-1).</summary>
    private static readonly TimeSpan Memory = TimeSpan.FromHours(1);

    private static readonly TimeSpan SweepEvery = TimeSpan.FromMinutes(5);

    private readonly ConcurrentDictionary<string, ChatNote> _notes = new(StringComparer.Ordinal);   // by turn id
    private readonly ConversationRouter _router;
    private readonly KeptTurns _kept;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ITimer _sweep;

    public ChatNotes(ConversationRouter router, KeptTurns kept, TimeProvider time, ILogger logger)
    {
        (_router, _kept, _time, _logger) = (router, kept, time, logger);
        _sweep = time.CreateTimer(_ => Sweep(), null, SweepEvery, SweepEvery);
    }

    /// <summary>Notes of a person, the host having the turn or not.</summary>
    public IEnumerable<ChatNote> Of(string person) => _notes.Values.Where(note => note.Person == person);

    /// <summary>The note of a turn, or null.</summary>
    public ChatNote? Find(string turnId) => _notes.GetValueOrDefault(turnId);

    /// <summary>Whether the host still has the turn.</summary>
    public bool IsKnown(ChatNote note) => _router.Knows(note.Turn.Id, ChatDesk.Surface, note.Person);

    /// <summary>Follows a turn to its end; the one that was noted before if it is noted already.</summary>
    /// <param name="person">Who asked.</param>
    /// <param name="turn">The turn as it was asked.</param>
    /// <param name="parts">What the host says of it from now on; put away here.</param>
    public async Task<ChatTurn> FollowAsync(string person, ChatTurn turn, IAsyncEnumerator<ReplyPart> parts)
    {
        var note = new ChatNote(person, turn);
        if (!_notes.TryAdd(turn.Id, note))
        {
            await parts.DisposeAsync();
            return _notes.GetValueOrDefault(turn.Id)?.Turn ?? turn;
        }

        _ = Task.Run(() => WatchAsync(note, parts), CancellationToken.None);
        return note.Turn;
    }

    /// <summary>Forgets a turn; returns its note, or null.</summary>
    public ChatNote? Remove(string turnId) => _notes.TryRemove(turnId, out var removed) ? removed : null;

    public void Dispose() => _sweep.Dispose();

    private async Task WatchAsync(ChatNote note, IAsyncEnumerator<ReplyPart> parts)
    {
        try
        {
            await using (parts)
            {
                while (await parts.MoveNextAsync())
                {
                    var part = parts.Current;
                    note.Change(turn => turn.After(part));
                    if (part is TurnStarted or TurnFailed)
                    {
                        TakeFiles(note);
                    }
                }
            }

            var consent = _kept.GetConsent(ChatDesk.Surface, note.Person);
            note.Change(turn => turn with { IsTrainable = turn.IsKept && consent.Train });
        }
        catch (Exception failure)   // the edge of a turn (rule 21): the page must not wait for ever
        {
            var error = ErrorCatalogue.Internal.With();
            LogWatchFailed(note.Turn.Id, error.Reference, failure.GetType().FullName);
            note.Change(turn => turn with { State = ChatTurnState.Failed, Error = error });
        }
        finally
        {
            note.Ended.TrySetResult();
        }
    }

    /// <summary>Once work has begun the files of the question have been read: shown instead of their names.</summary>
    private void TakeFiles(ChatNote note)
    {
        var files = _router.FilesOf(note.Turn.Id, ChatDesk.Surface, note.Person);
        note.Change(turn => turn with
        {
            FileNames = turn.State == ChatTurnState.Failed && files.Count == 0 ? turn.FileNames : [],
            Media = [.. files, .. turn.Media.Where(medium => !medium.FromPerson)],
        });
    }

    private void Sweep()
    {
        var oldest = _time.GetUtcNow() - Memory;
        foreach (var (id, note) in _notes)
        {
            if (note.Turn.State != ChatTurnState.Running && note.Turn.AskedAt < oldest)
            {
                _notes.TryRemove(id, out _);
            }
        }
    }

    [LoggerMessage(4010, LogLevel.Error, "Turn {TurnId} could not be followed: {Failure} (ref {Reference})")]
    private partial void LogWatchFailed(string turnId, string reference, string? failure);
}
