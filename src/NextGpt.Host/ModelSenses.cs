using NextGpt.Media;

namespace NextGpt.Host;

/// <summary>Which media the model behind the chat client reads and makes; without one registered it is taken for text alone.</summary>
/// <param name="Reads">Kinds that a question may contain.</param>
/// <param name="Makes">Kinds that an answer may contain.</param>
public sealed record ModelSenses(IReadOnlyList<MediaKind> Reads, IReadOnlyList<MediaKind> Makes)
{
    /// <summary>Text alone.</summary>
    public static ModelSenses TextOnly { get; } = new([], []);

    /// <summary>What can be sent, in the words of the catalogue, for example "PNG, JPEG, WebP or GIF".</summary>
    public string Sendable => Reads.Count == 0
        ? "text: the model that speaks here reads nothing else"
        : Join([.. MediaFormat.All.Where(format => Reads.Contains(format.Kind) || IsMoving(format)).Select(NameOf)]);

    /// <summary>The short name of a format, for example "JPEG".</summary>
    /// <param name="format">The format.</param>
    public static string NameOf(MediaFormat format)
    {
        ArgumentNullException.ThrowIfNull(format);
        return format.Extension switch
        {
            "jpg" => "JPEG",
            "webp" => "WebP",
            "webm" => "WebM",
            var other => other.ToUpperInvariant(),
        };
    }

    /// <summary>A GIF or WebP may be a clip.</summary>
    internal bool MayRead(MediaFormat format) => Reads.Contains(format.Kind) || IsMoving(format);

    private bool IsMoving(MediaFormat format) =>
        Reads.Contains(MediaKind.Video) && (format == MediaFormat.Gif || format == MediaFormat.WebP);

    private static string Join(string[] names) => names.Length < 2
        ? string.Concat(names)
        : $"{string.Join(", ", names[..^1])} or {names[^1]}";
}
