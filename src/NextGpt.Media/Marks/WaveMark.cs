using System.Buffers.Binary;
using System.Text;

namespace NextGpt.Media.Marks;

/// <summary>The mark in the INFO list of a WAV file: software, date, and a comment with the whole statement.</summary>
internal static class WaveMark
{
    private const string SourceKey = "DigitalSourceType=";
    private const string ModelKey = "; Model=";
    private const string DateKey = "; Created=";

    public static Dictionary<string, string> Information(GenerationMark mark) => new()
    {
        ["ISFT"] = "NextGpt.Chat",
        ["ICRD"] = XmpPacket.DateOf(mark)[..10],
        ["ICMT"] = $"{SourceKey}{MediaMarks.DigitalSourceType}{ModelKey}{Escape(mark.ModelId)}{DateKey}{XmpPacket.DateOf(mark)}",
    };

    public static byte[] Into(ReadOnlySpan<byte> file, GenerationMark mark)
    {
        var list = WaveFile.InformationList(Information(mark));
        byte[] whole = [.. file, .. file.Length % 2 == 1 ? [0] : Array.Empty<byte>(), .. list];
        BinaryPrimitives.WriteInt32LittleEndian(whole.AsSpan(4), whole.Length - 8);
        return whole;
    }

    public static GenerationMark? Find(ReadOnlySpan<byte> file)
    {
        foreach (var chunk in Chunks(file, 12, "LIST"))
        {
            var list = file[chunk];
            if (!list.StartsWith("INFO"u8))
            {
                continue;
            }

            foreach (var entry in Chunks(list, 4, "ICMT"))
            {
                if (Parse(Encoding.ASCII.GetString(list[entry]).TrimEnd('\0')) is { } mark)
                {
                    return mark;
                }
            }
        }

        return null;
    }

    private static GenerationMark? Parse(string comment)
    {
        var model = comment.IndexOf(ModelKey, StringComparison.Ordinal);
        var date = comment.LastIndexOf(DateKey, StringComparison.Ordinal);
        return model >= 0 && date > model && comment[..model] == SourceKey + MediaMarks.DigitalSourceType
            && XmpPacket.ParseDate(comment[(date + DateKey.Length)..]) is { } created
            ? new GenerationMark(Uri.UnescapeDataString(comment[(model + ModelKey.Length)..date]), created)
            : null;
    }

    // INFO is ASCII: everything else, and what separates the parts, is written as in an address.
    private static string Escape(string modelId) => string.Concat(XmpPacket.Clean(modelId).EnumerateRunes().Select(
        letter => letter.IsAscii && letter.Value is not ('%' or ';') ? letter.ToString() : Uri.EscapeDataString(letter.ToString())));

    private static List<Range> Chunks(ReadOnlySpan<byte> bytes, int start, string type)
    {
        var found = new List<Range>();
        for (var at = (long)start; at + 8 <= bytes.Length;)
        {
            var head = bytes[(int)at..];
            var length = BinaryPrimitives.ReadUInt32LittleEndian(head[4..]);
            if (length > head.Length - 8)
            {
                break;
            }

            if (Encoding.ASCII.GetString(head[..4]) == type)
            {
                found.Add(((int)at + 8)..(int)(at + 8 + length));
            }

            at += 8L + length + (length & 1);
        }

        return found;
    }
}
