using NextGpt.Model.Weights;

namespace NextGpt.Model.Tests.Conversion;

/// <summary>The weights of every golden, written as torch writes them and read again: every name, type, shape and byte.</summary>
public sealed class GoldenRoundTripTests
{
    public static TheoryData<string> Goldens
    {
        get
        {
            var data = new TheoryData<string>();
            foreach (var folder in Directory.EnumerateDirectories(Path.Combine(AppContext.BaseDirectory, "Goldens")).Order(StringComparer.Ordinal))
            {
                if (File.Exists(Path.Combine(folder, "model.safetensors")))
                {
                    data.Add(Path.GetFileName(folder));
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Goldens))]
    public void A_golden_in_both_layouts_of_torch_is_itself(string golden)
    {
        using var before = SafetensorsFile.Open(Path.Combine(ConversionBench.Golden(golden), "model.safetensors"));
        var folder = Directory.CreateTempSubdirectory("golden-").FullName;
        try
        {
            foreach (var zip in new[] { true, false })
            {
                var file = Path.Combine(folder, $"{zip}.bin");
                var writer = ConversionBench.Copied(before);
                File.WriteAllBytes(file, zip ? writer.Zip() : writer.Old());
                using var after = TorchPickleFile.Open(file);
                Assert.Equal(before.Tensors.Count, after.Tensors.Count);
                Assert.All(before.Tensors, tensor =>
                {
                    Assert.Equal(before.TypeOf(tensor.Key), after.TypeOf(tensor.Key));
                    Assert.Equal(tensor.Value.Shape, after.Tensors[tensor.Key].Shape);
                    Assert.Equal(ConversionBench.BytesOf(before, tensor.Key), ConversionBench.BytesOf(after, tensor.Key));
                });
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
