using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;
using NextGpt.Model.Weights;

namespace NextGpt.Model.Tests.Weights;

public sealed class TorchPickleFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("torch-").FullName;

    public static TheoryData<bool> Layouts => [true, false];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Layouts))]
    public void Every_element_type_is_read_as_numbers_and_as_bytes(bool zip)
    {
        var writer = new TorchPickleWriter()
            .Add("f32", SafetensorsType.F32, [3], Bytes(1.5f, -2f, 0f))
            .Add("f16", SafetensorsType.F16, [3], Bytes((Half)1.5, (Half)(-2), (Half)0))
            .Add("bf16", SafetensorsType.BF16, [3], Bytes<ushort>(0x3FC0, 0xC000, 0))
            .Add("f64", SafetensorsType.F64, [3], Bytes(1.5, -2.0, 0))
            .Add("i64", SafetensorsType.I64, [3], Bytes(1L, -2, 0))
            .Add("i32", SafetensorsType.I32, [3], Bytes(1, -2, 0))
            .Add("i16", SafetensorsType.I16, [3], Bytes<short>(1, -2, 0))
            .Add("i8", SafetensorsType.I8, [3], Bytes<sbyte>(1, -2, 0))
            .Add("u8", SafetensorsType.U8, [3], [1, 254, 0])
            .Add("bool", SafetensorsType.Bool, [3], [1, 0, 1]);

        using var file = Open(writer, zip);

        Assert.Equal(10, file.Tensors.Count);
        Assert.All(["f32", "f16", "bf16", "f64"], name => Assert.Equal([1.5f, -2, 0], Values(file, name)));
        Assert.All(["i64", "i32", "i16", "i8"], name => Assert.Equal([1f, -2, 0], Values(file, name)));
        Assert.Equal([1f, 254, 0], Values(file, "u8"));
        Assert.Equal([1f, 0, 1], Values(file, "bool"));
        Assert.Equal("BF16", file.Tensors["bf16"].StoredType);
        var halves = new byte[6];
        file.ReadBytes("f16", halves);
        Assert.Equal(Bytes((Half)1.5, (Half)(-2), (Half)0), halves);
    }

    [Theory]
    [MemberData(nameof(Layouts))]
    public void Strides_offsets_and_shared_storages_are_followed(bool zip)
    {
        var writer = new TorchPickleWriter();
        var storage = writer.Storage(SafetensorsType.F32, Bytes([.. Enumerable.Range(0, 12).Select(i => (float)i)]));
        writer.View("whole", storage, 0, [3, 4], [4, 1], parameter: true)
            .View("transposed", storage, 0, [4, 3], [1, 4])
            .View("row", storage, 8, [4], [1])
            .View("column", storage, 1, [3], [4])
            .View("repeated", storage, 2, [2, 3], [0, 1])
            .View("scalar", storage, 5, [], [])
            .View("empty", storage, 12, [0, 4], [4, 1])
            .View("tied", storage, 0, [3, 4], [4, 1]);

        using var file = Open(writer, zip);

        Assert.Equal([0f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], Values(file, "whole"));
        Assert.Equal([0f, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11], Values(file, "transposed"));
        Assert.Equal([8f, 9, 10, 11], Values(file, "row"));
        Assert.Equal([1f, 5, 9], Values(file, "column"));
        Assert.Equal([2f, 3, 4, 2, 3, 4], Values(file, "repeated"));
        Assert.Equal([5f], Values(file, "scalar"));
        Assert.Empty(Values(file, "empty"));
        Assert.True(file.AreTied("whole", "tied"));
        Assert.False(file.AreTied("whole", "transposed"));
    }

    [Fact]
    public void A_window_of_the_old_layout_begins_where_it_says()
    {
        var writer = new TorchPickleWriter();
        var storage = writer.Storage(SafetensorsType.F16, Bytes([.. Enumerable.Range(0, 8).Select(i => (Half)i)]));
        writer.View("first", storage, 0, [2], [1], window: (2, 4)).View("second", storage, 3, [1], [1], window: (2, 4));

        using var file = Open(writer, zip: false);

        Assert.Equal([2f, 3], Values(file, "first"));
        Assert.Equal([5f], Values(file, "second"));
    }

    [Theory]
    [MemberData(nameof(Layouts))]
    public void A_state_dict_inside_a_training_checkpoint_is_found(bool zip)
    {
        using var file = Open(new TorchPickleWriter { Below = "state_dict" }.Add("layer.weight", [2], 1, 2), zip);

        Assert.Equal(["layer.weight"], file.Tensors.Keys);
    }

    [Fact]
    public void Other_dictionaries_give_dotted_names_and_what_is_no_tensor_is_passed_over()
    {
        var writer = new TorchPickleWriter { Below = "ema" }.Add("weight", [1], 7)
            .Raw("steps", pickle => pickle.Number(70_000))
            .Raw("names", pickle => pickle.Op(']').Op('(').Text("a").Op('e'))
            .Raw("type", pickle => pickle.Global("torch", "float16"))
            .Raw("device", pickle => pickle.Global("torch", "device").Op('(').Text("cpu").Op('t').Op('R'))
            .Raw("size", pickle => pickle.Global("torch", "Size").Op('(').Numbers([2, 3]).Op('t').Op('R'));

        using var file = Open(writer, zip: true);

        Assert.Equal(["ema.weight"], file.Tensors.Keys);
    }

    [Fact]
    public void Deflated_entries_are_inflated()
    {
        var values = Enumerable.Range(0, 5_000).Select(i => (float)(i % 7)).ToArray();

        using var file = Open(new TorchPickleWriter { Deflated = true }.Add("a", [5_000], values).Add("b", [1], 3), zip: true);

        Assert.Equal(values, Values(file, "a"));
        Assert.Equal([3f], Values(file, "b"));
    }

    [Theory]
    [InlineData("os", "system", "os.system")]
    [InlineData("builtins", "eval", "builtins.eval")]
    [InlineData("numpy.core.multiarray", "_reconstruct", "numpy.core.multiarray._reconstruct")]
    [InlineData("torch", "load", "torch.load")]
    public void THR_13_any_other_global_is_refused_by_name(string module, string name, string shown)
    {
        var writer = new TorchPickleWriter().Add("weight", [1], 1)
            .Raw("evil", pickle => pickle.Global(module, name).Op('(').Text("id").Op('t').Op('R'));

        foreach (var zip in new[] { true, false })
        {
            var refusal = Refusal(writer, zip);
            Assert.Contains($"the global '{shown}', which is not read", refusal, StringComparison.Ordinal);
            Assert.Contains("nothing is ever run", refusal, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(0x81, "NEWOBJ")]
    [InlineData('i', "INST")]
    [InlineData('o', "OBJ")]
    [InlineData('C', "SHORT_BINBYTES")]
    [InlineData(0x82, "EXT1")]
    [InlineData(0x8f, "EMPTY_SET")]
    [InlineData(0xfe, "0xFE")]
    public void THR_13_any_other_opcode_is_refused_by_name(int opcode, string shown) => Assert.Contains(
        $"the opcode {shown}", Refusal(new TorchPickleWriter().Raw("x", pickle => pickle.Op((byte)opcode)), zip: true),
        StringComparison.Ordinal);

    [Fact]
    public void A_tensor_may_not_leave_its_storage()
    {
        foreach (var (offset, shape, stride) in new (long, long[], long[])[]
        {
            (1, [4], [1]), (0, [2, 2], [3, 1]), (0, [1L << 40], [1]), (0, [1L << 62, 4], [1, 1]), (5, [], []), (0, [4, 1L << 32], [0, 0]),
        })
        {
            var writer = new TorchPickleWriter();
            writer.View("weight", writer.Storage(SafetensorsType.F32, new byte[16]), offset, shape, stride);
            Assert.Contains("leaves its storage '0' of 4 elements", Refusal(writer, zip: true), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Damaged_archives_are_refused_in_a_sentence()
    {
        var whole = new TorchPickleWriter().Add("weight", [256], new float[256]).Zip();

        Assert.Contains("no directory at its end (cut short?)", Refusal(whole[..^8]), StringComparison.Ordinal);
        Assert.Contains("no checkpoint of torch", Refusal("this is a text and no checkpoint"u8.ToArray()), StringComparison.Ordinal);
        Assert.Contains("without the one data.pkl", Refusal(Archive(("a.txt", "hello"u8.ToArray()))), StringComparison.Ordinal);
        Assert.Contains("'../data.pkl'", Refusal(Archive(("../data.pkl", [0x80, 2, (byte)'.']))), StringComparison.Ordinal);
        Assert.Contains("TorchScript", Refusal(Archive(("m/data.pkl", [0x80, 2, (byte)'N', (byte)'.']), ("m/constants.pkl", [1]))),
            StringComparison.Ordinal);
        Assert.Contains("byte order", Refusal(new TorchPickleWriter { ByteOrder = "big" }.Add("a", [1], 1).Zip()), StringComparison.Ordinal);
    }

    [Fact]
    public void An_archive_that_claims_to_grow_without_measure_is_refused()
    {
        var bomb = new byte[100_000_000];
        var bytes = new TorchPickleWriter { Deflated = true }.Add("weight", SafetensorsType.U8, [bomb.Length], bomb).Zip();

        Assert.Contains("claims to grow", Refusal(bytes), StringComparison.Ordinal);
    }

    [Fact]
    public void A_dictionary_that_contains_itself_is_refused()
    {
        var writer = new TorchPickleWriter().Raw("self", pickle => pickle.Op('h').Op(0));

        Assert.Contains("nested more than", Refusal(writer, zip: true), StringComparison.Ordinal);
    }

    [Fact]
    public void A_checkpoint_behind_the_four_gigabyte_words_of_zip64_is_read()
    {
        // Every number of the directory moved into zip64 fields, as torch does beyond 4 GiB.
        var bytes = Zip64.Of(new TorchPickleWriter().Add("weight", [3], 1, 2, 3).Zip());

        using var file = TorchPickleFile.Open(Written(bytes));

        Assert.Equal([1f, 2, 3], Values(file, "weight"));
    }

    [Fact]
    public void Shards_with_an_index_are_read_as_one()
    {
        File.WriteAllBytes(Path.Combine(_folder, "pytorch_model-00001-of-00002.bin"), new TorchPickleWriter().Add("a", [1], 1).Zip());
        File.WriteAllBytes(Path.Combine(_folder, "pytorch_model-00002-of-00002.bin"), new TorchPickleWriter().Add("b", [1], 2).Old());
        File.WriteAllText(Path.Combine(_folder, "pytorch_model.bin.index.json"), """
            {"metadata": {}, "weight_map": {"a": "pytorch_model-00001-of-00002.bin", "b": "pytorch_model-00002-of-00002.bin"}}
            """);

        using var source = TorchPickleFolder.Open(_folder);

        Assert.Equal([1f], Values(source, "a"));
        Assert.Equal([2f], Values(source, "b"));
    }

    private static byte[] Bytes<T>(params T[] values)
        where T : unmanaged => MemoryMarshal.AsBytes<T>(values).ToArray();

    private static float[] Values(IStoredTensors file, string name)
    {
        var values = new float[file.Tensors[name].Count];
        file.Read(name, values);
        return values;
    }

    private static byte[] Archive(params (string Name, byte[] Bytes)[] entries)
    {
        var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true, Encoding.UTF8))
        {
            foreach (var (name, bytes) in entries)
            {
                using var entry = zip.CreateEntry(name, CompressionLevel.NoCompression).Open();
                entry.Write(bytes);
            }
        }

        return stream.ToArray();
    }

    private TorchPickleFile Open(TorchPickleWriter writer, bool zip) => TorchPickleFile.Open(Written(zip ? writer.Zip() : writer.Old()));

    private string Refusal(TorchPickleWriter writer, bool zip) => Refusal(zip ? writer.Zip() : writer.Old());

    private string Refusal(byte[] bytes)
    {
        var path = Written(bytes);
        var message = Assert.Throws<InvalidDataException>(() => TorchPickleFile.Open(path).Dispose()).Message;
        Assert.StartsWith(path, message, StringComparison.Ordinal);
        return message;
    }

    private string Written(byte[] bytes)
    {
        var path = Path.Combine(_folder, $"{Guid.NewGuid():N}.pt");
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
