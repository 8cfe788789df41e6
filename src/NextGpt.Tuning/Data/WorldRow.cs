using System.Text.Json.Serialization;
using NextGpt.Tuning.Data.World;

namespace NextGpt.Tuning.Data;

/// <summary>What a row of the world is.</summary>
public enum WorldKind
{
    /// <summary>A drawing or photo with opacity.</summary>
    Picture,

    /// <summary>A recording, 16 kHz, one channel.</summary>
    Sound,

    /// <summary>Sixteen frames side by side in one picture.</summary>
    Clip,

    /// <summary>What a dictionary says of a thing.</summary>
    Text,
}

/// <summary>One row of the world's <c>captions.jsonl</c>.</summary>
public sealed record WorldRow
{
    private static readonly HashSet<string> TestOnlySources =
        WorldSource.All.Where(source => source.TestOnly).Select(source => source.Name).ToHashSet(StringComparer.Ordinal);

    /// <summary>Unique in the world.</summary>
    [JsonPropertyName("id")]
    public required string Id { get; init; }

    /// <summary>What it is.</summary>
    [JsonPropertyName("kind")]
    [JsonConverter(typeof(JsonStringEnumConverter<WorldKind>))]
    public required WorldKind Kind { get; init; }

    /// <summary>File under the world's folder; null for a text.</summary>
    [JsonPropertyName("path")]
    public string? Path { get; init; }

    /// <summary>The thing with its article, or what is heard, or the dictionary's words.</summary>
    [JsonPropertyName("caption")]
    public required string Caption { get; init; }

    /// <summary>Words people use for it; many are only loosely related.</summary>
    [JsonPropertyName("keywords")]
    public IReadOnlyList<string> Keywords { get; init; } = [];

    /// <summary>The thing's key, for example <c>red-apple</c>.</summary>
    [JsonPropertyName("concept")]
    public required string Concept { get; init; }

    /// <summary>What kind of thing it is, for example <c>food</c>; null for sounds.</summary>
    [JsonPropertyName("group")]
    public string? Group { get; init; }

    /// <summary>The drawing style; null for sounds and texts.</summary>
    [JsonPropertyName("style")]
    public string? Style { get; init; }

    /// <summary>The concept of the picture that a sound belongs to, or null.</summary>
    [JsonPropertyName("picture")]
    public string? PictureConcept { get; init; }

    /// <summary>How long a sound or clip lasts in seconds.</summary>
    [JsonPropertyName("seconds")]
    public double Seconds { get; init; }

    /// <summary>The licence of the original.</summary>
    [JsonPropertyName("licence")]
    public required string Licence { get; init; }

    /// <summary>The package it came in.</summary>
    [JsonPropertyName("source")]
    public required string Source { get; init; }

    /// <summary>What it is for: <c>train</c>, <c>test_pair</c>, <c>test_concept</c>, <c>test_style</c> or <c>test_source</c>.</summary>
    [JsonPropertyName("split")]
    public required string Split { get; init; }

    /// <summary>Whether it may be trained on: its split says so and its package is not one that is only measured on.</summary>
    [JsonIgnore]
    public bool IsForTraining => Split == "train" && !TestOnlySources.Contains(Source);

    /// <summary>Whether the original asks that what is made of it be shared alike.</summary>
    [JsonIgnore]
    public bool IsShareAlike => Licence.Contains("-SA-", StringComparison.Ordinal);
}
