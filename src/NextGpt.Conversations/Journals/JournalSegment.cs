using System.Globalization;
using NextGpt.Conversations.Files;

namespace NextGpt.Conversations.Journals;

/// <summary>One file of a journal, open for as long as somebody may read from it.</summary>
internal sealed class JournalSegment(string path, long firstSequence, IOpenFile file) : IDisposable
{
    public const string Ending = ".journal";
    private long _committed;

    public string Path => path;

    public long FirstSequence => firstSequence;

    public IOpenFile File => file;

    /// <summary>Bytes that are flushed and acknowledged; what lies behind is not to be read.</summary>
    public long Committed
    {
        get => Volatile.Read(ref _committed);
        set => Volatile.Write(ref _committed, value);
    }

    public static string NameOf(long firstSequence) => firstSequence.ToString("D20", CultureInfo.InvariantCulture) + Ending;

    /// <summary>The number in a segment's name, or false if it is not one of ours.</summary>
    public static bool TryFirstSequence(string path, out long firstSequence)
    {
        firstSequence = 0;
        var name = System.IO.Path.GetFileName(path);
        return name.EndsWith(Ending, StringComparison.Ordinal)
            && name.Length == 20 + Ending.Length
            && long.TryParse(name[..20], NumberStyles.None, CultureInfo.InvariantCulture, out firstSequence)
            && firstSequence > 0;
    }

    public void Dispose() => file.Dispose();
}
