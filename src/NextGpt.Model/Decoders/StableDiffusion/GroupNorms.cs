using TorchSharp.Modules;
using static TorchSharp.torch;

namespace NextGpt.Model.Decoders.StableDiffusion;

/// <summary>Makes group norms whose weights have a value.</summary>
/// <remarks>
/// TorchSharp 0.107 leaves the affine weights of <c>nn.GroupNorm</c> uninitialised; every group norm of the diffusion
/// networks is therefore made here.
/// </remarks>
internal static class GroupNorms
{
    /// <summary>A group norm with weight one and bias zero.</summary>
    /// <param name="groups">Number of groups; must divide the channels.</param>
    /// <param name="channels">Number of channels.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="device">Where the weights lie; null is the CPU.</param>
    /// <param name="dtype">Type of the weights; null is float32.</param>
    internal static GroupNorm Create(int groups, int channels, double epsilon, Device? device, ScalarType? dtype)
    {
        if (channels % groups != 0)
        {
            throw new ArgumentException(
                $"{channels} channels cannot be split into {groups} groups; choose norm_num_groups so that it divides "
                + "every channel count of the network.",
                nameof(groups));
        }

        var norm = nn.GroupNorm(groups, channels, epsilon, true, device, dtype);
        nn.init.ones_(norm.weight);
        nn.init.zeros_(norm.bias);
        return norm;
    }
}
