using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;
using NextGpt.Host.Files;
using NextGpt.Host.Memory;
using NextGpt.Host.Plugins;
using NextGpt.Host.Turns;
using NextGpt.Media;

namespace NextGpt.Host;

/// <summary>One turn from ask to answer: admission, order per conversation, fair bounded queue, model, log. Thread-safe.</summary>
public sealed partial class ConversationRouter : IAsyncDisposable
{
    private static readonly TimeSpan SweepEvery = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, RunningTurn> _turns = [];      // by id, running and recent
    private readonly Dictionary<string, RunningTurn> _messages = [];   // by message key, running and recent
    private readonly Dictionary<string, DateTimeOffset> _answered = [];   // message keys of forgotten turns: no content
    private readonly CancellationTokenSource _interrupt = new();
    private readonly ITurnStore _store;
    private readonly ConversationMemory _memory;
    private readonly TurnQueue _queue;
    private readonly TurnWork _work;
    private readonly TurnMeter _meter;
    private readonly ModelReadiness _readiness;
    private readonly ModelSenses _senses;
    private readonly TurnOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ITimer _sweep;
    private bool _closing;

    internal ConversationRouter(
        IChatClient chat, ITurnStore store, ConversationMemory memory, TurnQueue queue, TurnMeter meter,
        ModelReadiness readiness, FileReading files, TurnOptions options, TimeProvider time, ILogger<ConversationRouter> logger,
        PluginTools? tools = null)
    {
        (_store, _memory, _queue, _meter, _readiness) = (store, memory, queue, meter, readiness);
        (_options, _time, _logger, _senses) = (options, time, logger, files.Senses);
        _work = new TurnWork(
            new ModelCall(chat, options, time, logger, tools ?? PluginTools.None), store, memory, queue, files, options, time, meter, logger);
        _sweep = time.CreateTimer(_ => Sweep(), null, SweepEvery, SweepEvery);
    }

    /// <summary>
    /// Answers a turn. It is admitted or refused before this method returns; the work goes on if the reader leaves, so
    /// that <see cref="FollowAsync"/> can pick it up; only cancelling the token, <see cref="Stop"/> or shutdown ends it.
    /// </summary>
    /// <param name="turn">The question.</param>
    /// <param name="cancellationToken">Stops the turn; the parts then end with <c>cancelled</c>, without an exception.</param>
    /// <returns>
    /// First <see cref="TurnAccepted"/>, last <see cref="TurnFinished"/> or <see cref="TurnFailed"/>; a refused turn has
    /// only the latter. A message that arrives again gives the parts of its first arrival.
    /// </returns>
    public IAsyncEnumerable<ReplyPart> AskAsync(IncomingTurn turn, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(turn);
        turn = turn with { Text = Question.Clean(turn.Text) };
        var key = $"{turn.Surface}:{_store.KeyOf(turn.Surface, turn.PersonId)}:{turn.MessageId}:{turn.Revision}";
        RunningTurn running;
        QueueTicket ticket;
        lock (_gate)
        {
            if (_messages.TryGetValue(key, out var known))
            {
                return AgainAsync(known);
            }

            if (Refusal(turn, key) is { } refusal)
            {
                return Refuse(turn, refusal);
            }

            var earlier = FilesOfEarlier(turn);
            if (earlier is { Files: [] })
            {
                turn = turn with { Files = [.. earlier.Incoming.Files, .. turn.Files] };   // it ended before they were read
            }

            running = new RunningTurn(turn, ConversationMemory.KeyOf(turn), key, _time.GetUtcNow())
            {
                Files = earlier?.Files ?? [],
            };
            ticket = new QueueTicket(
                $"{turn.Surface}\n{turn.PersonId}", turn.GroupId is { } group ? $"{turn.Surface}\n{group}" : null,
                running.ContextKey);
            if (_queue.TryEnter(ticket) is { } full)
            {
                running.Dispose();
                return Refuse(turn, full);
            }

            StopEarlierRevisions(turn);
            _turns.Add(running.Id, running);
            _messages.Add(key, running);
        }

        running.Add(new TurnAccepted(running.Id), _time.GetUtcNow());
        _ = _work.RunAsync(running, ticket, _interrupt.Token);
        StopWith(running, cancellationToken);
        return running.ReadAsync(0, CancellationToken.None);
    }

    /// <summary>The parts of a running or recent turn from the given index on (reload, lost network); owner only.</summary>
    /// <param name="turnId">The turn.</param>
    /// <param name="surface">Where it was asked.</param>
    /// <param name="personId">Who asks to follow.</param>
    /// <param name="fromPart">Index of the first part wanted; 0 is all.</param>
    /// <param name="cancellationToken">Ends the following, not the turn.</param>
    /// <returns>The parts; a single <see cref="TurnFailed"/> if there is no such turn of theirs.</returns>
    public IAsyncEnumerable<ReplyPart> FollowAsync(
        string turnId, string surface, string personId, int fromPart, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(fromPart);
        return Find(turnId, surface, personId) is { } turn
            ? turn.ReadAsync(fromPart, cancellationToken)
            : OnlyAsync(new TurnFailed(ErrorCatalogue.NoSuchThing.With("turn")));
    }

    /// <summary>Whether this person has such a running or recent turn.</summary>
    public bool Knows(string turnId, string surface, string personId) => Find(turnId, surface, personId) is not null;

    /// <summary>The turn of a conversation that is waiting or being answered, newest first; null if there is none.</summary>
    public string? RunningTurnOf(string surface, string personId, ConversationId conversation)
    {
        lock (_gate)
        {
            return _turns.Values
                .Where(turn => turn.EndedAt is null && turn.IsOf(surface, personId)
                    && turn.Incoming.Conversation == conversation)
                .MaxBy(turn => turn.AskedAt)?.Id;
        }
    }

    /// <summary>What the model behind this router reads and makes.</summary>
    public ModelSenses Senses => _senses;

    /// <summary>The person's files of a running or recent turn of theirs, once they are read; else empty.</summary>
    public IReadOnlyList<PastMedium> FilesOf(string turnId, string surface, string personId) =>
        [.. (Find(turnId, surface, personId)?.Files ?? []).Select(file => file.ToPast())];

    /// <summary>Stops a turn of this person: what exists is kept, the model is free within one step (TRN-3).</summary>
    /// <returns>False if there is no such running turn of theirs.</returns>
    public bool Stop(string turnId, string surface, string personId) =>
        Find(turnId, surface, personId) is { } turn && turn.Stop();

    /// <summary>Admits nothing new, lets running turns finish for the grace of the settings, interrupts the rest (QUE-5).</summary>
    public async Task CloseAsync(CancellationToken cancellationToken = default)
    {
        List<RunningTurn> running;
        lock (_gate)
        {
            _closing = true;
            running = [.. _turns.Values.Where(turn => turn.EndedAt is null)];
        }

        if (running.Count == 0)
        {
            return;
        }

        LogClosing(running.Count, (int)_options.ShutdownGrace.TotalSeconds);
        var all = Task.WhenAll(running.Select(turn => turn.Ended));
        try
        {
            await all.WaitAsync(_options.ShutdownGrace, _time, cancellationToken);
        }
        catch (Exception ended) when (ended is TimeoutException or OperationCanceledException)
        {
            await _interrupt.CancelAsync();
            await all;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await CloseAsync(new CancellationToken(canceled: true));
        await _sweep.DisposeAsync();
        _interrupt.Dispose();
        _meter.Dispose();
    }

    /// <summary>Stops and forgets turns, of one id or of a whole person (erasure, deleted question).</summary>
    internal void Forget(string surface, string personId, string? turnId = null)
    {
        lock (_gate)
        {
            foreach (var turn in _turns.Values
                .Where(turn => turn.IsOf(surface, personId) && (turnId is null || turn.Id == turnId)).ToList())
            {
                turn.Stop();
                Drop(turn);
            }
        }
    }

    /// <summary>Stops and forgets turns by their ids, whoever asked.</summary>
    internal void Forget(IReadOnlyList<string> turnIds)
    {
        lock (_gate)
        {
            foreach (var turn in turnIds.Select(id => _turns.GetValueOrDefault(id)).OfType<RunningTurn>().ToList())
            {
                turn.Stop();
                Drop(turn);
            }
        }
    }

    /// <summary>A medium of a running or recent turn of this person, or null.</summary>
    internal MediaFile? FindMedium(string mediaId, string surface, string personId)
    {
        lock (_gate)
        {
            return _turns.Values.Where(turn => turn.IsOf(surface, personId))
                .Select(turn => turn.FindMedium(mediaId)).FirstOrDefault(found => found is not null);
        }
    }

    /// <summary>The recent turn whose files a turn wants; null if it wants none, or one only the memory knows.</summary>
    private RunningTurn? FilesOfEarlier(IncomingTurn turn) =>
        turn.FilesOfTurnId is { } id && _turns.TryGetValue(id, out var earlier) && earlier.IsOf(turn.Surface, turn.PersonId)
            ? earlier
            : null;

    private TurnError? Refusal(IncomingTurn turn, string key) =>
        Question.Check(turn, _options, _senses)
        ?? (_answered.ContainsKey(key)
            ? ErrorCatalogue.AnsweredBefore.With()
            : null)
        ?? (_closing ? ErrorCatalogue.ShuttingDown.RetryIn(TimeSpan.FromMinutes(1), 60) : null)
        ?? _readiness.Refusal();

    private IAsyncEnumerable<ReplyPart> Refuse(IncomingTurn turn, TurnError error)
    {
        _meter.Turn(turn.Surface, error.Code);
        LogRefused(turn.Surface, error.Code, error.Reference);
        return OnlyAsync(new TurnFailed(error));
    }

    private void StopEarlierRevisions(IncomingTurn turn)
    {
        foreach (var other in _turns.Values.Where(other => other.EndedAt is null
            && other.IsOf(turn.Surface, turn.PersonId) && other.Incoming.MessageId == turn.MessageId
            && other.Incoming.Revision < turn.Revision))
        {
            other.Stop();
        }
    }

    private RunningTurn? Find(string turnId, string surface, string personId)
    {
        lock (_gate)
        {
            return _turns.TryGetValue(turnId, out var turn) && turn.IsOf(surface, personId) ? turn : null;
        }
    }

    /// <summary>Registered for the life of the turn, not of the reader: the token stops the work even if nobody reads on.</summary>
    private static void StopWith(RunningTurn turn, CancellationToken cancellationToken)
    {
        if (cancellationToken.CanBeCanceled)
        {
            var registration = cancellationToken.Register(static turn => ((RunningTurn)turn!).Stop(), turn);
            _ = turn.Ended.ContinueWith(_ => registration.Unregister(), TaskScheduler.Default);
        }
    }

    private static async IAsyncEnumerable<ReplyPart> AgainAsync(RunningTurn known)
    {
        await foreach (var part in known.ReadAsync(0))
        {
            yield return part is TurnAccepted accepted ? accepted with { IsRepeat = true } : part;
        }
    }

    private static async IAsyncEnumerable<ReplyPart> OnlyAsync(ReplyPart part)
    {
        await Task.CompletedTask;
        yield return part;
    }

    /// <summary>Forgets what is older than it may be (PRI-1).</summary>
    private void Sweep()
    {
        var now = _time.GetUtcNow();
        var inUse = new HashSet<string>(StringComparer.Ordinal);
        lock (_gate)
        {
            foreach (var turn in _turns.Values.ToList())
            {
                if (turn.EndedAt is { } ended && now - ended >= _options.FollowTime)
                {
                    Drop(turn);
                    _answered[turn.MessageKey] = now;
                }
                else if (turn.EndedAt is null)
                {
                    inUse.Add(turn.ContextKey);
                }
            }

            foreach (var (key, since) in _answered.ToList())
            {
                if (now - since >= _options.MemoryTime)
                {
                    _answered.Remove(key);
                }
            }

            // Within the lock, so that no turn is admitted to a conversation that is being forgotten; a sweep early,
            // so that nothing is a minute older than it may be.
            _memory.Forget(now - _options.MemoryTime + SweepEvery, inUse);
        }
    }

    private void Drop(RunningTurn turn)
    {
        _turns.Remove(turn.Id);
        _messages.Remove(turn.MessageKey);
        if (turn.EndedAt is not null)
        {
            turn.Dispose();
        }
    }

    [LoggerMessage(2010, LogLevel.Information, "A turn on {Surface} was refused: {Code} (ref {Reference})")]
    private partial void LogRefused(string surface, string code, string reference);

    [LoggerMessage(2011, LogLevel.Information, "Closing: {Turns} turns have {GraceSeconds} s to finish")]
    private partial void LogClosing(int turns, int graceSeconds);
}
