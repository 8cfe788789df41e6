using NextGpt.Model.Weights;
using static TorchSharp.torch;

namespace NextGpt.Model.Decoders.AudioLdm;

/// <summary>Captions as sounds are conditioned with them: one vector of length one.</summary>
internal sealed class ClapConditioner : ITextConditioner
{
    private static readonly string[] TokenizerFiles =
        ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.json", "merges.txt"];

    private readonly string _tokenizerFolder;
    private readonly ClapTokenizer _tokenizer;
    private readonly ClapTextEncoder _encoder;
    private readonly Device _device;

    internal ClapConditioner(string folder, Device device, ScalarType type)
    {
        _device = device;
        _tokenizerFolder = Path.Combine(folder, "tokenizer");
        _tokenizer = ClapTokenizer.Load(_tokenizerFolder);
        _encoder = ClapTextEncoder.Load(Path.Combine(folder, "text_encoder"), device, type);
    }

    /// <remarks>Divided by its length, as AudioLDM was trained; a projection's vector is taken as it is.</remarks>
    public Tensor Encode(IReadOnlyList<string> prompts)
    {
        using var scope = NewDisposeScope();
        var (tokens, mask) = _tokenizer.Encode(prompts, device: _device);
        return nn.functional.normalize(_encoder.call(tokens, mask), 2, -1).MoveToOuterDisposeScope();
    }

    public void Save(string folder, SafetensorsType type)
    {
        var encoder = Path.Combine(folder, "text_encoder");
        DiffusersWeights.Save(_encoder, Path.Combine(encoder, "model.safetensors"), type);
        _encoder.Config.Save(Path.Combine(encoder, "config.json"));
        var tokenizer = Directory.CreateDirectory(Path.Combine(folder, "tokenizer")).FullName;
        foreach (var file in TokenizerFiles.Where(file => File.Exists(Path.Combine(_tokenizerFolder, file))))
        {
            File.Copy(Path.Combine(_tokenizerFolder, file), Path.Combine(tokenizer, file), true);
        }
    }

    public void Dispose() => _encoder.Dispose();
}
