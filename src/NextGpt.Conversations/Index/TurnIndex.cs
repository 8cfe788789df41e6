using System.Security.Cryptography;
using System.Text.Json;

using Microsoft.Extensions.Logging;
using NextGpt.Conversations.Files;
using NextGpt.Conversations.State;

namespace NextGpt.Conversations.Index;

/// <summary>
/// Keeps the LiteDB index beside the journal on a thread of its own. The index holds nothing that the journal does not, so
/// every trouble has the same cure: it is made anew from the journal, and nobody loses more than a moment.
/// </summary>
internal sealed partial class TurnIndex : IDisposable
{
    public const string FileName = "index.db";
    private const string MarkName = "index.mark";
    private const int CheckpointRecords = 1_000;
    private const int MostRemoved = 50;
    private static readonly TimeSpan CheckpointEvery = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(5);
    private readonly string _folder;
    private readonly TimeProvider _time;
    private readonly Func<IEnumerable<TurnRow>> _everything;
    private readonly Func<int> _count;
    private readonly ILogger _log;
    private readonly WriteQueue _queue;
    private readonly ITimer _timer;
    private IndexFile? _file;
    private long _failedAt;
    private bool _hasFailed;
    private int _sinceCheckpoint;
    private int _rebuilds;

    /// <param name="folder">Full path of the log's folder.</param>
    /// <param name="time">Clock.</param>
    /// <param name="everything">Rows of all kept turns, read from the journal, oldest first.</param>
    /// <param name="count">How many they will be, about.</param>
    /// <param name="log">Where to say what was rebuilt.</param>
    public TurnIndex(
        string folder, TimeProvider time, Func<IEnumerable<TurnRow>> everything, Func<int> count, ILogger log)
    {
        (_folder, _time, _everything, _count, _log) = (folder, time, everything, count, log);
        _queue = new("log index", Process);
        _timer = time.CreateTimer(
            _ => _queue.TryAdd(new Change(file => Checkpoint(file))), null, CheckpointEvery, CheckpointEvery);
    }

    /// <summary>How often the index was made anew since the log was opened.</summary>
    public int Rebuilds => Volatile.Read(ref _rebuilds);

    private string FilePath => Path.Combine(_folder, FileName);

    /// <summary>The mark of an orderly end, or null.</summary>
    public static IndexMark? ReadMark(string folder)
    {
        try
        {
            var path = Path.Combine(folder, MarkName);
            return File.Exists(path)
                ? JsonSerializer.Deserialize(File.ReadAllBytes(path), LogJson.Plain.IndexMark)
                : null;
        }
        catch (Exception failure) when (failure is JsonException || StorageFailure.Is(failure))
        {
            return null;
        }
    }

    /// <summary>Opens the index if it is the one that was closed with this journal, else makes it anew.</summary>
    /// <param name="mark">What <see cref="ReadMark"/> found.</param>
    /// <param name="generation">The journal's generation.</param>
    /// <param name="sequence">The journal's last record.</param>
    public void Open(IndexMark? mark, int generation, long sequence) => _queue.Add(new Change(_ =>
    {
        File.Delete(Path.Combine(_folder, MarkName));
        if (mark is not null && mark.Generation == generation && mark.Sequence == sequence && IsTheClosed(mark))
        {
            Close();
            _file = new(FilePath);
            return;
        }

        Rebuild();
    })
    { NeedsFile = false });

    /// <summary>Puts rows.</summary>
    public void Put(IReadOnlyList<TurnRow> rows)
    {
        if (rows.Count > 0)
        {
            _queue.TryAdd(new Rows(rows));
        }
    }

    /// <summary>Removes rows; freed pages keep their bytes until <see cref="ScrubAsync"/>.</summary>
    public void Remove(IReadOnlyList<long> sequences)
    {
        if (sequences.Count > MostRemoved)
        {
            _queue.TryAdd(new Scrub(new()));   // a new file is quicker than as many transactions
        }
        else if (sequences.Count > 0)
        {
            _queue.TryAdd(new Change(file => file.Remove(sequences), sequences.Count));
        }
    }

    public void SetVote(long sequence, TurnVote vote) =>
        _queue.TryAdd(new Change(file => file.SetVote(sequence, vote), 1));

    /// <summary>Asks the index; a damaged one is made anew and asked again.</summary>
    /// <exception cref="LogUnavailableException">The disk fails.</exception>
    public Task<T> QueryAsync<T>(Func<IndexFile, T> query)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _queue.Add(new Change(file => done.TrySetResult(query(file)))
        {
            Failed = failure => done.TrySetException(failure),
        });
        return done.Task;
    }

    /// <summary>
    /// Writes the index into a new file and puts it in the old one's place, so that no freed page keeps anything (PRI-4).
    /// </summary>
    public Task ScrubAsync()
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _queue.Add(new Scrub(done));
        return done.Task;
    }

    /// <summary>Folds LiteDB's log into its file.</summary>
    public Task CheckpointAsync() => QueryAsync(file =>
    {
        Checkpoint(file);
        return true;
    });

    /// <summary>Closes in order and leaves the mark.</summary>
    public void Close(int generation, long sequence) => _queue.TryAdd(new Change(file =>
    {
        file.Checkpoint();
        Close();
        var bytes = new FileInfo(FilePath).Length;
        var mark = new IndexMark(generation, sequence, bytes, HashOf(FilePath));
        new DiskFileLayer().Write(
            Path.Combine(_folder, MarkName), JsonSerializer.SerializeToUtf8Bytes(mark, LogJson.Plain.IndexMark));
    }));

    public void Dispose()
    {
        _timer.Dispose();
        _queue.Dispose();
        try
        {
            Close();
        }
        catch (Exception failure) when (IsIndexTrouble(failure))
        {
            LogTrouble(failure.GetType().Name);
        }
    }

    private static string HashOf(string path)
    {
        using var stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    // LiteDB on a damaged file throws whatever its parsing runs into; it is an index, so all of it means: make it anew.
    private static bool IsIndexTrouble(Exception failure) => failure is not (OutOfMemoryException or LogUnavailableException);

    private bool IsTheClosed(IndexMark mark) =>
        File.Exists(FilePath)
        && !(File.Exists(IndexFile.LogPathOf(FilePath)) && new FileInfo(IndexFile.LogPathOf(FilePath)).Length > 0)
        && new FileInfo(FilePath).Length == mark.Bytes
        && HashOf(FilePath) == mark.Sha256;

    private void Process(IReadOnlyList<object> requests)
    {
        var scrubs = new List<Scrub>();
        var rows = new List<TurnRow>();
        foreach (var request in requests)
        {
            switch (request)
            {
                case Rows some:
                    rows.AddRange(some.Some);   // neighbours go into one transaction of LiteDB's
                    break;
                case Scrub scrub:
                    scrubs.Add(scrub);   // one new file serves all that ask at once
                    break;
                default:
                    PutNow(rows);
                    Process((Change)request);
                    break;
            }
        }

        PutNow(rows);

        if (scrubs.Count > 0)
        {
            Process(new Change(_ =>
            {
                Rebuild();
                scrubs.ForEach(scrub => scrub.Done.TrySetResult());
            })
            {
                NeedsFile = false,
                Failed = failure => scrubs.ForEach(scrub => scrub.Done.TrySetException(failure)),
            });
        }
    }

    private void PutNow(List<TurnRow> rows)
    {
        if (rows.Count > 0)
        {
            Process(new Change(file => file.Put(rows), rows.Count));
            rows.Clear();
        }
    }

    private void Process(Change change)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                if (_file is null && change.NeedsFile)
                {
                    Revive();
                }

                change.Act(_file!);   // there is one where the change needs one
                _sinceCheckpoint += change.Records;
                if (_sinceCheckpoint >= CheckpointRecords && _file is not null)
                {
                    Checkpoint(_file);
                }

                return;
            }
            catch (Exception failure) when (IsIndexTrouble(failure))
            {
                LogTrouble(failure.GetType().Name);
                Drop();
                if (attempt >= 2 || !change.NeedsFile)
                {
                    (_hasFailed, _failedAt) = (true, _time.GetTimestamp());
                    change.Failed?.Invoke(new LogUnavailableException(
                        "The index of the log cannot be made; check the disk of the log's folder.", failure));
                    return;
                }
            }
            catch (LogUnavailableException failure)
            {
                change.Failed?.Invoke(failure);
                return;
            }
        }
    }

    private void Revive()
    {
        if (_hasFailed && _time.GetElapsedTime(_failedAt) < RetryAfter)
        {
            throw new LogUnavailableException("The index of the log cannot be made; check the disk of the log's folder.");
        }

        Rebuild();
    }

    private void Rebuild()
    {
        var fresh = Path.Combine(_folder, "index-new.db");
        Forget(fresh);
        IndexFile.Make(fresh, _everything(), _count());
        Close();
        Forget(FilePath);
        File.Move(fresh, FilePath);
        Forget(fresh);
        _file = new(FilePath);
        _hasFailed = false;
        _sinceCheckpoint = 0;
        Interlocked.Increment(ref _rebuilds);
        var rows = _file.Count();
        LogRebuilt(rows);
    }

    private void Checkpoint(IndexFile file)
    {
        file.Checkpoint();
        _sinceCheckpoint = 0;
    }

    private void Drop()
    {
        try
        {
            Close();
        }
        catch (Exception failure) when (IsIndexTrouble(failure))
        {
            LogTrouble(failure.GetType().Name);
        }
    }

    private void Close()
    {
        var file = _file;
        _file = null;
        file?.Dispose();
    }

    private static void Forget(string path)
    {
        File.Delete(path);
        File.Delete(IndexFile.LogPathOf(path));
    }

    [LoggerMessage(EventId = 310, Level = LogLevel.Information, Message = "The index of the log was made anew with {Rows} rows.")]
    private partial void LogRebuilt(int rows);

    [LoggerMessage(EventId = 311, Level = LogLevel.Warning, Message = "The index of the log failed with {Failure}; it is made anew from the journal.")]
    private partial void LogTrouble(string failure);

    private sealed record Change(Action<IndexFile> Act, int Records = 0)
    {
        public bool NeedsFile { get; init; } = true;

        public Action<LogUnavailableException>? Failed { get; init; }
    }

    private sealed record Rows(IReadOnlyList<TurnRow> Some);

    private sealed record Scrub(TaskCompletionSource Done);
}
