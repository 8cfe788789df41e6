using NextGpt.Model.Decoders.StableDiffusion;
using NextGpt.Model.Decoders.TextToVideo;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Clips;

/// <summary>A U-Net for clips and its caption encoder, grown out of trained ones for pictures.</summary>
internal sealed class ClipNetworks : IDisposable
{
    /// <param name="pictures">Folder with <c>unet</c> and <c>text_encoder</c> of a decoder for pictures.</param>
    /// <param name="device">Where they shall lie.</param>
    /// <param name="dtype">Type of the weights.</param>
    /// <param name="seed">Where the layers over frames begin.</param>
    /// <exception cref="InvalidDataException">The U-Net cannot become one for clips, or a file is broken.</exception>
    internal ClipNetworks(string pictures, Device device, ScalarType dtype, int seed)
    {
        // Initial weights come from the library's one generator; a fixed seed makes them the same in every run.
        using var generator = manual_seed(seed);
        using var picture = UNet2DCondition.Load(Path.Combine(pictures, "unet"));
        UNet = new UNet3DCondition(MiniClips.UNetFor(picture.Config));
        TextEncoder = ClipTextEncoder.Load(Path.Combine(pictures, "text_encoder"));
        Grow(picture);
        UNet.to(device, dtype);
        TextEncoder.to(device, dtype);
    }

    internal UNet3DCondition UNet { get; }

    internal ClipTextEncoder TextEncoder { get; }

    /// <summary>Whether a weight belongs to a layer over frames.</summary>
    /// <param name="name">In the network.</param>
    internal static bool IsOverFrames(string name) =>
        name.Contains("temp_convs.", StringComparison.Ordinal) || name.Contains("temp_attentions.", StringComparison.Ordinal)
        || name.Contains("transformer_in.", StringComparison.Ordinal);

    internal IEnumerable<(string Name, Parameter Parameter)> NamedParameters() =>
        UNet.named_parameters().Select(entry => ("unet." + entry.name, entry.parameter))
            .Concat(TextEncoder.named_parameters().Select(entry => ("text." + entry.name, entry.parameter)));

    public void Dispose()
    {
        UNet.Dispose();
        TextEncoder.Dispose();
    }

    // Within frames the weights are the picture network's, name by name; what works over frames begins as if it were not there:
    // convolutions do so by themselves, of attentions the last layer is made zero.
    private void Grow(UNet2DCondition picture)
    {
        using var noGradient = no_grad();
        var targets = UNet.state_dict();
        var sources = picture.state_dict();
        foreach (var (name, target) in targets)
        {
            if (IsOverFrames(name))
            {
                if (name.Contains(".proj_out.", StringComparison.Ordinal))
                {
                    target.zero_();
                }
            }
            else
            {
                target.copy_(sources[name]);
            }
        }

        if (sources.Keys.Where(name => !targets.ContainsKey(name)).Order(StringComparer.Ordinal).FirstOrDefault() is { } left)
        {
            throw new InvalidDataException($"The U-Net for pictures has {left}, for which one for clips has no place.");
        }
    }
}
