using System.Globalization;
using NextGpt.Model.Decoders.StableDiffusion;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Pictures;

/// <summary>Gives a trained autoencoder latents of mean 0 and spread 1 in every channel, as the U-Net shall meet them.</summary>
/// <remarks>
/// The two 1 x 1 convolutions around the latent take that over exactly, so that the folder needs no numbers beside the usual
/// ones and the scaling factor is 1.
/// </remarks>
internal static class LatentScale
{
    /// <summary>Changes the network; what it restores stays the same.</summary>
    /// <param name="network">With both convolutions around the latent.</param>
    /// <param name="means">[batch, latent, height, width], the means it gives for what it was trained on.</param>
    /// <returns>A sentence for the journal.</returns>
    internal static string MakeEven(AutoencoderKL network, Tensor means)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var latents = means.transpose(0, 1).flatten(1);   // [channel, numbers]
        var (mean, spread) = (latents.mean([1]), latents.std(1).clamp(min: 1e-6));
        var weights = network.state_dict();
        var channels = network.Config.LatentChannels;
        weights["quant_conv.weight"].narrow(0, 0, channels).div_(spread.view(-1, 1, 1, 1));
        weights["quant_conv.bias"].narrow(0, 0, channels).sub_(mean).div_(spread);
        weights["quant_conv.bias"].narrow(0, channels, channels).sub_(2 * spread.log());   // logarithm of the variance
        var post = weights["post_quant_conv.weight"];
        weights["post_quant_conv.bias"].add_(post.flatten(1).mv(mean));
        post.mul_(spread.view(1, -1, 1, 1));
        return $"Latents before they are made even, mean by channel {Numbers(mean)}; spread {Numbers(spread)}.";
    }

    private static string Numbers(Tensor values) =>
        string.Join(" ", values.cpu().data<float>().ToArray().Select(value => value.ToString("0.00", CultureInfo.InvariantCulture)));
}
