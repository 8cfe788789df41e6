using NextGpt.Media;

namespace NextGpt.Model;

/// <summary>Which media a model reads and makes beside text.</summary>
public sealed record ModelAbilities
{
    /// <summary>A language model alone.</summary>
    public static ModelAbilities TextOnly { get; } = new();

    /// <summary>Every kind in and out.</summary>
    public static ModelAbilities AnyToAny { get; } = new()
    {
        Reads = [MediaKind.Image, MediaKind.Audio, MediaKind.Video],
        Makes = [MediaKind.Image, MediaKind.Audio, MediaKind.Video],
    };

    /// <summary>Kinds that a message may contain.</summary>
    public IReadOnlyList<MediaKind> Reads { get; init; } = [];

    /// <summary>Kinds that a reply may contain.</summary>
    public IReadOnlyList<MediaKind> Makes { get; init; } = [];

    /// <summary>Numbers of a medium's place in the encoder's space; null where media are not embedded.</summary>
    public int? EmbeddingSize { get; init; }
}
