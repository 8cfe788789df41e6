using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace NextGpt.Model.Decoders.StableDiffusion;

/// <summary>Calls a 3x3 convolution the way that is quickest for the size of its map.</summary>
/// <remarks>
/// The CPU library rearranges a convolution's weights in every call. Where few places share many weights (1,280 channels at
/// 4 x 4 or 2 x 2, deep in a U-Net) that takes longer than the arithmetic; there the places' neighbourhoods are laid out
/// and multiplied with the weights as they lie: 2 to 5 times quicker on an AVX2 processor.
/// </remarks>
internal static class SmallMapConvolution
{
    private const long MostPlaces = 64;
    private const long FewestWeights = 1 << 20;

    /// <summary>Convolves.</summary>
    /// <param name="convolution">Kernel 3x3, padding 1, stride 1, with a bias.</param>
    /// <param name="input">[batch, channels, height, width]</param>
    /// <returns>[batch, outputChannels, height, width], owned by the caller's dispose scope.</returns>
    internal static Tensor Call(Conv2d convolution, Tensor input)
    {
        if (input.device_type != DeviceType.CPU || input.dtype != ScalarType.Float32)
        {
            return convolution.call(input);
        }

        var shape = input.shape;
        var (batch, height, width) = (shape[0], shape[2], shape[3]);
        var weight = convolution.weight;
        return batch * height * width > MostPlaces || weight.numel() < FewestWeights
            ? convolution.call(input)
            : Product(convolution, input, batch, height, width);
    }

    /// <summary>The product with laid out neighbourhoods, whatever the size.</summary>
    internal static Tensor Product(Conv2d convolution, Tensor input, long batch, long height, long width)
    {
        using var scope = NewDisposeScope();
        var weight = convolution.weight;
        var outputs = weight.size(0);
        var places = nn.functional.unfold(input, 3, 1, 1, 1).transpose(1, 2)   // [batch, height * width, 9 * channels]
            .reshape(batch * height * width, -1);
        var rows = nn.functional.linear(places, weight.view(outputs, -1), convolution.bias);
        return rows.view(batch, height * width, outputs).transpose(1, 2).reshape(batch, outputs, height, width)
            .MoveToOuterDisposeScope();
    }
}
