using System.Globalization;
using System.Text;
using System.Text.Json;
using NextGpt.Media;
using NextGpt.Model.Packages;

namespace NextGpt.Tuning.Alignment;

/// <summary>A package's README: what it can and cannot, whose it is, how it was made, what was measured.</summary>
internal static class ModelCard
{
    internal const string FileName = "README.md";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n" };

    /// <summary>Writes the card of a manifest.</summary>
    internal static string Of(PackageManifest manifest)
    {
        var card = new StringBuilder();
        var (reads, makes) = (manifest.Input?.Kinds ?? [], manifest.Outputs.Select(part => part.Kind).ToList());
        var missing = Enum.GetValues<MediaKind>().Where(kind => !reads.Contains(kind) || !makes.Contains(kind)).ToList();
        card.Append(CultureInfo.InvariantCulture, $"# {manifest.Id}\n\nAn any-to-any model after NExT-GPT (Wu et al. 2023): a language model, an encoder, diffusion decoders, and projections between them.\n\n");
        card.Append(CultureInfo.InvariantCulture, $"## What it can\n\n- reads {Words(reads)}\n- makes {Words(makes)}\n- talks\n\n## What it cannot\n\n");
        foreach (var kind in missing)
        {
            var verbs = (reads.Contains(kind), makes.Contains(kind)) switch { (false, false) => "read or make", (false, _) => "read", _ => "make" };
            card.Append(CultureInfo.InvariantCulture, $"- {verbs} {Word(kind)}: the part is not in this package\n");
        }

        card.Append("- know things outside the world it was trained on; it is small, and what it says may be wrong\n\n## Licences\n\n");
        foreach (var licence in manifest.Licences)
        {
            card.Append(CultureInfo.InvariantCulture, $"- {string.Join(", ", licence.Paths)}: {licence.Licence} ({licence.Source})\n");
        }

        card.Append(CultureInfo.InvariantCulture, $"\n## How it was made\n\n```json\n{Text(manifest.Provenance)}\n```\n\n## Figures\n\n");
        card.Append(manifest.Figures is { } figures
            ? string.Create(CultureInfo.InvariantCulture, $"```json\n{Text(figures)}\n```\n")
            : "None were measured for this package.\n");
        return card.ToString();
    }

    /// <summary>Kinds in words.</summary>
    internal static string Words(IReadOnlyList<MediaKind> kinds) =>
        kinds.Count == 0 ? "no media" : string.Join(", ", kinds.Order().Select(Word));

    private static string Word(MediaKind kind) => kind switch
    {
        MediaKind.Image => "pictures",
        MediaKind.Audio => "sounds",
        _ => "clips",
    };

    private static string Text(JsonElement? element) => element is { } json ? JsonSerializer.Serialize(json, Indented) : "{}";
}
