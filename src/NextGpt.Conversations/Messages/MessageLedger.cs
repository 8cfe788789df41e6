using System.Collections.Concurrent;
using System.Text.Json;
using NextGpt.Conversations.Files;
using NextGpt.Conversations.Journals;
using NextGpt.Conversations.State;

namespace NextGpt.Conversations.Messages;

/// <summary>
/// Which messages were begun and ended: key and state, no content, for everybody (product 2.1). A message is answered
/// once also across restarts. Of ended messages only a keyed hash stays. Thread-safe; on a failing disk it works from
/// memory and tries the disk again later.
/// </summary>
internal sealed class MessageLedger : IDisposable
{
    private const int MostAttempts = 2;
    private const string Fresh = ".new";
    private const string Stale = ".old";
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(5);
    private readonly IFileLayer _files;
    private readonly string _folder;
    private readonly TimeProvider _time;
    private readonly TimeSpan _keepFor;
    private readonly ConcurrentDictionary<UInt128, Message> _messages = [];
    private readonly WriteQueue _queue;
    private Journal? _journal;
    private bool _loaded;
    private long _failedAt;

    public MessageLedger(IFileLayer files, string folder, TimeProvider time, TimeSpan keepFor)
    {
        (_files, _folder, _time, _keepFor) = (files, folder, time, keepFor);
        _queue = new("log messages", Process);
    }

    /// <summary>Reads what earlier processes wrote; what they did not end is interrupted.</summary>
    public Task OpenAsync() => Submit(() =>
    {
        TryOpen();
        return true;
    });

    /// <summary>Begins work on a message unless somebody did.</summary>
    public Task<MessageBegin> BeginAsync(UInt128 hash, string key, string route)
    {
        var entry = new Pending(
            hash,
            before => before switch
            {
                { End: not 0 } => (null, new MessageBegin(MessageBeginOutcome.Finished, before.Attempt, true)),
                { IsOpen: true } => (null, new MessageBegin(MessageBeginOutcome.InProgress, before.Attempt, true)),
                { Attempt: >= MostAttempts } =>
                    (null, new MessageBegin(MessageBeginOutcome.Quarantined, before.Attempt, true)),
                _ => (
                    new Message(key, route, (before?.Attempt ?? 0) + 1, 0, true, Now()),
                    new MessageBegin(MessageBeginOutcome.Started, (before?.Attempt ?? 0) + 1, true)),
            });
        _queue.Add(entry);
        return entry.Task;
    }

    /// <summary>Ends work on a message.</summary>
    public Task EndAsync(UInt128 hash, MessageEnd end)
    {
        var entry = new Pending(
            hash,
            before => before is { End: not 0 }
                ? (null, new MessageBegin(MessageBeginOutcome.Finished, before.Attempt, true))
                : (
                    new Message("", "", before?.Attempt ?? 0, end, false, Now()),
                    new MessageBegin(MessageBeginOutcome.Finished, before?.Attempt ?? 0, true)));
        _queue.Add(entry);
        return entry.Task;
    }

    /// <summary>Messages begun by earlier processes and never ended, oldest first.</summary>
    public IReadOnlyList<InterruptedMessage> Interrupted() =>
    [
        .. _messages.Values
            .Where(message => message is { End: 0, IsOpen: false })
            .OrderBy(message => message.UtcTicks)
            .Select(message => new InterruptedMessage(
                message.Key, message.Route, message.Attempt, new DateTimeOffset(message.UtcTicks, TimeSpan.Zero))),
    ];

    /// <summary>Writes the ledger anew without old messages and without the keys of ended ones.</summary>
    /// <returns>Messages forgotten.</returns>
    public Task<int> CompactAsync() => Submit(Compact);

    public void Dispose()
    {
        _queue.Dispose();
        _journal?.Dispose();
    }

    private static JournalEntry EntryOf(UInt128 hash, Message message) => new(
        new(
            message.End is 0 ? RecordKind.MessageBegun : RecordKind.MessageEnded,
            RecordFlags.None, 0, 0, hash, 0, message.UtcTicks),
        JsonSerializer.SerializeToUtf8Bytes(
            new MessageContent(
                message.Key.Length > 0 ? message.Key : null,
                message.Route.Length > 0 ? message.Route : null,
                message.Attempt,
                message.End),
            LogJson.Plain.MessageContent));

    private long Now() => _time.GetUtcNow().UtcTicks;

    private Task<T> Submit<T>(Func<T> act)
    {
        var request = new Act<T>(act);
        _queue.Add(request);
        return request.Task;
    }

    private void Process(IReadOnlyList<object> requests)
    {
        var pending = new List<Pending>();
        foreach (var request in requests)
        {
            if (request is Pending one)
            {
                pending.Add(one);
                continue;
            }

            Flush(pending);
            ((IAct)request).Run();
        }

        Flush(pending);
    }

    private void Flush(List<Pending> pending)
    {
        if (pending.Count == 0)
        {
            return;
        }

        var entries = new List<JournalEntry>();
        foreach (var request in pending)
        {
            if (request.Decide(_messages.GetValueOrDefault(request.Hash)) is { } after)
            {
                _messages[request.Hash] = after;
                entries.Add(EntryOf(request.Hash, after));
            }
        }

        var durable = TryAppend(entries);
        foreach (var request in pending)
        {
            request.Settle(durable);
        }

        pending.Clear();
    }

    private bool TryAppend(List<JournalEntry> entries)
    {
        if (entries.Count == 0)
        {
            return true;
        }

        try
        {
            if (_journal is not null)
            {
                _journal.Append(entries);
                return true;
            }

            if (_time.GetElapsedTime(_failedAt) >= RetryAfter)
            {
                TryOpen();   // memory knows more than the disk after a failure: all of it is written anew
            }

            return _journal is not null;
        }
        catch (Exception failure) when (StorageFailure.Is(failure))
        {
            Fail();
            return false;
        }
    }

    private void TryOpen()
    {
        try
        {
            Load();
            Compact();
        }
        catch (Exception failure) when (StorageFailure.Is(failure))
        {
            Fail();
        }
    }

    private void Load()
    {
        if (_loaded)
        {
            return;
        }

        // The finished new folder of a compaction that ended between its two renames takes the old one's place.
        if (!_files.FolderExists(_folder) && _files.FolderExists(_folder + Fresh))
        {
            _files.RenameFolder(_folder + Fresh, _folder);
        }

        var found = new Dictionary<UInt128, Message>();
        using var journal = Journal.Open(_files, _folder, (in head, _, content) =>
        {
            if (JsonSerializer.Deserialize(content, LogJson.Plain.MessageContent) is { } read)
            {
                found[head.Subject] = new(
                    read.Key ?? "", read.Route ?? "", read.Attempt, read.End, false, head.UtcTicks);
            }
        });
        foreach (var (hash, message) in found)
        {
            _messages.TryAdd(hash, message);   // what came in while the disk failed is newer
        }

        _loaded = true;
    }

    private void Fail()
    {
        _journal?.Dispose();
        _journal = null;
        _failedAt = _time.GetTimestamp();
    }

    private int Compact()
    {
        if (!_loaded)
        {
            return 0;   // writing anew now would lose what the disk still holds
        }

        var oldest = Now() - _keepFor.Ticks;
        var forgotten = 0;
        foreach (var (hash, message) in _messages)
        {
            if (message.UtcTicks < oldest && !message.IsOpen && _messages.TryRemove(hash, out _))
            {
                forgotten++;
            }
        }

        try
        {
            _journal?.Dispose();
            _journal = null;
            _files.DeleteFolder(_folder + Fresh);
            using (var journal = Journal.Open(_files, _folder + Fresh, static (in _, _, _) => { }))
            {
                foreach (var some in _messages.OrderBy(pair => pair.Value.UtcTicks).Chunk(1_000))
                {
                    journal.Append([.. some.Select(pair => EntryOf(pair.Key, pair.Value))]);
                }
            }

            _files.DeleteFolder(_folder + Stale);
            _files.RenameFolder(_folder, _folder + Stale);
            _files.RenameFolder(_folder + Fresh, _folder);
            _files.FlushFolder(Path.GetDirectoryName(_folder)!);   // callers pass full paths
            _files.DeleteFolder(_folder + Stale);
            _journal = Journal.Open(_files, _folder, static (in _, _, _) => { });
        }
        catch (Exception failure) when (StorageFailure.Is(failure))
        {
            Fail();
        }

        return forgotten;
    }

    private interface IAct
    {
        void Run();
    }

    private sealed record Message(
        string Key, string Route, int Attempt, MessageEnd End, bool IsOpen, long UtcTicks);

    private sealed class Act<T>(Func<T> act) : IAct
    {
        private readonly TaskCompletionSource<T> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<T> Task => _done.Task;

        public void Run() => _done.SetResult(act());
    }

    private sealed class Pending(UInt128 hash, Func<Message?, (Message? After, MessageBegin Answer)> decide)
    {
        private readonly TaskCompletionSource<MessageBegin> _done =
            new(TaskCreationOptions.RunContinuationsAsynchronously);

        private MessageBegin? _answer;

        public UInt128 Hash => hash;

        public Task<MessageBegin> Task => _done.Task;

        public Message? Decide(Message? before)
        {
            (var after, _answer) = decide(before);
            return after;
        }

        public void Settle(bool durable) => _done.SetResult(_answer! with { Durable = durable });   // decided before
    }
}
