using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using NextGpt.Conversations.Files;
using NextGpt.Conversations.Journals;
using NextGpt.Conversations.State;

namespace NextGpt.Conversations.Audit;

/// <summary>
/// The trail of acts (consent, exports, erasures, admin acts), without content, each entry chained to the one before by
/// SHA-256 so that nothing can be taken out or changed unnoticed. Only entries past their year are removed, from the old
/// end. Used by the writer's thread; reading is thread-safe.
/// </summary>
internal sealed class AuditTrail : IDisposable
{
    private readonly Journal _journal;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private readonly List<(AuditEntry Entry, RecordLocation Location)> _entries = [];

    private AuditTrail(TimeProvider time, IFileLayer files, string folder)
    {
        _time = time;
        _journal = Journal.Open(files, folder, Take);
    }

    public static AuditTrail Open(IFileLayer files, string folder, TimeProvider time) => new(time, files, folder);

    /// <summary>All entries, oldest first.</summary>
    public IReadOnlyList<AuditEntry> Entries
    {
        get
        {
            lock (_lock)
            {
                return [.. _entries.Select(pair => pair.Entry)];
            }
        }
    }

    /// <summary>Adds an entry and returns once it is on the disk.</summary>
    public void Add(string actor, string act, string detail)
    {
        var at = _time.GetUtcNow().ToUniversalTime();
        var number = _journal.LastSequence + 1;
        string before;
        lock (_lock)
        {
            before = _entries.Count > 0 ? _entries[^1].Entry.Hash : "";
        }

        var hash = HashOf(before, number, at.Ticks, actor, act, detail);
        var head = new RecordHead(RecordKind.Audit, RecordFlags.None, 0, 0, 0, 0, at.Ticks);
        var content = JsonSerializer.SerializeToUtf8Bytes(
            new AuditContent(actor, act, detail, hash), LogJson.Plain.AuditContent);
        var location = _journal.Append([new(head, content)])[0];
        Take(head, location, content);
    }

    /// <summary>Whether every remaining entry follows from the one before, and none is damaged or missing.</summary>
    public bool IsSound()
    {
        var health = _journal.Check();
        if (health.DamagedRecords > 0)
        {
            return false;
        }

        var entries = Entries;
        for (var i = 1; i < entries.Count; i++)
        {
            var entry = entries[i];
            if (entry.Hash != HashOf(
                entries[i - 1].Hash, entry.Number, entry.At.Ticks, entry.Actor, entry.Act, entry.Detail))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Removes entries before a moment; the first one that stays keeps its hash as the anchor.</summary>
    public int RemoveBefore(DateTimeOffset moment)
    {
        List<RecordLocation> old;
        lock (_lock)
        {
            var count = _entries.TakeWhile(pair => pair.Entry.At < moment).Count();
            count = Math.Min(count, _entries.Count - 1);   // the last entry stays: the chain goes on from it
            old = [.. _entries.Take(Math.Max(count, 0)).Select(pair => pair.Location)];
            _entries.RemoveRange(0, old.Count);
        }

        _journal.Overwrite(old);
        return old.Count;
    }

    public void Dispose() => _journal.Dispose();

    private static string HashOf(string before, long number, long ticks, string actor, string act, string detail)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"{before}\n{number}\n{ticks}\n{actor}\n{act}\n{detail}");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }

    private void Take(in RecordHead head, RecordLocation location, ReadOnlySpan<byte> content)
    {
        if (head.Kind is not RecordKind.Audit
            || JsonSerializer.Deserialize(content, LogJson.Plain.AuditContent) is not { } read)
        {
            return;
        }

        var at = new DateTimeOffset(head.UtcTicks, TimeSpan.Zero);
        lock (_lock)
        {
            _entries.Add((new(location.Sequence, at, read.Actor, read.Act, read.Detail, read.Hash), location));
        }
    }
}
