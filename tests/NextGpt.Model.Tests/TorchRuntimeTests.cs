using TorchSharp;

namespace NextGpt.Model.Tests;

public sealed class TorchRuntimeTests
{
    [Fact]
    public void A_product_of_ones_is_right_once_the_native_library_is_loaded()
    {
        using var scope = torch.NewDisposeScope();

        var product = torch.ones(2, 3).mm(torch.ones(3, 2));

        Assert.Equal(12f, product.sum().item<float>());
        Assert.NotNull(TorchRuntime.LoadedFrom);
    }
}
