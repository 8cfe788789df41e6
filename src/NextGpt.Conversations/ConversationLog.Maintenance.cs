using System.Globalization;
using NextGpt.Conversations.Files;
using NextGpt.Conversations.Index;
using NextGpt.Conversations.Journals;
using NextGpt.Conversations.State;

namespace NextGpt.Conversations;

/// <summary>What operators do: verify, count, compact, sweep, retain.</summary>
public sealed partial class ConversationLog
{
    private const long CompactFrom = 64L * 1024 * 1024;

    /// <summary>Reads the whole log and lists what is damaged (LOG-6). Runs beside normal work.</summary>
    /// <exception cref="LogUnavailableException">The disk fails.</exception>
    public Task<VerifyReport> VerifyAsync(CancellationToken cancellationToken = default) =>
        MaintainAsync(
            async () =>
            {
                var core = Core();
                var (turns, readable) = (core.State.Turns.Where(_ => true), 0);
                var health = await Task.Run(() => core.Journal.Check(), cancellationToken);
                foreach (var turn in turns)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    readable += ReadContent(turn) is null ? 0 : 1;
                }

                var media = core.State.Turns.MediaHashes();
                var expired = MediaPast(core);
                var damagedMedia = media.Where(hash => !expired.Contains(hash) && core.Media.Read(hash) is null).ToList();
                var agrees = await _index.QueryAsync(IndexAgrees);
                if (!agrees)
                {
                    await _index.ScrubAsync();
                }

                return new VerifyReport
                {
                    Records = health.Records,
                    Turns = readable,
                    Bytes = health.Bytes,
                    Damaged = [.. health.Damaged.Select(range => new DamagedRecord(range.First, range.Last, NameOf(turns, range)))],
                    DamagedMedia = damagedMedia,
                    OrphanMedia = core.Media.Orphans(core.State.Turns.HasMedium),
                    LostEarlier = health.LostEarlier,
                    AuditIsSound = core.Audit.IsSound(),
                    IndexAgrees = agrees,
                };
            },
            cancellationToken);

    /// <summary>Counts.</summary>
    /// <exception cref="LogUnavailableException">The disk fails.</exception>
    public LogStats GetStats()
    {
        var core = Core();
        var turns = core.State.Turns.Where(_ => true);
        return new()
        {
            Turns = turns.Count,
            Contributors = turns.Select(turn => turn.Person).Distinct().Count(),
            PeopleAsked = core.State.People,
            Trainable = turns.Count(core.State.MayTrain),
            LastSequence = core.Journal.LastSequence,
            JournalBytes = core.Journal.Segments.Sum(segment => segment.Committed),
            FreeableBytes = core.Journal.Health.VoidBytes,
            MediaFiles = core.Media.All().Count,
            IndexBytes = IndexBytes(),
            IndexRebuilds = _index.Rebuilds,
            TornRecords = core.Journal.Health.TornRecords,
            DamagedRecords = core.Journal.Health.DamagedRecords,
            AuditEntries = core.Audit.Entries.Count,
            Span = turns.Count == 0 ? null : (At(turns[0]), At(turns[^1])),
        };
    }

    /// <summary>
    /// Copies what is left of the journal into a new one, verifies it and puts it in the old one's place in one step
    /// (LOG-7). Turns offered meanwhile wait.
    /// </summary>
    /// <exception cref="LogUnavailableException">The disk fails; the old journal stays in force.</exception>
    public Task<CompactReport> CompactAsync(CancellationToken cancellationToken = default) =>
        MaintainAsync(
            async () =>
            {
                var report = await _writer.AloneAsync(CompactNow);
                await _messages.CompactAsync();
                await _index.ScrubAsync();
                return report;
            },
            cancellationToken);

    /// <summary>Removes media files that no turn uses. List them first with <see cref="VerifyAsync"/> (LOG-3).</summary>
    /// <param name="dryRun">True only lists them.</param>
    /// <param name="cancellationToken">Gives up before the work begins.</param>
    /// <returns>Hashes of the files.</returns>
    /// <exception cref="LogUnavailableException">The disk fails.</exception>
    public Task<IReadOnlyList<string>> SweepOrphansAsync(bool dryRun, CancellationToken cancellationToken = default) =>
        MaintainAsync(
            () => _writer.AloneAsync(core =>
            {
                var orphans = core.Media.Orphans(core.State.Turns.HasMedium);
                if (!dryRun && orphans.Count > 0)
                {
                    core.Media.Remove(orphans);
                    core.Audit.Add("admin", "sweep", string.Create(
                        CultureInfo.InvariantCulture, $"orphan media {orphans.Count}"));
                }

                return orphans;
            }),
            cancellationToken);

    /// <summary>Removes what is past its time (PRI-8). The host does so daily.</summary>
    /// <exception cref="LogUnavailableException">The disk fails.</exception>
    public Task<RetentionReport> RetainAsync(CancellationToken cancellationToken = default) =>
        MaintainAsync(
            async () =>
            {
                var exports = RemoveOldExports();
                var backups = RemoveOldBackups();
                var (turns, media, audit) = await _writer.AloneAsync(RetainNow);
                var messages = await _messages.CompactAsync();
                if (turns > 0)
                {
                    await _index.ScrubAsync();
                }

                await RemoveLoneNamesAsync(person: null);
                return new RetentionReport(turns, media, audit, messages, exports, backups);
            },
            cancellationToken);

    private static DateTimeOffset At(TurnEntry turn) => new(turn.KeptAtTicks, TimeSpan.Zero);

    private static string? NameOf(List<TurnEntry> turns, DamagedRange range) =>
        turns.Find(turn => turn.Sequence >= range.First && turn.Sequence <= range.Last)?.Id;

    private async Task<T> MaintainAsync<T>(Func<Task<T>> work, CancellationToken cancellationToken)
    {
        await _maintenance.WaitAsync(cancellationToken);   // one at a time: they move files under each other's feet
        try
        {
            return await work();
        }
        catch (Exception failure) when (StorageFailure.Is(failure) || failure is ObjectDisposedException)
        {
            throw new LogUnavailableException(StorageFailure.Sentence(failure), failure);
        }
        finally
        {
            _maintenance.Release();
        }
    }

    private bool IndexAgrees(IndexFile file)
    {
        var turns = Core().State.Turns;
        var (next, rows) = (0L, 0);
        while (file.From(next, MostPerPage) is { Count: > 0 } page)
        {
            rows += page.Count;
            next = page[^1].Id + 1;
            if (page.Exists(row => turns.Find(TurnDirectory.Number(row.TurnId)) is not { } turn || turn.Sequence != row.Id))
            {
                return false;
            }
        }

        return rows == turns.Count;
    }

    private long IndexBytes()
    {
        var path = Path.Combine(_indexFolder, TurnIndex.FileName);
        return new[] { path, IndexFile.LogPathOf(path) }.Where(File.Exists).Sum(file => new FileInfo(file).Length);
    }

    private CompactReport CompactNow(LogCore core)
    {
        var before = core.Journal.Segments.Sum(segment => segment.Committed);
        var next = core.Manifest with { Generation = core.Manifest.Generation + 1 };
        var unfinished = Path.Combine(_folder, next.JournalFolder + WholeFile.Unfinished);
        var (records, lost) = JournalCopy.Write(core.Journal, _files, unfinished);
        _files.RenameFolder(unfinished, Path.Combine(_folder, next.JournalFolder));
        _files.FlushFolder(_folder);
        next.Write(_files, _folder);   // from here on the new one is in force

        var opened = LogCore.Open(_files, _folder, _options.FullBackupFolder, _time, mark: null, long.MaxValue, core.Media);
        _writer.Replace(opened);
        var after = opened.Journal.Segments.Sum(segment => segment.Committed);
        opened.Audit.Add("admin", "compact", string.Create(
            CultureInfo.InvariantCulture, $"records {records}, bytes {before} to {after}, lost {lost}"));
        return new(records, before, after, lost);
    }

    private (int Turns, int Media, int Audit) RetainNow(LogCore core)
    {
        var now = Now();
        var oldest = now.AddDays(-_options.TurnRetentionDays).UtcTicks;
        var old = core.State.Turns.Where(turn => turn.KeptAtTicks < oldest);
        var erased = core.State.Expire(old);
        var media = core.Media.Remove(erased.Media);
        core.Journal.Overwrite([.. erased.Records]);
        _index.Remove([.. old.Select(turn => turn.Sequence)]);

        media += core.Media.Remove(MediaPast(core).Where(core.Media.Has));
        var audit = core.Audit.RemoveBefore(now.AddDays(-_options.AuditRetentionDays));
        core.Journal.Overwrite(
            [.. core.State.ExpireTombstones(now.AddDays(-2 * _options.BackupRetentionDays).UtcTicks)]);
        core.WriteTombstones();
        if (old.Count + media + audit > 0)
        {
            core.Audit.Add("system", "retention", string.Create(
                CultureInfo.InvariantCulture, $"turns {old.Count}, media {media}, audit entries {audit}"));
        }

        var bytes = core.Journal.Segments.Sum(segment => segment.Committed);
        if (core.Journal.Health.VoidBytes > CompactFrom && core.Journal.Health.VoidBytes > bytes / 2)
        {
            CompactNow(core);
        }

        return (old.Count, media, audit);
    }

    /// <summary>Media whose time is over: every turn that uses them is old enough, and none is in a dataset.</summary>
    private HashSet<string> MediaPast(LogCore core)
    {
        var oldest = Now().AddDays(-_options.MediaRetentionDays).UtcTicks;
        var past = new HashSet<string>(StringComparer.Ordinal);
        var needed = new HashSet<string>(StringComparer.Ordinal);
        foreach (var turn in core.State.Turns.Where(turn => turn.Media.Count > 0))
        {
            var isPast = turn.KeptAtTicks < oldest && turn.Datasets.Count == 0;
            (isPast ? past : needed).UnionWith(turn.Media);
        }

        past.ExceptWith(needed);
        return past;
    }
}
