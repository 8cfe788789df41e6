using NextGpt.Model.Decoders.AudioLdm;
using NextGpt.Model.Decoders.StableDiffusion;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Sounds;

/// <summary>U-Net and caption encoder of sounds, made for training.</summary>
internal sealed class SoundNetworks : IDisposable
{
    internal SoundNetworks(
        UNet2DConditionConfig unet, ClapTextEncoderConfig textEncoder, Device device, ScalarType dtype, int seed)
    {
        // Initial weights come from the library's one generator; a fixed seed makes them the same in every run.
        using var generator = manual_seed(seed);
        UNet = new UNet2DCondition(unet);
        TextEncoder = new ClapTextEncoder(textEncoder);
        Initialise();
        UNet.to(device, dtype);
        TextEncoder.to(device, dtype);
    }

    internal UNet2DCondition UNet { get; }

    internal ClapTextEncoder TextEncoder { get; }

    internal IEnumerable<(string Name, Parameter Parameter)> NamedParameters() =>
        UNet.named_parameters().Select(entry => ("unet." + entry.name, entry.parameter))
            .Concat(TextEncoder.named_parameters().Select(entry => ("text." + entry.name, entry.parameter)));

    /// <summary>The vectors that condition the U-Net.</summary>
    /// <param name="tokens">[batch, seq] int64, padded.</param>
    /// <returns>[batch, classSize] of length one, with gradients.</returns>
    internal Tensor Condition(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        var mask = tokens.ne(TextEncoder.Config.PadToken).to(ScalarType.Int64);
        return nn.functional.normalize(TextEncoder.call(tokens, mask), 2, -1).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        UNet.Dispose();
        TextEncoder.Dispose();
    }

    private void Initialise()
    {
        using var noGradient = no_grad();
        foreach (var (name, weight) in UNet.named_parameters())
        {
            // Blocks begin as if they were not there (Goyal et al. 2017, Dhariwal and Nichol 2021): the last layer of each is zero.
            if (name.Contains(".conv2.", StringComparison.Ordinal) || name.Contains(".proj_out.", StringComparison.Ordinal)
                || name.StartsWith("conv_out.", StringComparison.Ordinal))
            {
                weight.zero_();
            }
            else if (name == "class_embedding.weight")
            {
                weight.mul_(Math.Sqrt(weight.shape[1]));   // a vector of length one has small entries
            }
        }

        // What two layers shall learn in an hour must not begin as faint as what twelve layers are pretrained from.
        foreach (var (name, weight) in TextEncoder.named_parameters())
        {
            if (name.EndsWith("word_embeddings.weight", StringComparison.Ordinal))
            {
                weight.normal_(0, 1);
            }
            else if (name.EndsWith("position_embeddings.weight", StringComparison.Ordinal))
            {
                weight.normal_(0, 0.2);
            }
            else if (weight.dim() == 2 && !name.Contains("embeddings", StringComparison.Ordinal))
            {
                weight.normal_(0, 1 / Math.Sqrt(weight.shape[1]));
            }
        }
    }
}
