using System.Buffers.Binary;

namespace NextGpt.Media;

/// <summary>A file format, known by its first bytes; what a sender calls a file is only a hint (THR-8).</summary>
/// <param name="Kind">Picture, sound or clip.</param>
/// <param name="MediaType">For example <c>image/png</c>.</param>
/// <param name="Extension">Without the dot, for example <c>png</c>.</param>
public sealed record MediaFormat(MediaKind Kind, string MediaType, string Extension)
{
    /// <summary>Portable Network Graphics.</summary>
    public static readonly MediaFormat Png = new(MediaKind.Image, "image/png", "png");

    /// <summary>JPEG.</summary>
    public static readonly MediaFormat Jpeg = new(MediaKind.Image, "image/jpeg", "jpg");

    /// <summary>WebP, still or animated.</summary>
    public static readonly MediaFormat WebP = new(MediaKind.Image, "image/webp", "webp");

    /// <summary>GIF, still or animated.</summary>
    public static readonly MediaFormat Gif = new(MediaKind.Image, "image/gif", "gif");

    /// <summary>RIFF WAVE.</summary>
    public static readonly MediaFormat Wav = new(MediaKind.Audio, "audio/wav", "wav");

    /// <summary>MPEG audio, layer 3.</summary>
    public static readonly MediaFormat Mp3 = new(MediaKind.Audio, "audio/mpeg", "mp3");

    /// <summary>Ogg (Vorbis, Opus).</summary>
    public static readonly MediaFormat Ogg = new(MediaKind.Audio, "audio/ogg", "ogg");

    /// <summary>FLAC.</summary>
    public static readonly MediaFormat Flac = new(MediaKind.Audio, "audio/flac", "flac");

    /// <summary>Audio in an MP4 container.</summary>
    public static readonly MediaFormat M4a = new(MediaKind.Audio, "audio/mp4", "m4a");

    /// <summary>MP4.</summary>
    public static readonly MediaFormat Mp4 = new(MediaKind.Video, "video/mp4", "mp4");

    /// <summary>WebM (Matroska).</summary>
    public static readonly MediaFormat WebM = new(MediaKind.Video, "video/webm", "webm");

    /// <summary>Every format the product knows by sight, in the order of its messages.</summary>
    public static IReadOnlyList<MediaFormat> All { get; } = [Png, Jpeg, WebP, Gif, Wav, Mp3, Ogg, Flac, M4a, Mp4, WebM];

    /// <summary>The name in messages to people, for example <c>JPEG</c> or <c>WebM</c>.</summary>
    public string DisplayName => Extension switch
    {
        "jpg" => "JPEG",
        "webp" => "WebP",
        "webm" => "WebM",
        _ => Extension.ToUpperInvariant(),
    };

    /// <summary>Whether a file of this format can turn out to be of a kind: a GIF or WebP may be a clip.</summary>
    /// <param name="kind">The kind.</param>
    public bool MayHold(MediaKind kind) => Kind == kind || (kind == MediaKind.Video && (this == Gif || this == WebP));

    /// <summary>The format of a file by its first bytes, or null if it is none of <see cref="All"/>.</summary>
    /// <param name="file">The file, or at least its first 64 bytes.</param>
    public static MediaFormat? Sniff(ReadOnlySpan<byte> file) => file switch
    {
        [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A, ..] => Png,
        [0xFF, 0xD8, 0xFF, ..] => Jpeg,
        [(byte)'G', (byte)'I', (byte)'F', (byte)'8', (byte)'7' or (byte)'9', (byte)'a', ..] => Gif,
        _ when IsRiff(file, "WEBP"u8) => WebP,
        _ when IsRiff(file, "WAVE"u8) => Wav,
        _ when file.StartsWith("OggS"u8) => Ogg,
        _ when file.StartsWith("fLaC"u8) => Flac,
        _ when file.StartsWith("ID3"u8) => Mp3,
        _ when IsMpegLayer3Frame(file) => Mp3,
        _ when file.Length >= 12 && file[4..8].SequenceEqual("ftyp"u8) => IsoContainer(file[8..12]),
        [0x1A, 0x45, 0xDF, 0xA3, ..] when file[..Math.Min(file.Length, 64)].IndexOf("webm"u8) >= 0 => WebM,
        _ => null,
    };

    private static bool IsRiff(ReadOnlySpan<byte> file, ReadOnlySpan<byte> form) =>
        file.Length >= 12 && file.StartsWith("RIFF"u8) && file[8..12].SequenceEqual(form);

    // Brand "M4A " and its audiobook kin are sound; other MP4 brands are taken for clips.
    private static MediaFormat? IsoContainer(ReadOnlySpan<byte> brand) =>
        brand.StartsWith("M4A"u8) || brand.StartsWith("M4B"u8) ? M4a
        : brand.StartsWith("isom"u8) || brand.StartsWith("iso"u8) || brand.StartsWith("mp4"u8)
          || brand.StartsWith("avc1"u8) || brand.StartsWith("M4V"u8) || brand.StartsWith("dash"u8) ? Mp4
        : null;

    // ISO 11172-3: 11 sync bits, version not reserved, layer III, bit rate and sample rate not reserved.
    private static bool IsMpegLayer3Frame(ReadOnlySpan<byte> file)
    {
        if (file.Length < 4)
        {
            return false;
        }

        var header = BinaryPrimitives.ReadUInt32BigEndian(file);
        return (header >> 21) == 0x7FF
            && ((header >> 19) & 3) != 1
            && ((header >> 17) & 3) == 1
            && ((header >> 12) & 15) is not 0 and not 15
            && ((header >> 10) & 3) != 3;
    }
}
