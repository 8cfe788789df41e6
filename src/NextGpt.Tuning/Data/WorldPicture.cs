using System.Text.Json.Serialization;

namespace NextGpt.Tuning.Data;

/// <summary>What the training world says of one picture.</summary>
/// <remarks>The fields of <c>captions.jsonl</c> that training reads; see the data reference for their rules.</remarks>
public sealed record WorldPicture
{
    /// <summary>Unique: style and concept.</summary>
    [JsonPropertyName("id")]
    public required string Id { get; init; }

    /// <summary>The thing with its article, for example <c>a red apple</c>.</summary>
    [JsonPropertyName("caption")]
    public required string Caption { get; init; }

    /// <summary>The thing's key, for example <c>red-apple</c>.</summary>
    [JsonPropertyName("concept")]
    public required string Concept { get; init; }

    /// <summary>What kind of thing it is, for example <c>food</c>.</summary>
    [JsonPropertyName("group")]
    public required string Group { get; init; }

    /// <summary>The drawing style, for example <c>doodle</c>.</summary>
    [JsonPropertyName("style")]
    public required string Style { get; init; }

    /// <summary>What it is for: <c>train</c>, <c>test_pair</c>, <c>test_concept</c> or <c>test_style</c>.</summary>
    [JsonPropertyName("split")]
    public required string Split { get; init; }

    /// <summary>Words people use for it.</summary>
    [JsonPropertyName("keywords")]
    public IReadOnlyList<string> Keywords { get; init; } = [];

    /// <summary>Whether it may be trained on.</summary>
    [JsonIgnore]
    public bool IsForTraining => Split == "train";
}
