using System.Runtime.InteropServices;
using NextGpt.Media;
using static TorchSharp.torch;

namespace NextGpt.Model.Decoders;

/// <summary>From the network's pictures to the ones that are shown.</summary>
internal static class Pixels
{
    /// <summary>Rounds to bytes.</summary>
    /// <param name="pictures">[batch, 3, height, width] float, 0..1, on any device.</param>
    internal static IReadOnlyList<Picture> ToPictures(Tensor pictures)
    {
        using var scope = NewDisposeScope();
        var shape = pictures.shape;
        var (batch, height, width) = (shape[0], (int)shape[2], (int)shape[3]);
        var bytes = (pictures.permute(0, 2, 3, 1) * 255).round().clamp(0, 255).to(ScalarType.Byte).cpu().contiguous();
        var all = MemoryMarshal.AsBytes(bytes.bytes);
        var result = new Picture[batch];
        var size = 3 * height * width;
        for (var row = 0; row < batch; row++)
        {
            result[row] = new Picture(width, height, all.Slice(row * size, size).ToArray());
        }

        return result;
    }
}
