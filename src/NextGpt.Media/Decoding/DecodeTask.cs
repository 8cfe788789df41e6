using System.Text.Json;
using System.Text.Json.Serialization;

namespace NextGpt.Media.Decoding;

/// <summary>What a decoding process is asked to do with one file.</summary>
internal sealed record DecodeTask
{
    /// <summary>Longest task as JSON, in bytes.</summary>
    public const int LongestBytes = 16 * 1024;

    /// <summary>Index into <see cref="MediaFormat.All"/>.</summary>
    public required int Format { get; init; }

    /// <summary>What sentences call the file.</summary>
    public required string Subject { get; init; }

    /// <summary>How much may be decoded.</summary>
    public required MediaFileOptions Limits { get; init; }

    /// <summary>The program ffmpeg, or null.</summary>
    public string? Ffmpeg { get; init; }

    /// <summary>The program ffprobe, or null.</summary>
    public string? Ffprobe { get; init; }

    /// <summary>Instead of decoding: try what a decoder must not be able to do, for tests and <c>doctor</c>.</summary>
    public bool Probe { get; init; }

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, DecodeTaskJson.Default.DecodeTask);

    public static DecodeTask FromJson(ReadOnlySpan<byte> json) =>
        JsonSerializer.Deserialize(json, DecodeTaskJson.Default.DecodeTask)
            ?? throw new InvalidDataException("A decoding task was expected.");
}

/// <summary>Its JSON, generated so that a fresh process need not look at types.</summary>
[JsonSerializable(typeof(DecodeTask))]
internal sealed partial class DecodeTaskJson : JsonSerializerContext;
