using NextGpt.Media;

namespace NextGpt.Model.Packages;

/// <summary>What of the encoder's output goes into the language model.</summary>
public enum MediaFeatures
{
    /// <summary>One vector of a medium (v0).</summary>
    Pooled,

    /// <summary>One vector of every patch, the class token left out (v2).</summary>
    Patches,
}

/// <summary>The shape of an input projection.</summary>
public enum InputProjectionKind
{
    /// <summary>One linear layer.</summary>
    Linear,

    /// <summary>Linear layers with GELU between them.</summary>
    Mlp,

    /// <summary>Patches grouped to a few tokens (v2's own).</summary>
    Group,
}

/// <summary>How pictures, sounds and clips become positions of the language model's input.</summary>
public sealed record InputPart
{
    /// <summary>The folder of the encoder: ImageBind with its <c>config.json</c>.</summary>
    public required string Encoder { get; init; }

    /// <summary>Kinds that the encoder reads.</summary>
    public IReadOnlyList<MediaKind> Kinds { get; init; } = [MediaKind.Image, MediaKind.Audio, MediaKind.Video];

    /// <summary>What of the encoder's output is projected.</summary>
    public MediaFeatures Features { get; init; }

    /// <summary>The safetensors file of the projection.</summary>
    public required string Projection { get; init; }

    /// <summary>The projection's shape.</summary>
    public InputProjectionKind Kind { get; init; }

    /// <summary>Heads of a group projection's attention; the others have none.</summary>
    public int Heads { get; init; } = 8;

    /// <summary>Positions that a medium takes: 1 in v0, 8 in v2.</summary>
    public int MediaTokens { get; init; } = 1;
}
