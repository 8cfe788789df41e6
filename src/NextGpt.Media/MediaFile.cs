namespace NextGpt.Media;

/// <summary>A picture, sound or clip as a file: its bytes and what they are.</summary>
/// <param name="Bytes">The whole file.</param>
/// <param name="Format">What the bytes are, by sight (<see cref="MediaFormat.Sniff"/>), whatever a sender called them.</param>
public sealed record MediaFile(ReadOnlyMemory<byte> Bytes, MediaFormat Format)
{
    /// <summary>Picture, sound or clip; an animated WebP or GIF is a <see cref="MediaKind.Video"/> although its format is a picture's.</summary>
    public MediaKind Kind { get; init; } = Format.Kind;
}
