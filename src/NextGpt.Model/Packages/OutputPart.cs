using NextGpt.Media;

namespace NextGpt.Model.Packages;

/// <summary>How one kind of medium is made of its signal.</summary>
public sealed record OutputPart
{
    /// <summary>Picture, sound or clip.</summary>
    public required MediaKind Kind { get; init; }

    /// <summary>The folder of the diffusion decoder in the layout of diffusers.</summary>
    public required string Decoder { get; init; }

    /// <summary>The safetensors file of the output projection, with the names of v0 or of v2.</summary>
    public required string Projection { get; init; }

    /// <summary>
    /// The folder of a network that enlarges what the decoder made before it reaches the person, pictures and clips only; two outputs
    /// may share one. Null leaves them as small as they are drawn.
    /// </summary>
    public string? Enlarger { get; init; }

    /// <summary>Heads of the projection's attention.</summary>
    public int Heads { get; init; } = 4;

    /// <summary>Most media of this kind in one reply: 1 in v0, 5 in v2.</summary>
    public int MaxPerReply { get; init; } = 1;

    /// <summary>Denoising steps where a request does not say.</summary>
    public int Steps { get; init; } = 40;

    /// <summary>Strength of the classifier-free guidance where a request does not say; 1 is none.</summary>
    public double GuidanceScale { get; init; } = 7.5;

    /// <summary>Width in pixels that the decoder draws; null is the decoder's own.</summary>
    public int? Width { get; init; }

    /// <summary>Height in pixels that the decoder draws; null is the decoder's own.</summary>
    public int? Height { get; init; }

    /// <summary>Frames of a clip; null is the decoder's own.</summary>
    public int? Frames { get; init; }

    /// <summary>Frames of a clip in a second.</summary>
    public double FramesPerSecond { get; init; } = 8;

    /// <summary>Length of a sound in seconds; null is the decoder's own.</summary>
    public double? Seconds { get; init; }
}
