using NextGpt.Model.Weights;

namespace NextGpt.Model.Tests.Weights;

public sealed class SafetensorsFolderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("safetensors-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Shards_read_as_one_checkpoint()
    {
        Shard("model-00001-of-00002.safetensors", ("a", 1));
        Shard("model-00002-of-00002.safetensors", ("b", 2));
        Index("""{"metadata":{"total_size":8},"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}}""");

        using var source = SafetensorsFolder.Open(_folder);
        var read = new float[1];
        source.Read("b", read);

        Assert.Equal(["a", "b"], source.Tensors.Keys.Order());
        Assert.Equal(2, read[0]);
    }

    [Fact]
    public void A_folder_with_one_file_opens_it()
    {
        Shard("diffusion_pytorch_model.safetensors", ("a", 1));

        using var source = SafetensorsFolder.Open(_folder);

        Assert.Contains("a", source.Tensors.Keys);
    }

    [Fact]
    public void An_empty_folder_gets_a_sentence_with_the_expected_names() =>
        Assert.Contains(
            "model.safetensors", Assert.Throws<FileNotFoundException>(() => SafetensorsFolder.Open(_folder)).Message);

    [Fact]
    public void A_missing_shard_is_named()
    {
        Index("""{"weight_map":{"a":"model-00001-of-00001.safetensors"}}""");

        Assert.Contains(
            "model-00001-of-00001.safetensors",
            Assert.Throws<FileNotFoundException>(() => SafetensorsFolder.Open(_folder)).Message);
    }

    [Fact]
    public void A_tensor_that_is_not_where_the_index_says_is_named()
    {
        Shard("one.safetensors", ("a", 1));
        Index("""{"weight_map":{"a":"one.safetensors","b":"one.safetensors"}}""");

        Assert.Contains("tensor 'b'", Assert.Throws<InvalidDataException>(() => SafetensorsFolder.Open(_folder)).Message);
    }

    [Fact]
    public void A_tensor_in_two_shards_is_refused()
    {
        Shard("one.safetensors", ("a", 1));
        Shard("two.safetensors", ("a", 1), ("b", 1));
        Index("""{"weight_map":{"a":"one.safetensors","b":"two.safetensors"}}""");

        Assert.Contains("both in", Assert.Throws<InvalidDataException>(() => SafetensorsFolder.Open(_folder)).Message);
    }

    [Theory]
    [InlineData("""{"weight_map":{"a":"../secret.safetensors"}}""", "plain file name")]
    [InlineData("""{"weight_map":{"a":"/etc/passwd"}}""", "plain file name")]
    [InlineData("""{"weight_map":{"a":"..\\secret"}}""", "plain file name")]
    [InlineData("""{"weight_map":{"a":".."}}""", "plain file name")]
    [InlineData("""{"weight_map":{"a":""}}""", "plain file name")]
    [InlineData("""{"weight_map":{}}""", "0 tensors")]
    [InlineData("""{"weight_map":{"a":"x","a":"y"}}""", "not an index")]
    [InlineData("""{"weight_map":{"a":3}}""", "not an index")]
    [InlineData("""{"weight_map":[]}""", "not an index")]
    [InlineData("""{}""", "not an index")]
    [InlineData("""{"weight_map":""", "not an index")]
    public void THR_13_A_hostile_index_is_refused(string index, string problem)
    {
        Index(index);

        var refusal = Assert.Throws<InvalidDataException>(() => SafetensorsFolder.Open(_folder));

        Assert.Contains("model.safetensors.index.json", refusal.Message);
        Assert.Contains(problem, refusal.Message);
    }

    private void Shard(string file, params (string Name, float Value)[] tensors)
    {
        var writer = new SafetensorsWriter();
        foreach (var (name, value) in tensors)
        {
            writer.Add(name, [1], new[] { value });
        }

        writer.Save(Path.Combine(_folder, file));
    }

    private void Index(string json) => File.WriteAllText(Path.Combine(_folder, "model.safetensors.index.json"), json);
}
