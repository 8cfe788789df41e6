using System.Buffers.Binary;
using NextGpt.Model.Weights;

namespace NextGpt.Model.Tests.Weights;

public sealed class GgufFileTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void Metadata_of_every_type_come_back_as_they_were_written(uint version)
    {
        using var written = new TemporaryFile(new GgufWriter { Version = version }
            .Add("u8", (byte)200).Add("i8", (sbyte)-100).Add("u16", (ushort)60_000).Add("i16", (short)-30_000)
            .Add("u32", 4_000_000_000u).Add("i32", -2_000_000_000).Add("f32", 1.5f).Add("yes", true).Add("no", false)
            .Add("text", "Grüße, 世界").Add("u64", ulong.MaxValue).Add("small u64", 7ul).Add("i64", long.MinValue)
            .Add("f64", Math.PI)
            .Add("texts", new[] { "a", "", "b" }).Add("integers", new[] { 3, -4 }).Add("numbers", new[] { 0.5f, -2f })
            .Add("flags", new[] { true, false }).Add("wide", new[] { 1ul, 2ul }).Add("empty", Array.Empty<string>())
            .Add("nested", new object[] { new[] { 1, 2 }, new[] { 3 } })
            .ToArray());

        using var file = new GgufFile(written.Path);
        var metadata = file.Metadata;

        Assert.Equal(200, metadata.Integer("u8"));
        Assert.Equal(-100, metadata.Integer("i8"));
        Assert.Equal(60_000, metadata.Integer("u16"));
        Assert.Equal(-30_000, metadata.Integer("i16"));
        Assert.Equal(4_000_000_000, metadata.Integer("u32"));
        Assert.Equal(-2_000_000_000, metadata.Integer("i32"));
        Assert.Equal(1.5, metadata.Number("f32"));
        Assert.Equal(7, metadata.Number("small u64"));
        Assert.True(metadata.Flag("yes"));
        Assert.False(metadata.Flag("no"));
        Assert.Equal("Grüße, 世界", metadata.Text("text"));
        Assert.Equal(ulong.MaxValue, metadata.Values["u64"]);
        Assert.Equal(long.MinValue, metadata.Integer("i64"));
        Assert.Equal(Math.PI, metadata.Number("f64"));
        Assert.Equal(["a", "", "b"], metadata.Texts("texts")!);
        Assert.Equal([3, -4], metadata.Integers("integers")!);
        Assert.Equal([0.5, -2.0], metadata.Numbers("numbers")!);
        Assert.Equal([true, false], Assert.IsType<bool[]>(metadata.Values["flags"]));
        Assert.Equal([1, 2], metadata.Integers("wide")!);
        Assert.Empty(metadata.Texts("empty")!);
        Assert.Empty(metadata.Integers("empty")!);
        Assert.Equal([3L], Assert.IsType<long[]>(Assert.IsType<object[]>(metadata.Values["nested"])[1]));
        Assert.Null(metadata.Text("not there"));
        Assert.Contains("'text' is a string; expected an integer", Message(() => metadata.Integer("text")));
    }

    [Fact]
    public void Tensors_have_their_shape_outermost_first_and_are_read_as_float()
    {
        using var written = new TemporaryFile(new GgufWriter { Alignment = 64 }
            .Add("general.alignment", 64u)
            .Floats("odd", [1, 2, 3], 3)
            .Floats("matrix", [1, 2, 3, 4, 5, 6], 2, 3)
            .ToArray());

        using var file = new GgufFile(written.Path);
        var read = new float[6];
        file.Read("matrix", read);

        Assert.Equal([1, 2, 3, 4, 5, 6], read);
        Assert.Equal([2, 3], file.Tensors["matrix"].Shape);
        Assert.Equal("F32", file.Tensors["matrix"].StoredType);
        Assert.Equal(0, file.Find("matrix").Start % 64);
        Assert.Throws<ArgumentException>(() => file.Read("odd", read));
        Assert.Contains("no tensor 'x'", Message(() => file.Read("x", read)));
    }

    [Fact]
    public void A_closed_file_refuses_to_be_read()
    {
        using var written = new TemporaryFile(new GgufWriter().Floats("one", [1], 1).ToArray());
        var file = new GgufFile(written.Path);
        file.Dispose();
        file.Dispose();

        Assert.Throws<ObjectDisposedException>(() => file.Read("one", new float[1]));
    }

    [Fact]
    public void A_missing_and_an_empty_file_are_refused_with_their_name()
    {
        var exception = Assert.Throws<FileNotFoundException>(() => new GgufFile("nowhere.gguf"));
        Assert.Contains("nowhere.gguf", exception.Message);

        using var empty = new TemporaryFile([]);
        Assert.Contains("empty", Message(() => new GgufFile(empty.Path)));
    }

    public static TheoryData<string, Func<byte[]>, string> Damaged => new()
    {
        { "other format", () => [.. "PK\u0003\u0004 some other file"u8], "does not begin with 'GGUF'" },
        { "old version", () => With(4, 1u), "GGUF version 1; versions 2 and 3" },
        { "big endian", () => With(4, 0x0300_0000u), "big-endian" },
        { "tensors without end", () => With(8, ulong.MaxValue), "claims 18446744073709551615 tensors" },
        { "keys without end", () => With(16, 99_999ul), "claims 99999 metadata keys" },
        { "cut in the header", () => Sound().ToArray()[..100], "cut short" },
        { "cut in the data", () => Sound().ToArray()[..^4], "tensor 'b' needs bytes 64 to 80 of the data" },
        { "key twice", () => Sound().Add("name", 1).ToArray(), "metadata 'name' twice" },
        { "tensor twice", () => Sound().Floats("a", [1], 1).ToArray(), "tensor 'a' twice" },
        { "crooked alignment", () => new GgufWriter().Add("general.alignment", 33u).ToArray(), "alignment' 33" },
        { "unknown type", () => new GgufWriter().Tensor("t", (GgufType)99, new byte[64], 8).ToArray(), "stored as number 99" },
        { "type not read", () => new GgufWriter().Tensor("t", (GgufType)13, new byte[176], 256).ToArray(), "Q5_K" },
        { "torn block", () => new GgufWriter().Tensor("t", GgufType.Q4_1, new byte[60], 3, 16).ToArray(), "blocks of 32" },
        { "no dimensions", () => new GgufWriter().Tensor("t", GgufType.F32, new byte[4]).ToArray(), "0 dimensions" },
        { "five dimensions", () => new GgufWriter().Tensor("t", GgufType.F32, new byte[4], 1, 1, 1, 1, 1).ToArray(), "5 dimensions" },
        { "empty dimension", () => new GgufWriter().Tensor("t", GgufType.F32, new byte[4], 1, 0).ToArray(), "dimension of 0" },
        { "overflowing shape", () => new GgufWriter().Tensor("t", GgufType.F32, new byte[4], int.MaxValue, int.MaxValue, 8).ToArray(),
            "which no tensor" },
        { "nested too deep", () => new GgufWriter().Add("k", Nested(6)).ToArray(), "nests arrays" },
        { "overlap", Overlapping, "tensors 'b' and 'a' overlap" },
        { "not aligned", () => WithOffset(8), "not a multiple of 32" },
        { "offset outside", () => WithOffset(ulong.MaxValue - 31), "outside any file" },
        { "offset past the end", () => WithOffset(1ul << 62), "cut short" },
    };

    [Theory]
    [MemberData(nameof(Damaged))]
    public void A_damaged_file_is_refused_in_a_sentence(string what, Func<byte[]> bytes, string sentence)
    {
        Assert.NotEmpty(what);
        using var written = new TemporaryFile(bytes());

        var message = Message(() => new GgufFile(written.Path));

        Assert.Contains(sentence, message);
        Assert.StartsWith(written.Path, message);
        Assert.EndsWith(".", message);
    }

    private static GgufWriter Sound() =>
        new GgufWriter().Add("name", "x").Floats("a", [1, 2, 3, 4, 5, 6, 7, 8, 9], 9).Floats("b", [1, 2, 3, 4], 4);

    private static object Nested(int depth) => depth == 0 ? 1 : new[] { Nested(depth - 1) };

    private static byte[] With<T>(int position, T value)
        where T : struct
    {
        var bytes = Sound().ToArray();
        System.Runtime.InteropServices.MemoryMarshal.Write(bytes.AsSpan(position), in value);
        return bytes;
    }

    private static byte[] Overlapping() => WithOffset(0);

    /// <summary>The offset of tensor b replaced.</summary>
    private static byte[] WithOffset(ulong offset)
    {
        var bytes = Sound().ToArray();
        var entry = bytes.AsSpan().IndexOf((ReadOnlySpan<byte>)[1, 0, 0, 0, 0, 0, 0, 0, (byte)'b', 1, 0, 0, 0]);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(entry + 9 + 4 + 8 + 4), offset);
        return bytes;
    }

    private static string Message(Action action) => Assert.Throws<InvalidDataException>(action).Message;

    private static string Message(Func<object?> action) => Assert.Throws<InvalidDataException>(action).Message;
}
