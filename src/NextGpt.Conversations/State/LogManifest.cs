using System.Globalization;
using System.Text.Json;
using NextGpt.Conversations.Files;

namespace NextGpt.Conversations.State;

/// <summary>
/// Names the journal folder and the key file that are in force. Replacing this one small file is what makes compaction
/// and restore atomic.
/// </summary>
/// <param name="Schema">
/// Version of the folder's layout. It is raised only when something is written that an older program must not touch: a
/// program that passed over the names of conversations or the links of turns could not erase them, so it has to refuse the
/// log (LOG-7). Records stay as they are, so there is nothing to convert and nothing to copy first.
/// </param>
/// <param name="Generation">Number of the journal folder.</param>
/// <param name="KeyFile">Name of the key file.</param>
internal sealed record LogManifest(int Schema, int Generation, string KeyFile)
{
    public const int SchemaWithNames = 2;
    public const int SchemaWithLinks = 3;
    public const int CurrentSchema = SchemaWithLinks;
    private const int FirstSchema = 1;
    public const string FirstKeyFile = "person.key";
    private const string FileName = "manifest.json";
    private const string JournalPrefix = "journal-";

    public string JournalFolder => JournalPrefix + Generation.ToString("D4", CultureInfo.InvariantCulture);

    /// <summary>Reads the manifest, or writes the first one into an empty folder.</summary>
    /// <exception cref="LogTooNewException">A later version wrote it.</exception>
    /// <exception cref="InvalidDataException">It is damaged beyond what can be guessed.</exception>
    public static LogManifest Open(IFileLayer files, string folder)
    {
        var path = Path.Combine(folder, FileName);
        var manifest = TryRead(files, path) ?? FromFolders(files, folder);
        if (manifest.Schema > CurrentSchema)
        {
            throw LogTooNewException.Of(FileName, manifest.Schema, CurrentSchema);
        }

        if (TryRead(files, path) != manifest)
        {
            manifest.Write(files, folder);
        }

        return manifest;
    }

    /// <summary>The manifest of a folder, or null if there is none that can be read.</summary>
    public static LogManifest? TryRead(IFileLayer files, string path)
    {
        try
        {
            return files.FileExists(path)
                ? JsonSerializer.Deserialize(files.Read(path, 64 * 1024), LogJson.Plain.LogManifest) is
                { Generation: > 0 } read && Path.GetFileName(read.KeyFile) == read.KeyFile && read.KeyFile.Length > 0
                    ? read
                    : null
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public void Write(IFileLayer files, string folder) =>
        files.Write(
            Path.Combine(folder, FileName), JsonSerializer.SerializeToUtf8Bytes(this, LogJson.Plain.LogManifest));

    /// <summary>Removes journals and files that an unfinished compaction or restore left, and those it replaced.</summary>
    public void Sweep(IFileLayer files, string folder)
    {
        foreach (var path in files.ListFolders(folder))
        {
            var name = Path.GetFileName(path);
            if ((name.StartsWith(JournalPrefix, StringComparison.Ordinal) && name != JournalFolder)
                || name.EndsWith(WholeFile.Unfinished, StringComparison.Ordinal))
            {
                files.DeleteFolder(path);
            }
        }

        foreach (var path in files.ListFiles(folder))
        {
            var name = Path.GetFileName(path);
            if (name.EndsWith(WholeFile.Unfinished, StringComparison.Ordinal)
                || (name.StartsWith("person", StringComparison.Ordinal)
                    && name.EndsWith(".key", StringComparison.Ordinal) && name != KeyFile))
            {
                files.Delete(path);
            }
        }
    }

    private static LogManifest FromFolders(IFileLayer files, string folder)
    {
        // Without a manifest there is at most one finished journal: a second one comes into being only beside a manifest.
        var (schema, generation) = (FirstSchema, 1);
        foreach (var path in files.ListFolders(folder))
        {
            var name = Path.GetFileName(path);
            if (name.StartsWith(JournalPrefix, StringComparison.Ordinal)
                && int.TryParse(name[JournalPrefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var found))
            {
                (schema, generation) = (CurrentSchema, Math.Max(generation, found));   // what is in it is not known
            }
        }

        var key = files.ListFiles(folder).Select(path => Path.GetFileName(path))
            .LastOrDefault(name => name.StartsWith("person", StringComparison.Ordinal)
                && name.EndsWith(".key", StringComparison.Ordinal));
        return new(schema, generation, key ?? FirstKeyFile);
    }
}

/// <summary>What a backup says about itself.</summary>
/// <param name="Schema">Version of the layout.</param>
/// <param name="Sequence">Last record in it.</param>
/// <param name="CreatedAt">When, UTC.</param>
/// <param name="KeyFile">Name of the key file in it.</param>
/// <param name="Files">Every file in it.</param>
internal sealed record BackupManifest(
    int Schema, long Sequence, DateTimeOffset CreatedAt, string KeyFile, IReadOnlyList<BackupFile> Files);

/// <summary>A file of a backup.</summary>
/// <param name="Name">Path inside the backup with forward slashes.</param>
/// <param name="Bytes">Length.</param>
/// <param name="Sha256">Hash, hexadecimal.</param>
internal sealed record BackupFile(string Name, long Bytes, string Sha256);
