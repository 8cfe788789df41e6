using System.Security.Cryptography;
using System.Text.Json;
using NextGpt.Conversations.Files;
using NextGpt.Conversations.Journals;

namespace NextGpt.Conversations.State;

/// <summary>What is looked at before a backup takes a log's place.</summary>
internal static class BackupCheck
{
    private const int MostFiles = 10_000_000;

    /// <summary>Reads a backup's manifest and compares every file with it.</summary>
    /// <exception cref="InvalidDataException">Something is missing, foreign or changed; the message names it.</exception>
    /// <exception cref="LogTooNewException">A later version made it.</exception>
    public static BackupManifest Verify(IFileLayer files, string backup, string manifestName)
    {
        var path = Path.Combine(backup, manifestName);
        if (!files.FileExists(path))
        {
            throw new InvalidDataException(
                $"{Path.GetFileName(backup)} is not a finished backup: it has no {manifestName}; name a folder that `log backup` made.");
        }

        BackupManifest manifest;
        try
        {
            manifest = JsonSerializer.Deserialize(files.Read(path), LogJson.Plain.BackupManifest)
                ?? throw new JsonException();
        }
        catch (JsonException)
        {
            throw new InvalidDataException($"{manifestName} of the backup is damaged; use another backup.");
        }

        if (manifest.Schema > LogManifest.CurrentSchema)
        {
            throw LogTooNewException.Of(manifestName, manifest.Schema, LogManifest.CurrentSchema);
        }

        if (manifest.Files is null or { Count: > MostFiles } || Path.GetFileName(manifest.KeyFile) != manifest.KeyFile)
        {
            throw new InvalidDataException($"{manifestName} of the backup is damaged; use another backup.");
        }

        foreach (var file in manifest.Files)
        {
            CheckFile(files, backup, file);
        }

        var key = manifest.Files.Any(file => file.Name == manifest.KeyFile);
        return key ? manifest : throw new InvalidDataException("The backup lacks its key file; use another backup.");
    }

    /// <summary>
    /// Every act of taking back that is known here: from the log in place, and from the copies beside backups. A log that
    /// cannot be read is why one restores, so its journal is read as far as it goes.
    /// </summary>
    public static IReadOnlyList<Tombstone> ActsSince(IFileLayer files, string folder, params string?[] backupFolders)
    {
        var acts = new Dictionary<string, Tombstone>(StringComparer.Ordinal);
        var manifest = LogManifest.Open(files, folder);
        var state = new LogState();
        using (Journal.Open(files, Path.Combine(folder, manifest.JournalFolder), state.Apply))
        {
            foreach (var act in state.Tombstones)
            {
                acts[act.Id] = act;
            }
        }

        foreach (var backups in backupFolders.OfType<string>().Distinct(StringComparer.Ordinal))
        {
            foreach (var act in LogCore.ReadTombstones(files, backups))
            {
                acts.TryAdd(act.Id, act);
            }
        }

        return [.. acts.Values.OrderBy(act => act.UtcTicks)];
    }

    private static void CheckFile(IFileLayer files, string backup, BackupFile file)
    {
        // Names come from a file somebody may have changed: only the three shapes we write are followed (THR-14).
        var parts = file.Name.Split('/');
        var isOurs = parts.All(part => part.Length > 0 && part is not ("." or "..") && Path.GetFileName(part) == part)
            && (parts.Length == 1 || (parts.Length == 2 && parts[0] is "journal" or "media"));
        if (!isOurs)
        {
            throw new InvalidDataException("The backup's list names a file outside of it; use another backup.");
        }

        var path = Path.Combine([backup, .. parts]);
        if (!files.FileExists(path))
        {
            throw new InvalidDataException($"The backup lacks {file.Name}; use another backup.");
        }

        var bytes = files.Read(path);
        if (bytes.Length != file.Bytes || Convert.ToHexStringLower(SHA256.HashData(bytes)) != file.Sha256)
        {
            throw new InvalidDataException($"{file.Name} of the backup is damaged; use another backup.");
        }
    }
}
