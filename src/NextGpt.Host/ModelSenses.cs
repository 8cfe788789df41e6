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
        : Join([.. MediaFormat.All.Where(MayRead).Select(format => format.DisplayName)]);

    internal bool MayRead(MediaFormat format) => Reads.Any(format.MayHold);

    private static string Join(string[] names) => names.Length < 2
        ? string.Concat(names)
        : $"{string.Join(", ", names[..^1])} or {names[^1]}";
}
