using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using NextGpt.Conversations.Attachments;
using NextGpt.Conversations.Files;
using NextGpt.Conversations.Journals;
using NextGpt.Conversations.State;

namespace NextGpt.Conversations;

/// <summary>Backup while running, restore offline (LOG-7).</summary>
public sealed partial class ConversationLog
{
    private const string BackupPrefix = "backup-";
    private const string BackupManifestName = "backup.json";

    /// <summary>
    /// Copies the log as it is now into a new folder, while it goes on being used. The backup holds the key file: keep it
    /// as safe as the log.
    /// </summary>
    /// <param name="target">
    /// Folder that does not exist yet; null makes one in <see cref="ConversationOptions.BackupFolder"/>, which retention
    /// removes after <see cref="ConversationOptions.BackupRetentionDays"/>.
    /// </param>
    /// <param name="cancellationToken">Stops; nothing is left behind.</param>
    /// <exception cref="LogUnavailableException">A disk fails.</exception>
    /// <exception cref="InvalidOperationException">The folder exists already.</exception>
    public Task<BackupReport> BackupAsync(string? target = null, CancellationToken cancellationToken = default) =>
        MaintainAsync(() => Task.Run(() => BackupNowAsync(target, cancellationToken), cancellationToken), cancellationToken);

    /// <summary>
    /// Puts a backup in the log's place; nobody may have the log open. The backup is verified first, the old log stays in
    /// force until the new one is whole, and erasures, removals and withdrawals made after the backup are applied again.
    /// </summary>
    /// <param name="options">Names the log's folder.</param>
    /// <param name="backupFolder">The backup.</param>
    /// <param name="time">Clock.</param>
    /// <param name="cancellationToken">Gives up before the log is replaced.</param>
    /// <exception cref="LogLockedException">The log is in use.</exception>
    /// <exception cref="InvalidDataException">The backup is damaged; nothing was changed.</exception>
    /// <exception cref="LogTooNewException">A later version made the backup.</exception>
    public static Task<RestoreReport> RestoreAsync(
        ConversationOptions options, string backupFolder, TimeProvider time, CancellationToken cancellationToken = default) =>
        Task.Run(() => RestoreNowAsync(options, Path.GetFullPath(backupFolder), time, cancellationToken), cancellationToken);

    private async Task<BackupReport> BackupNowAsync(string? target, CancellationToken cancellationToken)
    {
        var (sequence, turns, touched) = await _writer.AloneAsync(core =>
        {
            core.Journal.Seal();
            var changes = new HashSet<JournalSegment>();
            core.Journal.Touched = changes;
            return (core.Journal.LastSequence, core.State.Turns.Count, changes);
        });
        var started = Core();
        var made = target is null ? DefaultBackup(sequence) : Path.GetFullPath(target);
        if (_files.FolderExists(made) || _files.FileExists(made))
        {
            throw new InvalidOperationException(
                $"{Path.GetFileName(made)} exists already; name a folder that does not.");
        }

        var unfinished = made + WholeFile.Unfinished;
        try
        {
            _files.DeleteFolder(unfinished);
            _files.CreateFolder(Path.Combine(unfinished, "journal"));
            _files.CreateFolder(Path.Combine(unfinished, "media"));
            var segments = started.Journal.Segments.Where(segment => segment.FirstSequence <= sequence).ToList();
            foreach (var segment in segments)
            {
                cancellationToken.ThrowIfCancellationRequested();
                CopySegment(segment, unfinished);
            }

            foreach (var hash in started.State.Turns.MediaHashes())
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (started.Media.Read(hash) is { } bytes)
                {
                    _files.Write(Path.Combine(unfinished, "media", hash), bytes);
                }
            }

            return await _writer.AloneAsync(core =>
            {
                if (core != started)
                {
                    throw new IOException("The log was opened anew while the backup was being made; make it again.");
                }

                // What was erased meanwhile must not live on in this backup.
                foreach (var segment in touched.Intersect(segments))
                {
                    CopySegment(segment, unfinished);
                }

                foreach (var path in _files.ListFiles(Path.Combine(unfinished, "media")))
                {
                    if (!core.State.Turns.HasMedium(Path.GetFileName(path)))
                    {
                        _files.Delete(path);
                    }
                }

                return FinishBackup(core, unfinished, made, sequence, turns);
            });
        }
        catch
        {
            _files.DeleteFolder(unfinished);
            throw;
        }
        finally
        {
            started.Journal.Touched = null;
        }
    }

    private string DefaultBackup(long sequence) => Path.Combine(
        _options.FullBackupFolder,
        string.Create(
            CultureInfo.InvariantCulture, $"{BackupPrefix}{Now().UtcDateTime:yyyyMMdd'T'HHmmss'Z'}-{sequence:D12}"));

    private void CopySegment(JournalSegment segment, string unfinished)
    {
        var path = Path.Combine(unfinished, "journal", Path.GetFileName(segment.Path));
        _files.Write(path, Journal.ReadCommitted(segment));
    }

    private BackupReport FinishBackup(LogCore core, string unfinished, string made, long sequence, int turns)
    {
        var key = core.Manifest.KeyFile;
        _files.Write(Path.Combine(unfinished, key), _files.Read(Path.Combine(_folder, key)));
        var listed = new List<BackupFile>();
        foreach (var path in BackupFilesIn(_files, unfinished))
        {
            var bytes = _files.Read(path);
            var name = Path.GetRelativePath(unfinished, path).Replace(Path.DirectorySeparatorChar, '/');
            listed.Add(new(name, bytes.Length, Convert.ToHexStringLower(SHA256.HashData(bytes))));
        }

        var manifest = new BackupManifest(core.Manifest.Schema, sequence, Now().ToUniversalTime(), key, listed);
        _files.Write(
            Path.Combine(unfinished, BackupManifestName),
            JsonSerializer.SerializeToUtf8Bytes(manifest, LogJson.Plain.BackupManifest));
        _files.RenameFolder(unfinished, made);
        _files.FlushFolder(Path.GetDirectoryName(made)!);   // a full path below some folder
        core.WriteTombstones();
        core.Audit.Add("admin", "backup", string.Create(
            CultureInfo.InvariantCulture, $"sequence {sequence}, turns {turns}, files {listed.Count}"));
        return new(made, sequence, turns, listed.Count, listed.Sum(file => file.Bytes));
    }

    private static IEnumerable<string> BackupFilesIn(IFileLayer files, string folder) =>
    [
        .. files.ListFiles(folder).Where(path => Path.GetFileName(path) != BackupManifestName),
        .. files.ListFiles(Path.Combine(folder, "journal")),
        .. files.ListFiles(Path.Combine(folder, "media")),
    ];

    private int RemoveOldBackups()
    {
        var removed = 0;
        var oldest = Now().AddDays(-_options.BackupRetentionDays);
        foreach (var path in _files.ListFolders(_options.FullBackupFolder))
        {
            var name = Path.GetFileName(path);
            if (name.StartsWith(BackupPrefix, StringComparison.Ordinal)
                && name.Length >= BackupPrefix.Length + 16
                && DateTime.TryParseExact(
                    name.Substring(BackupPrefix.Length, 16), "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture,
                    DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var made)
                && made < oldest.UtcDateTime)
            {
                _files.DeleteFolder(path);
                removed++;
            }
        }

        return removed;
    }

    private static async Task<RestoreReport> RestoreNowAsync(
        ConversationOptions options, string backup, TimeProvider time, CancellationToken cancellationToken)
    {
        var files = new DiskFileLayer();
        var folder = options.FullFolder;
        var manifest = BackupCheck.Verify(files, backup, BackupManifestName);
        files.CreateFolder(folder);
        int reapplied, turnsInBackup;
        using (LogLock.Take(folder))
        {
            var acts = BackupCheck.ActsSince(files, folder, options.FullBackupFolder, Path.GetDirectoryName(backup));
            cancellationToken.ThrowIfCancellationRequested();
            (reapplied, turnsInBackup) = PutInPlace(files, folder, backup, manifest, acts);
        }

        var restored = await OpenAsync(options, time, files, folder, NullLogger.Instance, cancellationToken);
        await using (restored)
        {
            var turns = restored.Core().State.Turns.Count;
            await restored._writer.AloneAsync(core =>
            {
                core.WriteTombstones();
                core.Audit.Add("admin", "restore", string.Create(
                    CultureInfo.InvariantCulture,
                    $"sequence {manifest.Sequence}, turns {turns}, acts applied again {reapplied}"));
                return true;
            });
            await restored._index.ScrubAsync();
            await restored.RemoveLoneNamesAsync(person: null);
            return new(manifest.Sequence, turns, reapplied, turnsInBackup - turns);
        }
    }

    private static (int Reapplied, int Turns) PutInPlace(
        DiskFileLayer files, string folder, string backup, BackupManifest manifest, IReadOnlyList<Tombstone> acts)
    {
        var before = LogManifest.Open(files, folder);
        var generation = before.Generation + 1;
        var next = new LogManifest(
            manifest.Schema, generation,
            string.Create(CultureInfo.InvariantCulture, $"person-{generation}.key"));
        before.Sweep(files, folder);
        var journal = Path.Combine(folder, next.JournalFolder);
        files.CreateFolder(journal + WholeFile.Unfinished);
        foreach (var path in files.ListFiles(Path.Combine(backup, "journal")))
        {
            files.Write(
                Path.Combine(journal + WholeFile.Unfinished, Path.GetFileName(path)), files.Read(path));
        }

        var (reapplied, turns) = Reapply(files, journal + WholeFile.Unfinished, acts);
        var media = MediaStore.Open(files, Path.Combine(folder, "media"));
        foreach (var path in files.ListFiles(Path.Combine(backup, "media")))
        {
            media.Put(files.Read(path));
        }

        files.Write(Path.Combine(folder, next.KeyFile), files.Read(Path.Combine(backup, manifest.KeyFile)));
        files.RenameFolder(journal + WholeFile.Unfinished, journal);
        files.FlushFolder(folder);
        next.Write(files, folder);   // from here on the restored log is in force
        return (reapplied, turns);
    }

    private static (int Reapplied, int Turns) Reapply(
        DiskFileLayer files, string folder, IReadOnlyList<Tombstone> acts)
    {
        var state = new LogState();
        using var journal = Journal.Open(files, folder, state.Apply);
        var known = state.Tombstones.Select(act => act.Id).ToHashSet(StringComparer.Ordinal);
        var missing = acts.Where(act => !known.Contains(act.Id)).ToList();
        if (missing.Count > 0)
        {
            journal.Append([.. missing.SelectMany(act => act.Reapply())]);
        }

        return (missing.Count, state.Turns.Count);
    }
}
