using System.Text.Json;

namespace NextGpt.Model.Packages;

/// <summary>What <c>nextgpt.json</c> says of a model package: which parts it has, how they speak to each other, whose they are.</summary>
/// <remarks>
/// Everything in which the generations of NExT-GPT differ stands here as data: tokens, separators, the number of positions of a
/// medium, the kind of projection. All paths are relative to the package folder, written with <c>/</c>.
/// </remarks>
public sealed record PackageManifest
{
    /// <summary>The version of this layout that the program reads and writes.</summary>
    public const int CurrentFormat = 1;

    /// <summary>Version of this layout.</summary>
    public int Format { get; init; } = CurrentFormat;

    /// <summary>The model's id as answers report it; letters, digits, dot, dash and underscore, at most 64.</summary>
    public required string Id { get; init; }

    /// <summary>One sentence for people; possibly empty.</summary>
    public string Description { get; init; } = "";

    /// <summary>The language model.</summary>
    public required LanguagePart Language { get; init; }

    /// <summary>Tokens that the language model did not have; null where it only speaks text.</summary>
    public TokenPart? Tokens { get; init; }

    /// <summary>How media come in; null where it reads none.</summary>
    public InputPart? Input { get; init; }

    /// <summary>How media go out, each kind at most once; empty where it makes none.</summary>
    public IReadOnlyList<OutputPart> Outputs { get; init; } = [];

    /// <summary>Whose the parts are.</summary>
    public IReadOnlyList<PackageLicence> Licences { get; init; } = [];

    /// <summary>Every file of the package except this manifest, in order of paths; <see cref="ModelPackage.Save"/> fills it.</summary>
    public IReadOnlyList<PackageFile> Files { get; init; } = [];

    /// <summary>Measured figures, in any form; null where there are none.</summary>
    public JsonElement? Figures { get; init; }

    /// <summary>Where the weights come from (checkpoints, data, seeds, settings), in any form; null where nothing is said.</summary>
    public JsonElement? Provenance { get; init; }
}
