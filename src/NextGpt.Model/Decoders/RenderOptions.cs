using NextGpt.Model.Decoders.Schedulers;

namespace NextGpt.Model.Decoders;

/// <summary>How a medium is to be made; null means the decoder's default. Settings of other kinds are not looked at.</summary>
public sealed record RenderOptions
{
    /// <summary>Where the noise of each row of the batch comes from; the same seed gives the same medium.</summary>
    public required IReadOnlyList<long> Seeds { get; init; }

    /// <summary>Denoising steps, 1 to the training's (1,000).</summary>
    public int? Steps { get; init; }

    /// <summary>Strength of the classifier-free guidance, 0 to 100; 1 or less switches it off and halves the work.</summary>
    public double? Guidance { get; init; }

    /// <summary>How to walk from noise to sample; null is what the decoder's scheduler says.</summary>
    public SamplerKind? Sampler { get; init; }

    /// <summary>Width of pictures and clips in pixels, a multiple of the decoder's step (usually 8), up to 2,048.</summary>
    public int? Width { get; init; }

    /// <summary>Height of pictures and clips in pixels, a multiple of the decoder's step (usually 8), up to 2,048.</summary>
    public int? Height { get; init; }

    /// <summary>Length of sounds in seconds, above 0 to 60.</summary>
    public double? Seconds { get; init; }

    /// <summary>Frames of clips, 1 to 64.</summary>
    public int? Frames { get; init; }

    /// <summary>Pace of clips in frames a second, above 0 to 60; does not change what is drawn.</summary>
    public double? FramesPerSecond { get; init; }
}

/// <summary>What a decoder uses where a request does not say.</summary>
public sealed record RenderDefaults
{
    /// <summary>Denoising steps.</summary>
    public int Steps { get; init; } = 40;

    /// <summary>Strength of the classifier-free guidance.</summary>
    public double Guidance { get; init; } = 7.5;

    /// <summary>How to walk from noise to sample; null is what the folder's scheduler says.</summary>
    public SamplerKind? Sampler { get; init; }

    /// <summary>Width of pictures and clips in pixels; null is what the U-Net was trained with.</summary>
    public int? Width { get; init; }

    /// <summary>Height of pictures and clips in pixels; null is what the U-Net was trained with.</summary>
    public int? Height { get; init; }

    /// <summary>Length of sounds in seconds.</summary>
    public double Seconds { get; init; } = 5;

    /// <summary>Frames of clips.</summary>
    public int Frames { get; init; } = 16;

    /// <summary>Pace of clips in frames a second.</summary>
    public double FramesPerSecond { get; init; } = 8;
}
