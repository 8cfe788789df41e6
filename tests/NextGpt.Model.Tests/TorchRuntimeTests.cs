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

    [Fact]
    public void Loading_again_is_nothing_and_another_folder_is_refused()
    {
        TorchRuntime.Load();
        TorchRuntime.Load(TorchRuntime.LoadedFrom);

        var refusal = Assert.Throws<InvalidOperationException>(() => TorchRuntime.Load(Path.GetTempPath()));

        Assert.Contains("start the program anew", refusal.Message);
    }

    [Fact]
    public void The_cpu_is_there_and_auto_finds_a_device()
    {
        Assert.Equal(DeviceType.CPU, TorchRuntime.ResolveDevice("cpu").type);
        Assert.Contains(TorchRuntime.ResolveDevice("auto").type, new[] { DeviceType.CPU, DeviceType.CUDA });
    }

    [Theory]
    [InlineData("gpu", "must be auto, cpu or cuda:N")]
    [InlineData("cuda:", "must be auto, cpu or cuda:N")]
    [InlineData("cuda:-1", "must be auto, cpu or cuda:N")]
    [InlineData("cuda:99", "Set Device to cpu or auto")]
    public void A_device_that_is_not_there_gets_a_sentence(string setting, string problem) =>
        Assert.Contains(problem, Assert.Throws<InvalidOperationException>(() => TorchRuntime.ResolveDevice(setting)).Message);
}
