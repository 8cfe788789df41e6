using System.Globalization;
using System.Text.Json;
using NextGpt.Conversations.Attachments;
using NextGpt.Conversations.Audit;
using NextGpt.Conversations.Files;
using NextGpt.Conversations.Index;
using NextGpt.Conversations.Journals;
using NextGpt.Conversations.Privacy;

namespace NextGpt.Conversations.State;

/// <summary>
/// Everything of the log that is open at one time. After a failure of the disk it is thrown away as a whole and opened
/// anew. Changed by the writer's thread only.
/// </summary>
internal sealed class LogCore : IDisposable
{
    private const string TombstonesName = "erasures.json";
    private readonly IFileLayer _files;
    private readonly string _backupFolder;

    private LogCore(IFileLayer files, string folder, string backupFolder) =>
        (_files, Folder, _backupFolder) = (files, folder, backupFolder);

    public string Folder { get; }

    public required LogManifest Manifest { get; set; }

    public required PersonSecret Secret { get; init; }

    public required Journal Journal { get; init; }

    public required LogState State { get; init; }

    public required MediaStore Media { get; init; }

    public required AuditTrail Audit { get; init; }

    public string ExportFolder => Path.Combine(Folder, "exports");

    /// <summary>Opens the log, repairs its end and finishes erasures that a crash cut short.</summary>
    /// <param name="files">Where.</param>
    /// <param name="folder">Full path of the log.</param>
    /// <param name="backupFolder">Full path of the backups.</param>
    /// <param name="time">Clock.</param>
    /// <param name="mark">Mark of an orderly end; it vouches for records of its own generation only.</param>
    /// <param name="discardAfter">Records after this number were refused to their senders.</param>
    /// <param name="media">The store of the log that was open before: turns under way have pinned files in it.</param>
    public static LogCore Open(
        IFileLayer files, string folder, string backupFolder, TimeProvider time, IndexMark? mark, long discardAfter,
        MediaStore? media = null)
    {
        if (!files.FolderExists(folder))
        {
            files.CreateFolder(folder);
            files.FlushFolder(Path.GetDirectoryName(folder)!);   // callers pass full paths
        }

        var manifest = LogManifest.Open(files, folder);
        manifest.Sweep(files, folder);
        var secret = PersonSecret.Open(files, Path.Combine(folder, manifest.KeyFile));
        var state = new LogState();
        var acknowledged = mark?.Generation == manifest.Generation ? mark.Sequence : 0;
        var journal = Journal.Open(
            files, Path.Combine(folder, manifest.JournalFolder), state.Apply, acknowledged, discardAfter);
        AuditTrail? audit = null;
        try
        {
            audit = AuditTrail.Open(files, Path.Combine(folder, "audit"), time);
            var core = new LogCore(files, folder, backupFolder)
            {
                Manifest = manifest,
                Secret = secret,
                Journal = journal,
                State = state,
                Media = media ?? MediaStore.Open(files, Path.Combine(folder, "media")),
                Audit = audit,
            };
            core.FinishLeftovers();
            core.ReportRepair();
            return core;
        }
        catch
        {
            audit?.Dispose();
            journal.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Destroys what an act took back: media first, then exports, records last, because as long as the records can be read
    /// a crash leaves enough behind to finish the work at the next opening.
    /// </summary>
    /// <param name="erased">What was taken out of memory.</param>
    /// <param name="person">Whose exports go, or null to leave exports.</param>
    /// <returns>Media files removed.</returns>
    public int Destroy(Erased erased, UInt128? person)
    {
        var media = Media.Remove(erased.Media);
        if (person is { } who)
        {
            RemoveExports(TurnDirectory.Text(who));
        }

        Journal.Overwrite([.. erased.Records]);
        if (person is not null && Journal.Health.DamagedRecords > 0)
        {
            Journal.OverwriteUnreadable();
        }

        WriteTombstones();
        return media;
    }

    /// <summary>Notes that from now on the log holds what programs before this schema do not understand.</summary>
    public void RaiseSchema(int schema)
    {
        if (Manifest.Schema < schema)
        {
            var raised = Manifest with { Schema = schema };
            raised.Write(_files, Folder);
            Manifest = raised;
        }
    }

    /// <summary>Tries whether the disk takes a megabyte again; otherwise the next turn would only fail anew.</summary>
    public void Probe()
    {
        var path = Path.Combine(Folder, "probe" + WholeFile.Unfinished);
        try
        {
            _files.Delete(path);
            using var file = _files.Open(path, FileUse.CreateNew);
            file.Write(0, new byte[1024 * 1024]);
            file.Flush();
        }
        catch (Exception failure) when (StorageFailure.Is(failure))
        {
            Dispose();
            throw;
        }
        finally
        {
            _files.Delete(path);
        }
    }

    /// <summary>Removes a person's exports.</summary>
    public int RemoveExports(string person)
    {
        var removed = 0;
        foreach (var path in _files.ListFiles(ExportFolder))
        {
            if (Path.GetFileName(path).StartsWith(person, StringComparison.Ordinal))
            {
                _files.Delete(path);
                removed++;
            }
        }

        if (removed > 0)
        {
            _files.FlushFolder(ExportFolder);
        }

        return removed;
    }

    /// <summary>
    /// Writes all acts of taking back beside the backups too, so that restoring into an empty folder honours them. The
    /// backups' disk may be away: then the next act or the daily job writes them.
    /// </summary>
    public void WriteTombstones()
    {
        if (!_files.FolderExists(_backupFolder))
        {
            return;   // no backups, nothing to honour
        }

        try
        {
            _files.Write(
                Path.Combine(_backupFolder, TombstonesName),
                JsonSerializer.SerializeToUtf8Bytes([.. State.Tombstones], LogJson.Plain.TombstoneArray));
        }
        catch (Exception failure) when (StorageFailure.Is(failure))
        {
            TombstonesPending = true;
            return;
        }

        TombstonesPending = false;
    }

    /// <summary>Whether the copy beside the backups lags behind.</summary>
    public bool TombstonesPending { get; private set; }

    /// <summary>The acts written beside backups; empty if there are none that can be read.</summary>
    public static IReadOnlyList<Tombstone> ReadTombstones(IFileLayer files, string backupFolder)
    {
        try
        {
            var path = Path.Combine(backupFolder, TombstonesName);
            return files.FileExists(path)
                ? JsonSerializer.Deserialize(files.Read(path), LogJson.Plain.TombstoneArray) ?? []
                : [];
        }
        catch (JsonException)
        {
            throw new InvalidDataException(
                $"{TombstonesName} beside the backups is damaged; without it erasures could come undone. Restore that file first.");
        }
    }

    public void Dispose()
    {
        Journal.Dispose();
        Audit.Dispose();
    }

    private void FinishLeftovers()
    {
        var (records, media) = State.TakeLeftovers();
        if (records.Count == 0 && media.Count == 0)
        {
            return;
        }

        Destroy(new([], records, media, []), null);
        foreach (var act in State.Tombstones.Where(act => act.Kind is not TombstoneKind.TurnRemoved))
        {
            if (State.ConsentOf(TurnDirectory.Number(act.Person)).State.Keep)
            {
                continue;   // said yes again since: their exports are of newer turns
            }

            RemoveExports(act.Person);
        }

        Audit.Add("system", "erase", string.Create(
            CultureInfo.InvariantCulture, $"finished after a restart: {records.Count} records, {media.Count} media"));
    }

    private void ReportRepair()
    {
        var health = Journal.Health;
        if (health.TornRecords > 0 || health.TornBytes > 0 || health.DamagedRecords > 0 || health.DamagedHeaders > 0)
        {
            Audit.Add("system", "repair", string.Create(
                CultureInfo.InvariantCulture,
                $"torn records {health.TornRecords}, torn bytes {health.TornBytes}, damaged records {health.DamagedRecords}, damaged headers {health.DamagedHeaders}"));
        }
    }
}
