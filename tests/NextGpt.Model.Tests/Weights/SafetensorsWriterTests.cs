using NextGpt.Model.Weights;
using TorchSharp;

namespace NextGpt.Model.Tests.Weights;

public sealed class SafetensorsWriterTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("safetensors-").FullName;

    private string Target => Path.Combine(_folder, "out.safetensors");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(SafetensorsType.F32, 0)]
    [InlineData(SafetensorsType.F16, 1e-3)]
    [InlineData(SafetensorsType.BF16, 1e-2)]
    public void What_is_written_is_read_back_within_the_stored_precision(SafetensorsType type, double precision)
    {
        float[] values = [0f, -1.5f, 3.14159f, 0.333333f, 1e-3f, 1e3f];
        using var tensor = torch.tensor(values, 2, 3);
        var writer = new SafetensorsWriter();
        writer.Add("plain", [2, 3], values, type);
        writer.Add("tensor", tensor.t(), type);
        writer.Add("ids", [2], new long[] { -1, long.MaxValue });
        writer.Metadata["who"] = "test";
        writer.Save(Target);

        using var file = SafetensorsFile.Open(Target);
        var plain = new float[6];
        var transposed = new float[6];
        var ids = new long[2];
        file.Read("plain", plain);
        file.Read("tensor", transposed);
        file.ReadIntegers("ids", ids);

        for (var i = 0; i < 6; i++)
        {
            Assert.Equal(values[i], plain[i], Math.Abs(values[i]) * precision);
            Assert.Equal(plain[i], transposed[(i % 3 * 2) + (i / 3)]);
        }

        Assert.Equal([3, 2], file.Tensors["tensor"].Shape);
        Assert.Equal([-1, long.MaxValue], ids);
        Assert.Equal("test", file.Metadata["who"]);
        Assert.Equal("pt", file.Metadata["format"]);
    }

    [Fact]
    public void The_same_tensors_give_the_same_bytes_in_whatever_order_they_came()
    {
        var one = new SafetensorsWriter();
        one.Add("a", [1], new[] { 1f });
        one.Add("b", [1], new[] { 2f }, SafetensorsType.F16);
        one.Save(Target);
        var first = File.ReadAllBytes(Target);
        var two = new SafetensorsWriter();
        two.Add("b", [1], new[] { 2f }, SafetensorsType.F16);
        two.Add("a", [1], new[] { 1f });
        two.Save(Target);

        Assert.Equal(first, File.ReadAllBytes(Target));
    }

    [Fact]
    public void A_failed_save_leaves_the_old_file_and_no_rest()
    {
        File.WriteAllText(Target, "old");
        var tensor = torch.ones(4);
        var writer = new SafetensorsWriter();
        writer.Add("a", tensor);
        tensor.Dispose();

        Assert.Throws<InvalidOperationException>(() => writer.Save(Target));

        Assert.Equal("old", File.ReadAllText(Target));
        Assert.Single(Directory.GetFiles(_folder));
    }

    [Fact]
    public void A_name_twice_and_a_wrong_count_are_refused()
    {
        var writer = new SafetensorsWriter();
        writer.Add("a", [1], new[] { 1f });

        Assert.Throws<ArgumentException>(() => writer.Add("a", [1], new[] { 1f }));
        Assert.Throws<ArgumentException>(() => writer.Add("b", [2], new[] { 1f }));
        Assert.Throws<ArgumentException>(() => writer.Add("__metadata__", [1], new[] { 1f }));
        Assert.Throws<ArgumentException>(() => writer.Add("c", [1], new[] { 1f }, SafetensorsType.I64));
    }
}
