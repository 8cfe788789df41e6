using NextGpt.Model.Weights;
using static TorchSharp.torch;

namespace NextGpt.Model.Decoders.StableDiffusion;

/// <summary>Captions as pictures and clips are conditioned with them: one state per token.</summary>
internal sealed class ClipConditioner : ITextConditioner
{
    private readonly ClipTokenizer _tokenizer;
    private readonly ClipTextEncoder _encoder;
    private readonly Device _device;

    internal ClipConditioner(string folder, Device device, ScalarType type)
    {
        _device = device;
        _tokenizer = ClipTokenizer.Load(Path.Combine(folder, "tokenizer"));
        _encoder = ClipTextEncoder.Load(Path.Combine(folder, "text_encoder"), device, type);
        _encoder.eval();
        if (_tokenizer.VocabularySize > _encoder.Config.VocabularySize)
        {
            _encoder.Dispose();
            throw new InvalidDataException(
                $"{folder}: the tokenizer has {_tokenizer.VocabularySize} tokens, the text encoder "
                + $"{_encoder.Config.VocabularySize}; they belong to different models.");
        }
    }

    public Tensor Encode(IReadOnlyList<string> prompts)
    {
        using var scope = NewDisposeScope();
        var length = _encoder.Config.MaxTokens;
        var tokens = prompts.SelectMany(prompt => _tokenizer.Encode(prompt, length)).ToArray();
        return _encoder.call(tensor(tokens, [prompts.Count, length]).to(_device)).MoveToOuterDisposeScope();
    }

    public void Save(string folder, SafetensorsType type)
    {
        _encoder.Save(Path.Combine(folder, "text_encoder"), type);
        _tokenizer.Save(Path.Combine(folder, "tokenizer"));
    }

    public void Dispose() => _encoder.Dispose();
}
