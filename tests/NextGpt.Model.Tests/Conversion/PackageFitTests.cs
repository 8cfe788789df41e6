using NextGpt.Media;
using NextGpt.Model.Conversion;
using NextGpt.Model.Packages;

namespace NextGpt.Model.Tests.Conversion;

public sealed class PackageFitTests : IDisposable
{
    private readonly ConversionBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void The_language_model_counts_its_weights_and_keys_and_values_of_the_context()
    {
        ModelConverter.Convert(_bench.Request(_bench.Language));
        var package = ModelPackage.Open(_bench.Target);

        var gpu = PackageFit.Estimate(package, "cuda:0", 1_000_000_000, contextTokens: 100);
        var cpu = PackageFit.Estimate(package, "cpu", 1_000_000_000, contextTokens: 100);

        using var golden = GoldenFixture.Open("llama_untied");
        var parameters = golden.Model.Tensors.Values.Sum(tensor => tensor.Count);
        var config = golden.Config;
        var heads = config.GetProperty("num_key_value_heads").GetInt64();
        var headSize = config.GetProperty("hidden_size").GetInt64() / config.GetProperty("num_attention_heads").GetInt64();
        Assert.Equal((parameters, parameters * 2, "bfloat16"), (gpu.Parts[0].Parameters, gpu.Parts[0].WeightBytes, gpu.Parts[0].ElementType));
        Assert.Equal((long)(parameters * 1.0625), cpu.Parts[0].WeightBytes);
        Assert.Equal(2 * config.GetProperty("num_hidden_layers").GetInt64() * heads * headSize * 2 * 100, gpu.KeyValueBytes);
        Assert.Equal(FitVerdict.Whole, gpu.Verdict);
    }

    [Fact]
    public void What_does_not_fit_at_once_is_off_loaded_and_what_never_fits_is_said_so()
    {
        ModelConverter.Convert(_bench.Request([.. _bench.Everything(MediaKind.Video), _bench.DeltaV0(kind: MediaKind.Video)]));
        var package = ModelPackage.Open(_bench.Target);

        var whole = PackageFit.Estimate(package, "cuda:0", long.MaxValue);
        var tight = PackageFit.Estimate(package, "cuda:0", whole.NeededBytes - 1);
        var least = PackageFit.Estimate(package, "cuda:0", whole.LeastBytes);
        var small = PackageFit.Estimate(package, "cuda:0", whole.LeastBytes - 1);

        Assert.Equal(["language", "projections", "encoder", "video"], whole.Parts.Select(part => part.Name));
        Assert.True(whole.LeastBytes < whole.NeededBytes);
        Assert.Empty(whole.OffLoaded);
        var largest = whole.Parts.Skip(2).OrderByDescending(part => part.WeightBytes).First().Name;
        Assert.Equal((FitVerdict.OffLoaded, largest), (tight.Verdict, Assert.Single(tight.OffLoaded)));
        Assert.Equal(FitVerdict.OffLoaded, least.Verdict);
        Assert.Equal(FitVerdict.TooLarge, small.Verdict);
    }

    [Fact]
    public void A_device_that_is_not_there_is_refused_with_what_to_do() => Assert.Contains(
        "must be auto, cpu or cuda:N",
        Assert.Throws<InvalidOperationException>(() => DeviceMemory.Of("gpu")).Message, StringComparison.Ordinal);
}
