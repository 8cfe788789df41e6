using NextGpt.Model.Decoders.StableDiffusion;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Pictures;

/// <summary>U-Net and caption encoder, made for training.</summary>
internal sealed class PictureNetworks : IDisposable
{
    internal PictureNetworks(
        UNet2DConditionConfig unet, ClipTextEncoderConfig textEncoder, Device device, ScalarType dtype, int seed)
    {
        // Initial weights come from the library's one generator; a fixed seed makes them the same in every run.
        using var generator = manual_seed(seed);
        UNet = new UNet2DCondition(unet);
        TextEncoder = new ClipTextEncoder(textEncoder);
        Initialise();
        UNet.to(device, dtype);
        TextEncoder.to(device, dtype);
    }

    internal UNet2DCondition UNet { get; }

    internal ClipTextEncoder TextEncoder { get; }

    internal IEnumerable<(string Name, Parameter Parameter)> NamedParameters() =>
        UNet.named_parameters().Select(entry => ("unet." + entry.name, entry.parameter))
            .Concat(TextEncoder.named_parameters().Select(entry => ("text." + entry.name, entry.parameter)));

    public void Dispose()
    {
        UNet.Dispose();
        TextEncoder.Dispose();
    }

    // Blocks begin as if they were not there (Goyal et al. 2017, Dhariwal and Nichol 2021): the last layer of each is zero.
    private void Initialise()
    {
        using var noGradient = no_grad();
        foreach (var (name, weight) in UNet.named_parameters())
        {
            if (name.Contains(".conv2.", StringComparison.Ordinal) || name.Contains(".proj_out.", StringComparison.Ordinal)
                || name.StartsWith("conv_out.", StringComparison.Ordinal))
            {
                weight.zero_();
            }
        }

        foreach (var (name, weight) in TextEncoder.named_parameters())
        {
            if (name.EndsWith("position_embedding.weight", StringComparison.Ordinal))
            {
                weight.mul_(0.2);   // what a word is counts more than where it stands
            }
        }
    }
}
