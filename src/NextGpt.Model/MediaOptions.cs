using NextGpt.Media;

namespace NextGpt.Model;

/// <summary>Which media a reply may or must contain, and how they are made; null means the package's default.</summary>
public sealed record MediaOptions
{
    /// <summary>Kinds that must come, in this order, once each at least; the signal is forced where the model would not have spoken it.</summary>
    public IReadOnlyList<MediaKind> Required { get; init; } = [];

    /// <summary>Kinds that must not come.</summary>
    public IReadOnlyList<MediaKind> Forbidden { get; init; } = [];

    /// <summary>Whether text may come; false gives the required media alone.</summary>
    public bool Text { get; init; } = true;

    /// <summary>Denoising steps of a picture, 1 to 1,000.</summary>
    public int? ImageSteps { get; init; }

    /// <summary>Classifier-free guidance of a picture, 1 to 30.</summary>
    public double? ImageGuidance { get; init; }

    /// <summary>Width of a picture in pixels, a multiple of the decoder's step.</summary>
    public int? ImageWidth { get; init; }

    /// <summary>Height of a picture in pixels, a multiple of the decoder's step.</summary>
    public int? ImageHeight { get; init; }

    /// <summary>Denoising steps of a sound, 1 to 1,000.</summary>
    public int? AudioSteps { get; init; }

    /// <summary>Length of a sound in seconds, above 0 to 10.</summary>
    public double? AudioSeconds { get; init; }

    /// <summary>Denoising steps of a clip, 1 to 1,000.</summary>
    public int? VideoSteps { get; init; }

    /// <summary>Frames of a clip, 1 to 24.</summary>
    public int? VideoFrames { get; init; }
}
