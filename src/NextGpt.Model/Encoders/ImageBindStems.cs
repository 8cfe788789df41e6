using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace NextGpt.Model.Encoders;

/// <summary>Frames to tokens: patches in space and time, a class token before them, learned positions.</summary>
internal sealed class ImageBindVisionStem : nn.Module<Tensor, Tensor>
{
    private readonly ImageBindVisionConfig _config;

    [ComponentName(Name = "cls_token")]
    private readonly Parameter _class;

    [ComponentName(Name = "pos_embedding_helper")]
    private readonly ImageBindPositions _positions;

    [ComponentName(Name = "rgbt_stem")]
    private readonly ImageBindGroup _stem;

    private readonly Func<Parameter> _kernel;

    internal ImageBindVisionStem(ImageBindVisionConfig config, Device? device, ScalarType? dtype)
        : base(nameof(ImageBindVisionStem))
    {
        _config = config;
        var patch = config.PatchSize;
        var projection = nn.Conv3d(
            3, config.Width, (config.TimePatch, patch, patch), (config.TimePatch, patch, patch), bias: false, device: device, dtype: dtype);
        _kernel = () => projection.weight;   // looked up anew: moving a module replaces its parameters
        _class = new Parameter(zeros([1, 1, config.Width], dtype, device));
        _positions = new ImageBindPositions(1 + config.Patches, config.Width, device, dtype);
        _stem = new ImageBindGroup(("proj", new ImageBindGroup(("1", projection))));
        RegisterComponents();
    }

    /// <param name="frames">[batch, 3, frames, height, width]; a single frame is a picture and stands still.</param>
    /// <returns>[batch, 1 + patches, width]; fewer frames than the config's take the first positions.</returns>
    public override Tensor forward(Tensor frames)
    {
        using var scope = NewDisposeScope();
        var (side, patch, time) = (_config.PatchesPerSide, _config.PatchSize, _config.TimePatch);
        var kernel = _kernel();
        frames = frames.to(kernel.dtype);
        if (frames.shape[2] == 1)
        {
            frames = frames.expand(-1, -1, time, -1, -1);
        }

        // Patches do not overlap: the convolution is one product.
        var patches = frames.unflatten(4, side, patch).unflatten(3, side, patch).unflatten(2, -1, time)
            .permute(0, 2, 4, 6, 1, 3, 5, 7)   // [batch, slices, side, side, 3, time, patch, patch]
            .flatten(4).flatten(1, 3);         // [batch, patches, 3 * time * patch * patch]
        return _positions.call(_class, nn.functional.linear(patches, kernel.flatten(1))).MoveToOuterDisposeScope();
    }
}

/// <summary>Spectrogram to tokens: overlapping patches, normalised, a class token before them, learned positions.</summary>
internal sealed class ImageBindAudioStem : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "cls_token")]
    private readonly Parameter _class;

    [ComponentName(Name = "pos_embedding_helper")]
    private readonly ImageBindPositions _positions;

    [ComponentName(Name = "rgbt_stem")]
    private readonly ImageBindAudioPatches _stem;

    internal ImageBindAudioStem(ImageBindAudioConfig config, Device? device, ScalarType? dtype)
        : base(nameof(ImageBindAudioStem))
    {
        _class = new Parameter(zeros([1, 1, config.Width], dtype, device));
        _positions = new ImageBindPositions(1 + config.Patches, config.Width, device, dtype);
        _stem = new ImageBindAudioPatches(config, device, dtype);
        RegisterComponents();
    }

    /// <param name="spectrogram">[batch, 1, mels, frames]</param>
    /// <returns>[batch, 1 + patches, width]</returns>
    public override Tensor forward(Tensor spectrogram)
    {
        using var scope = NewDisposeScope();
        return _positions.call(_class, _stem.call(spectrogram.to(_class.dtype))).MoveToOuterDisposeScope();
    }
}

/// <summary>The convolution over a spectrogram and its norm.</summary>
internal sealed class ImageBindAudioPatches : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "proj")]
    private readonly Conv2d _projection;

    [ComponentName(Name = "norm_layer")]
    private readonly LayerNorm _norm;

    internal ImageBindAudioPatches(ImageBindAudioConfig config, Device? device, ScalarType? dtype)
        : base(nameof(ImageBindAudioPatches))
    {
        _projection = nn.Conv2d(1, config.Width, config.PatchSize, config.Stride, bias: false, device: device, dtype: dtype);
        _norm = nn.LayerNorm(config.Width, 1e-5, device: device, dtype: dtype);
        RegisterComponents();
    }

    /// <param name="spectrogram">[batch, 1, mels, frames]</param>
    /// <returns>[batch, patches, width], bands before times</returns>
    public override Tensor forward(Tensor spectrogram)
    {
        using var scope = NewDisposeScope();
        var patches = _projection.call(spectrogram).flatten(2).transpose(1, 2);
        return _norm.call(patches.contiguous()).MoveToOuterDisposeScope();
    }
}

/// <summary>Learned positions, of the class token first.</summary>
internal sealed class ImageBindPositions : nn.Module<Tensor, Tensor, Tensor>
{
    [ComponentName(Name = "pos_embed")]
    private readonly Parameter _places;

    internal ImageBindPositions(int count, int width, Device? device, ScalarType? dtype)
        : base(nameof(ImageBindPositions))
    {
        _places = new Parameter(zeros([1, count, width], dtype, device));
        RegisterComponents();
    }

    /// <param name="first">[1, 1, width], the class token</param>
    /// <param name="patches">[batch, patches, width]</param>
    /// <returns>[batch, 1 + patches, width]</returns>
    public override Tensor forward(Tensor first, Tensor patches)
    {
        using var scope = NewDisposeScope();
        var count = patches.shape[1];
        var begin = (first + _places.narrow(1, 0, 1)).expand(patches.shape[0], -1, -1);
        return cat([begin, patches + _places.narrow(1, 1, count)], 1).MoveToOuterDisposeScope();
    }
}

/// <summary>Text tokens with learned positions.</summary>
internal sealed class ImageBindTextStem : nn.Module<Tensor, Tensor>
{
    private readonly int _maxTokens;

    [ComponentName(Name = "token_embedding")]
    private readonly Embedding _tokens;

    [ComponentName(Name = "pos_embed")]
    private readonly Parameter _places;

    internal ImageBindTextStem(ImageBindTextConfig config, Device? device, ScalarType? dtype)
        : base(nameof(ImageBindTextStem))
    {
        _maxTokens = config.MaxTokens;
        _tokens = nn.Embedding(config.VocabularySize, config.Width, device: device, dtype: dtype);
        _places = new Parameter(zeros([1, config.MaxTokens, config.Width], dtype, device));
        RegisterComponents();

        // Part of the published layout; the attention itself is told that it is causal.
        register_buffer("mask", full([config.MaxTokens, config.MaxTokens], float.NegativeInfinity, dtype, device).triu(1));
    }

    /// <param name="tokens">[batch, tokens] int64</param>
    /// <returns>[batch, tokens, width]</returns>
    public override Tensor forward(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        var count = tokens.shape[1];
        if (count > _maxTokens)
        {
            throw new ArgumentException($"A text of {count} tokens came; the network takes {_maxTokens}. Cut the text.", nameof(tokens));
        }

        return (_tokens.call(tokens) + _places.narrow(1, 0, count)).MoveToOuterDisposeScope();
    }
}
