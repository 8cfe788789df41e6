using System.Globalization;
using System.IO.Compression;
using System.Text.Encodings.Web;
using System.Text.Json;
using NextGpt.Conversations.Files;
using NextGpt.Conversations.State;

namespace NextGpt.Conversations;

/// <summary>What a person takes home (PRI-3).</summary>
public sealed partial class ConversationLog
{
    private static readonly TimeSpan ExportLife = TimeSpan.FromHours(24);

    private static readonly JsonWriterOptions Readable = new()
    {
        Indented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Writes a ZIP of a person's turns (JSON and media) (PRI-3).</summary>
    /// <exception cref="LogUnavailableException">The disk of the log fails.</exception>
    public async Task ExportAsync(
        PersonKey person, Stream destination, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(destination);
        await WriteExportAsync(person, destination, cancellationToken);
    }

    /// <summary>Makes an export that waits 24 hours for its person.</summary>
    /// <exception cref="LogUnavailableException">The disk fails.</exception>
    public async Task<ExportTicket> PrepareExportAsync(PersonKey person, CancellationToken cancellationToken = default)
    {
        var owner = NumberOf(person);
        using var zip = new MemoryStream();
        var turns = await WriteExportAsync(person, zip, cancellationToken);
        var (id, expires) = (Guid.NewGuid().ToString("N"), Now().Add(ExportLife));
        return await _writer.AloneAsync(core =>
        {
            // Written between two flushes: an erasure that came first leaves nothing to find here.
            if (!_files.FolderExists(core.ExportFolder))
            {
                _files.CreateFolder(core.ExportFolder);
                _files.FlushFolder(_folder);
            }

            if (turns > 0 && core.State.Turns.Where(turn => turn.Person == owner).Count == 0)
            {
                throw new InvalidOperationException("Everything was erased while the export was being made; nothing is left to export.");
            }

            _files.Write(ExportPath(core, person, id, expires), zip.GetBuffer().AsSpan(0, (int)zip.Length));
            return new ExportTicket(id, expires, turns);
        });
    }

    /// <summary>The bytes of a prepared export, or null if it is not this person's, expired or erased.</summary>
    /// <exception cref="LogUnavailableException">The disk fails.</exception>
    public byte[]? ReadExport(PersonKey person, string id)
    {
        NumberOf(person);
        if (!TurnDirectory.TryNumber(id, out _))
        {
            return null;
        }

        var prefix = $"{person.Value}-{id}-";
        var path = _files.ListFiles(Core().ExportFolder)
            .FirstOrDefault(path => Path.GetFileName(path).StartsWith(prefix, StringComparison.Ordinal));
        return path is not null && ExpiryOf(path) > Now() ? _files.Read(path, int.MaxValue) : null;
    }

    private static string ExportPath(LogCore core, PersonKey person, string id, DateTimeOffset expires) => Path.Combine(
        core.ExportFolder,
        string.Create(CultureInfo.InvariantCulture, $"{person.Value}-{id}-{expires.UtcTicks:D19}.zip"));

    private static DateTimeOffset ExpiryOf(string path)
    {
        var name = Path.GetFileNameWithoutExtension(path);
        var ticks = name.Length > 19 && long.TryParse(
            name[^19..], NumberStyles.None, CultureInfo.InvariantCulture, out var read) ? read : 0;
        return new(Math.Min(ticks, DateTimeOffset.MaxValue.UtcTicks), TimeSpan.Zero);
    }

    private async Task<int> WriteExportAsync(PersonKey person, Stream destination, CancellationToken cancellationToken)
    {
        var turns = await ReadAsync(person, cancellationToken);
        var media = new Dictionary<string, string>(StringComparer.Ordinal);
        var zip = await ZipArchive.CreateAsync(
            destination, ZipArchiveMode.Create, leaveOpen: true, entryNameEncoding: null, cancellationToken);
        await using (zip)
        {
            await WriteEntryAsync(zip, "README.txt", """
                Everything this program keeps of you. conversations.json: your turns, votes, names of conversations and consent, as stored after
                redaction. media/: files of your turns, named by SHA-256. The answers were made by an AI model and may be wrong.

                """u8.ToArray(), cancellationToken);
            await WriteEntryAsync(
                zip, "conversations.json", TurnsJson(person, turns, media), cancellationToken);
            foreach (var (hash, name) in media)
            {
                if (Core().Media.Read(hash) is { } bytes)
                {
                    await WriteEntryAsync(zip, name, bytes, cancellationToken);
                }
            }
        }

        await _writer.AloneAsync(core =>
        {
            core.Audit.Add(person.Value, "export", string.Create(CultureInfo.InvariantCulture, $"turns {turns.Count}"));
            return true;
        });
        return turns.Count;
    }

    private static async Task WriteEntryAsync(
        ZipArchive zip, string name, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        var stream = await zip.CreateEntry(name, CompressionLevel.Fastest).OpenAsync(cancellationToken);
        await using (stream)
        {
            await stream.WriteAsync(bytes, cancellationToken);
        }
    }

    private byte[] TurnsJson(PersonKey person, IReadOnlyList<LoggedTurn> turns, Dictionary<string, string> media)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Readable))
        {
            var consent = GetConsent(person);
            json.WriteStartObject();
            json.WriteString("person", person.Value);
            json.WriteString("exportedAt", Now().UtcDateTime);
            json.WriteStartObject("consent");
            json.WriteBoolean("keep", consent.Keep);
            json.WriteBoolean("train", consent.Train);
            json.WriteString("textVersion", consent.TextVersion);
            json.WriteString("since", consent.Since?.UtcDateTime.ToString("O", CultureInfo.InvariantCulture));
            json.WriteEndObject();
            json.WriteStartArray("names");
            foreach (var (_, conversation) in Core().State.Names.Of(NumberOf(person)))
            {
                json.WriteStartObject();
                json.WriteString("conversation", conversation);
                json.WriteString("name", ReadConversationName(person, conversation));
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteStartArray("turns");
            foreach (var turn in turns)
            {
                WriteTurn(json, turn, media);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }

    private void WriteTurn(Utf8JsonWriter json, LoggedTurn logged, Dictionary<string, string> media)
    {
        var turn = logged.Turn;
        json.WriteStartObject();
        json.WriteString("id", turn.TurnId);
        json.WriteNumber("sequence", logged.Sequence);
        json.WriteString("conversation", turn.ConversationId);
        json.WriteString("follows", turn.ParentTurnId);
        json.WriteString("surface", turn.Surface);
        json.WriteString("askedAt", turn.AskedAt.UtcDateTime);
        json.WriteString("answeredAt", turn.AnsweredAt.UtcDateTime);
        json.WriteString("question", turn.Question);
        json.WriteString("answer", turn.Answer);
        json.WriteString("model", turn.ModelId);
        json.WriteNumber("seed", turn.Seed);
        json.WriteString("finish", turn.FinishReason);
        json.WriteString("vote", logged.Vote.ToString());
        json.WriteString("reason", logged.VoteReason);
        json.WriteString("correction", logged.Correction);
        json.WriteBoolean("mayTrain", logged.Trainable);
        json.WriteNumber("redactions", logged.Redactions);
        json.WriteStartArray("media");
        foreach (var medium in MediaIn(logged))
        {
            var name = $"media/{medium.Hash}{EndingOf(medium.MediaType)}";
            media[medium.Hash] = name;
            json.WriteStartObject();
            json.WriteString("file", name);
            json.WriteString("type", medium.MediaType);
            json.WriteBoolean("yours", medium.FromPerson);
            json.WriteString("caption", medium.Caption);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private IReadOnlyList<MediumContent> MediaIn(LoggedTurn logged) =>
        logged.MediaHashes.Count > 0
        && Core().State.Turns.Find(TurnDirectory.Number(logged.Turn.TurnId)) is { } entry
            ? ReadContent(entry)?.Media ?? []
            : [];

    private static string EndingOf(string mediaType) => mediaType switch
    {
        "image/png" => ".png",
        "image/jpeg" => ".jpg",
        "image/webp" => ".webp",
        "image/gif" => ".gif",
        "audio/wav" or "audio/x-wav" => ".wav",
        "audio/mpeg" => ".mp3",
        "audio/ogg" => ".ogg",
        "video/mp4" => ".mp4",
        "video/webm" => ".webm",
        _ => ".bin",
    };

    private int RemoveOldExports()
    {
        var (removed, folder) = (0, Core().ExportFolder);
        foreach (var path in _files.ListFiles(folder).Where(path => ExpiryOf(path) <= Now()))
        {
            _files.Delete(path);
            removed++;
        }

        if (removed > 0)
        {
            _files.FlushFolder(folder);
        }

        return removed;
    }
}
