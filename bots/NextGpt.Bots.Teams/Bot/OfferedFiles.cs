using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace NextGpt.Bots.Teams.Bot;

/// <summary>A file that waits for a person to take it.</summary>
/// <param name="Id">Random, 128 bits.</param>
/// <param name="Name">Made by us.</param>
/// <param name="MediaType">For example <c>audio/wav</c>.</param>
/// <param name="Bytes">The whole file.</param>
/// <param name="PersonId">Whose answer it belongs to.</param>
/// <param name="Conversation">Where it was offered.</param>
internal sealed record OfferedFile(
    string Id, string Name, string MediaType, ReadOnlyMemory<byte> Bytes, string PersonId, string Conversation)
{
    /// <summary>What the person may be told about it.</summary>
    public required string Caption { get; init; }

    internal DateTimeOffset Until { get; init; }
}

/// <summary>
/// Files that were offered and not yet taken, and those behind links: in memory, bounded, for as long as links live.
/// Thread-safe.
/// </summary>
internal sealed class OfferedFiles(TeamsOptions options, TeamsState state, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, OfferedFile> _files = new(StringComparer.Ordinal);
    private readonly HashSet<string> _taken = new(StringComparer.Ordinal);
    private readonly byte[] _key = state.Key;
    private long _bytes;

    /// <summary>Files that wait.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _files.Count;
            }
        }
    }

    /// <summary>Keeps a file; the oldest make room.</summary>
    public OfferedFile Add(
        string name, string mediaType, ReadOnlyMemory<byte> bytes, string caption, string personId, string conversation)
    {
        var file = new OfferedFile(
            Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)), name, mediaType, bytes, personId, conversation)
        {
            Caption = caption,
            Until = time.GetUtcNow() + options.LinkLifetime,
        };
        lock (_gate)
        {
            _files.Add(file.Id, file);
            _bytes += bytes.Length;
            var most = options.MaxOfferedMegabytes * 1024L * 1024;
            foreach (var old in _files.Values.OrderBy(other => other.Until).ToList())
            {
                if (_bytes <= most && old.Until > time.GetUtcNow())
                {
                    break;
                }

                Remove(old);
            }
        }

        return file;
    }

    /// <summary>A file for the one who takes it, once; null for everybody else and the second time.</summary>
    public OfferedFile? Take(string id, string personId)
    {
        lock (_gate)
        {
            return _files.TryGetValue(id, out var file) && file.PersonId == personId && file.Until > time.GetUtcNow()
                && _taken.Add(id) ? file : null;
        }
    }

    /// <summary>Gives a file up.</summary>
    public void Drop(string id)
    {
        lock (_gate)
        {
            if (_files.TryGetValue(id, out var file))
            {
                Remove(file);
            }
        }
    }

    /// <summary>Gives up what is of a person or of a conversation.</summary>
    public void DropAll(Func<OfferedFile, bool> which)
    {
        lock (_gate)
        {
            foreach (var file in _files.Values.Where(which).ToList())
            {
                Remove(file);
            }
        }
    }

    /// <summary>The link of a file; null where the server has no public address.</summary>
    public string? LinkTo(OfferedFile file)
    {
        var until = file.Until.ToUnixTimeSeconds();
        return options.PublicAddress is { } own
            ? string.Create(
                CultureInfo.InvariantCulture, $"{own.TrimEnd('/')}/teams/media/{file.Id}?until={until}&mark={Mark(file.Id, until)}")
            : null;
    }

    /// <summary>The file of a link; null if the link is not ours or too old, or the file is gone.</summary>
    public OfferedFile? Find(string id, long until, string mark)
    {
        var genuine = CryptographicOperations.FixedTimeEquals(
            Encoding.ASCII.GetBytes(Mark(id, until)), Encoding.ASCII.GetBytes(mark));
        lock (_gate)
        {
            return genuine && until > time.GetUtcNow().ToUnixTimeSeconds() ? _files.GetValueOrDefault(id) : null;
        }
    }

    /// <summary>Marks a card for a person, so that nobody can make one up (K2).</summary>
    public string CardMark(string personId) => Mark($"card\n{personId}", 0);

    private void Remove(OfferedFile file)
    {
        _files.Remove(file.Id);
        _taken.Remove(file.Id);
        _bytes -= file.Bytes.Length;
    }

    private string Mark(string id, long until) => Convert.ToHexStringLower(HMACSHA256.HashData(
        _key, Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}\n{until}"))))[..32];
}
