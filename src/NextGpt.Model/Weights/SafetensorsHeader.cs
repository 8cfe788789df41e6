using System.Collections.Frozen;
using System.Text.Json;

namespace NextGpt.Model.Weights;

/// <summary>The directory at the start of a safetensors file, believed only after every claim in it was checked.</summary>
/// <remarks>
/// Layout of the file: eight bytes little-endian length, that many bytes of JSON, then the tensors' bytes. The JSON
/// maps each name to <c>dtype</c>, <c>shape</c> and <c>data_offsets</c>, and <c>__metadata__</c> to a map of strings.
/// Nothing here allocates more than the header itself asks for (THR-13).
/// </remarks>
internal sealed class SafetensorsHeader
{
    /// <summary>Longest header accepted, in bytes.</summary>
    public const int MaxHeaderBytes = 16 * 1024 * 1024;

    /// <summary>Most tensors accepted in one file.</summary>
    public const int MaxTensors = 65_536;

    /// <summary>Most dimensions accepted of one tensor.</summary>
    public const int MaxDimensions = 16;

    private static readonly FrozenDictionary<string, SafetensorsType> TypesByWord =
        Enum.GetValues<SafetensorsType>().ToFrozenDictionary(Word, StringComparer.Ordinal);

    private SafetensorsHeader(IReadOnlyDictionary<string, Entry> entries, IReadOnlyDictionary<string, string> metadata)
    {
        Entries = entries;
        Metadata = metadata;
    }

    /// <summary>Every tensor by name.</summary>
    public IReadOnlyDictionary<string, Entry> Entries { get; }

    /// <summary>The strings under <c>__metadata__</c>; empty when there are none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>The word the format uses for a type.</summary>
    public static string Word(SafetensorsType type) =>
        type == SafetensorsType.Bool ? "BOOL" : type.ToString();

    /// <summary>Bytes of one element.</summary>
    public static int ByteSize(SafetensorsType type) => type switch
    {
        SafetensorsType.Bool or SafetensorsType.U8 or SafetensorsType.I8 => 1,
        SafetensorsType.I16 or SafetensorsType.U16 or SafetensorsType.F16 or SafetensorsType.BF16 => 2,
        SafetensorsType.I32 or SafetensorsType.U32 or SafetensorsType.F32 => 4,
        _ => 8,
    };

    /// <summary>Checks the length word of a file.</summary>
    /// <param name="file">For messages.</param>
    /// <param name="headerBytes">What the first eight bytes say.</param>
    /// <param name="fileBytes">Length of the whole file.</param>
    /// <exception cref="InvalidDataException">The length cannot be.</exception>
    public static int CheckLength(string file, ulong headerBytes, long fileBytes)
    {
        if (headerBytes > MaxHeaderBytes)
        {
            throw Bad(file, $"the header claims {headerBytes} bytes, at most {MaxHeaderBytes} are accepted");
        }

        if (headerBytes < 2 || (long)headerBytes > fileBytes - 8)
        {
            throw Bad(file, $"the header claims {headerBytes} bytes, the file has {fileBytes - 8} after its length word");
        }

        return (int)headerBytes;
    }

    /// <summary>Reads and checks a header.</summary>
    /// <param name="file">For messages.</param>
    /// <param name="json">The header's bytes.</param>
    /// <param name="dataBytes">Bytes that follow the header.</param>
    /// <exception cref="InvalidDataException">Names file, tensor and problem.</exception>
    public static SafetensorsHeader Parse(string file, ReadOnlySpan<byte> json, long dataBytes)
    {
        if (json.Length > MaxHeaderBytes)
        {
            throw Bad(file, $"the header has {json.Length} bytes, at most {MaxHeaderBytes} are accepted");
        }

        var entries = new Dictionary<string, Entry>(StringComparer.Ordinal);
        IReadOnlyDictionary<string, string>? metadata = null;
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 4 });
            Expect(ref reader, JsonTokenType.StartObject, file, "the header");
            while (Next(ref reader, file).TokenType != JsonTokenType.EndObject)
            {
                var name = reader.GetString() ?? "";
                if (name == "__metadata__")
                {
                    metadata = metadata is null
                        ? ReadMetadata(ref reader, file)
                        : throw Bad(file, "__metadata__ stands twice in the header");
                    continue;
                }

                CheckName(file, name);
                if (!entries.TryAdd(name, ReadEntry(ref reader, file, name)))
                {
                    throw Bad(file, name, "stands twice in the header");
                }

                if (entries.Count > MaxTensors)
                {
                    throw Bad(file, $"it has more than {MaxTensors} tensors");
                }
            }

            if (reader.Read())
            {
                throw Bad(file, "something follows the header's closing brace");
            }
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException(
                $"{file}: its header is not valid JSON ({broken.Message.ReplaceLineEndings(" ")}); "
                + "the file is damaged or is not safetensors.",
                broken);
        }

        CheckRanges(file, entries, dataBytes);
        return new SafetensorsHeader(entries, metadata ?? FrozenDictionary<string, string>.Empty);
    }

    private static void CheckName(string file, string name)
    {
        if (name.Length == 0 || name.Any(char.IsControl))
        {
            throw Bad(file, "a tensor's name is empty or has control characters");
        }
    }

    private static Dictionary<string, string> ReadMetadata(ref Utf8JsonReader reader, string file)
    {
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        Expect(ref reader, JsonTokenType.StartObject, file, "__metadata__");
        while (Next(ref reader, file).TokenType != JsonTokenType.EndObject)
        {
            var key = reader.GetString() ?? "";
            Expect(ref reader, JsonTokenType.String, file, "a value of __metadata__");
            if (!metadata.TryAdd(key, reader.GetString() ?? ""))
            {
                throw Bad(file, $"__metadata__ has the key '{Shown(key)}' twice");
            }
        }

        return metadata;
    }

    private static Entry ReadEntry(ref Utf8JsonReader reader, string file, string name)
    {
        SafetensorsType? type = null;
        long[]? shape = null;
        long[]? offsets = null;
        Expect(ref reader, JsonTokenType.StartObject, file, $"tensor '{Shown(name)}'");
        while (Next(ref reader, file).TokenType != JsonTokenType.EndObject)
        {
            var key = reader.GetString();
            if ((key == "dtype" && type is not null) || (key == "shape" && shape is not null)
                || (key == "data_offsets" && offsets is not null))
            {
                throw Bad(file, name, $"has {key} twice");
            }

            switch (key)
            {
                case "dtype":
                    type = ReadType(ref reader, file, name);
                    break;
                case "shape":
                    shape = ReadNumbers(ref reader, file, name, "shape", MaxDimensions);
                    break;
                case "data_offsets":
                    offsets = ReadNumbers(ref reader, file, name, "data_offsets", 2);
                    break;
                default:
                    throw Bad(file, name, $"has the unknown entry '{Shown(key ?? "")}'");
            }
        }

        if (type is null || shape is null || offsets is not [var begin, var end])
        {
            throw Bad(file, name, "lacks one of dtype, shape and data_offsets (two numbers)");
        }

        return Checked(file, name, type.Value, shape, begin, end);
    }

    private static Entry Checked(string file, string name, SafetensorsType type, long[] shape, long begin, long end)
    {
        long bytes = ByteSize(type);
        foreach (var size in shape)
        {
            // A zero later on does not excuse a product that overflows on the way.
            if (size != 0 && bytes > long.MaxValue / size)
            {
                throw Bad(file, name, $"has the impossible shape [{string.Join(", ", shape)}]");
            }

            bytes *= size;
        }

        if (end < begin || end - begin != bytes)
        {
            throw Bad(
                file, name,
                $"has shape [{string.Join(", ", shape)}] of {Word(type)}, which is {bytes} bytes, but offsets {begin} to {end}");
        }

        return new Entry(type, shape, begin, end);
    }

    private static SafetensorsType ReadType(ref Utf8JsonReader reader, string file, string name)
    {
        Expect(ref reader, JsonTokenType.String, file, $"dtype of '{Shown(name)}'");
        var word = reader.GetString() ?? "";
        return TypesByWord.TryGetValue(word, out var type)
            ? type
            : throw Bad(
                file, name,
                $"has the type '{Shown(word)}'; known are {string.Join(", ", TypesByWord.Keys.Order(StringComparer.Ordinal))}");
    }

    private static long[] ReadNumbers(ref Utf8JsonReader reader, string file, string name, string what, int most)
    {
        Expect(ref reader, JsonTokenType.StartArray, file, $"{what} of '{Shown(name)}'");
        var numbers = new List<long>();
        while (Next(ref reader, file).TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out var number) || number < 0)
            {
                throw Bad(file, name, $"has something other than whole numbers from 0 up in {what}");
            }

            numbers.Add(number);
            if (numbers.Count > most)
            {
                throw Bad(file, name, $"has more than {most} numbers in {what}");
            }
        }

        return [.. numbers];
    }

    /// <summary>The tensors must tile the data exactly: from 0, without gap or overlap, to the end of the file.</summary>
    private static void CheckRanges(string file, Dictionary<string, Entry> entries, long dataBytes)
    {
        long reached = 0;
        foreach (var (name, entry) in entries.OrderBy(pair => pair.Value.Begin).ThenBy(pair => pair.Value.End))
        {
            if (entry.End > dataBytes)
            {
                throw Bad(file, name, $"ends at byte {entry.End} of the data, which has {dataBytes} (cut short?)");
            }

            if (entry.Begin != reached)
            {
                throw Bad(
                    file, name,
                    $"begins at byte {entry.Begin}, {(entry.Begin < reached ? "inside the tensor before it" : "after a gap")} "
                    + $"({reached} was expected)");
            }

            reached = entry.End;
        }

        if (reached != dataBytes)
        {
            throw Bad(file, $"its tensors end at byte {reached} of the data, which has {dataBytes}");
        }
    }

    private static ref Utf8JsonReader Next(ref Utf8JsonReader reader, string file)
    {
        if (!reader.Read())
        {
            throw Bad(file, "its header ends in the middle");
        }

        return ref reader;
    }

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType type, string file, string what)
    {
        if (Next(ref reader, file).TokenType != type)
        {
            throw Bad(file, $"{what} is {Described(reader.TokenType)}, expected {Described(type)}");
        }
    }

    private static string Described(JsonTokenType type) => type switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "a list",
        JsonTokenType.String => "a string",
        JsonTokenType.Number => "a number",
        _ => type.ToString(),
    };

    private static string Shown(string text)
    {
        var plain = new string([.. text.Select(letter => char.IsControl(letter) ? '?' : letter)]);
        return plain.Length <= 120 ? plain : plain[..120] + "…";
    }

    private static InvalidDataException Bad(string file, string problem) =>
        new($"{file}: {problem}; the file is damaged or is not safetensors.");

    private static InvalidDataException Bad(string file, string name, string problem) =>
        new($"{file}: tensor '{Shown(name)}' {problem}; the file is damaged or is not safetensors.");

    /// <summary>Where a tensor lies.</summary>
    /// <param name="Type">Element type.</param>
    /// <param name="Shape">Row-major, outermost first.</param>
    /// <param name="Begin">First byte, counted from the end of the header.</param>
    /// <param name="End">Byte after the last.</param>
    internal sealed record Entry(SafetensorsType Type, long[] Shape, long Begin, long End);
}
