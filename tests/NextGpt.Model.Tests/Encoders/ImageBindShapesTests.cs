using NextGpt.Model.Encoders;
using static TorchSharp.torch;

namespace NextGpt.Model.Tests.Encoders;

/// <summary>At published size, built without memory, the names and shapes are those of the approved lists (rule 7).</summary>
public sealed class ImageBindShapesTests
{
    [Fact]
    public void ImageBind_huge_has_the_published_weights()
    {
        using var network = new ImageBind(ImageBindConfig.Huge, META);

        ApprovedShapes.Check("Encoders/ImageBind.Huge.approved.txt", network);
        Assert.Equal(632_829_440, Count(network, "vision"));
        Assert.Equal(86_235_648, Count(network, "audio"));
        Assert.Equal(354_032_641, Count(network, "text"));
    }

    private static long Count(ImageBind network, string tower) => network.named_parameters()
        .Where(named => named.name.Contains($".{tower}.", StringComparison.Ordinal)).Sum(named => named.parameter.numel());
}
