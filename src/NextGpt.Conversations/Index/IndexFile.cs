using LiteDB;
using LiteDB.Engine;

namespace NextGpt.Conversations.Index;

/// <summary>
/// The only type that touches LiteDB. It is used by one thread, directly on the file, with typed rows, and hands out lists: what
/// LiteDB 5.0.20 gets wrong beyond that is out of reach (LOG-4; a test compares the calls with a list of allowed ones).
/// </summary>
internal sealed class IndexFile : IDisposable
{
    private readonly LiteDatabase _database;
    private readonly ILiteCollection<TurnRow> _turns;
    private readonly string _path;

    /// <summary>Opens or makes the file.</summary>
    public IndexFile(string path)
        : this(path, new LiteEngine(new EngineSettings { Filename = path, Collation = Collation.Binary }))
    {
    }

    private IndexFile(string path, LiteEngine engine)
    {
        _path = path;
        _database = new(engine, new BsonMapper { TrimWhitespace = false, EmptyStringToNull = false });
        try
        {
            _turns = _database.GetCollection<TurnRow>("turns");
            _turns.EnsureIndex(nameof(TurnRow.PersonOrder), nameof(TurnRow.PersonOrder));
            _turns.EnsureIndex(nameof(TurnRow.ConversationOrder), nameof(TurnRow.ConversationOrder));
        }
        catch
        {
            _database.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Makes a new file with these rows. Up to <paramref name="most"/> rows are put together in memory: LiteDB then waits
    /// for no disk, and the file is written in one go.
    /// </summary>
    public static void Make(string path, IEnumerable<TurnRow> rows, int count, int most = 200_000)
    {
        if (count > most)
        {
            using var large = new IndexFile(path);
            large.Fill(rows);
            large.Checkpoint();
            return;
        }

        using var data = new MemoryStream();
        using var log = new MemoryStream();
        using (var file = new IndexFile(path, new LiteEngine(new EngineSettings
        {
            DataStream = data,
            LogStream = log,
            Collation = Collation.Binary,
        })))
        {
            file.Fill(rows);
            file.Checkpoint();
        }

        File.WriteAllBytes(path, data.ToArray());
    }

    /// <summary>Bytes of LiteDB's own log beside the file.</summary>
    public long LogBytes => File.Exists(LogPathOf(_path)) ? new FileInfo(LogPathOf(_path)).Length : 0;

    /// <summary>Where LiteDB puts its log.</summary>
    public static string LogPathOf(string path) => Path.Combine(
        Path.GetDirectoryName(path)!, Path.GetFileNameWithoutExtension(path) + "-log" + Path.GetExtension(path));

    public void Put(IReadOnlyList<TurnRow> rows) => _turns.Upsert(rows);

    public void Remove(IReadOnlyList<long> sequences)
    {
        foreach (var sequence in sequences)
        {
            _turns.Delete(sequence);
        }
    }

    public void SetVote(long sequence, TurnVote vote)
    {
        if (_turns.FindById(sequence) is { } row)
        {
            row.Vote = (int)vote;
            row.Check = row.Sum();
            _turns.Update(row);
        }
    }

    public TurnRow? Find(long sequence) => Sound(_turns.FindById(sequence));

    public int Count() => _turns.Count();

    /// <summary>Rows of a person between two sequences (both included), newest first if asked.</summary>
    public List<TurnRow> OfPerson(string person, long from, long to, int most, bool newestFirst) => Between(
        nameof(TurnRow.PersonOrder), TurnRow.OrderOf(person, from), TurnRow.OrderOf(person, to), most, newestFirst);

    /// <summary>Rows of a person's conversation, oldest first.</summary>
    public List<TurnRow> OfConversation(string person, string conversation, int most) => Between(
        nameof(TurnRow.ConversationOrder),
        TurnRow.OrderOf(person, conversation, 0),
        TurnRow.OrderOf(person, conversation, long.MaxValue),
        most,
        newestFirst: false);

    /// <summary>Rows from a sequence on, oldest first.</summary>
    public List<TurnRow> From(long sequence, int most) =>
        [.. _turns.Query().Where(Query.GTE("_id", sequence)).OrderBy("_id").Limit(most).ToArray().Select(Sound).OfType<TurnRow>()];

    public void Checkpoint() => _database.Checkpoint();

    public void Dispose() => _database.Dispose();

    private void Fill(IEnumerable<TurnRow> rows)
    {
        foreach (var some in rows.Chunk(2_000))
        {
            _turns.InsertBulk(some, some.Length);
        }
    }

    private static TurnRow? Sound(TurnRow? row) => row is null || row.Check == row.Sum()
        ? row
        : throw new InvalidDataException("A row of the index does not match its checksum.");

    private List<TurnRow> Between(string field, string low, string high, int most, bool newestFirst)
    {
        var query = _turns.Query().Where(Query.Between(field, low, high));
        query = newestFirst ? query.OrderByDescending(field) : query.OrderBy(field);
        var rows = query.Limit(most).ToArray();
        return [.. rows.Select(Sound).OfType<TurnRow>()];
    }
}
