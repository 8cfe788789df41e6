using System.Buffers.Binary;
using System.Text;
using NextGpt.Model.Weights;

namespace NextGpt.Model.Tests.Weights;

public sealed class SafetensorsFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("safetensors-").FullName;

    public static TheoryData<string, string> HostileHeaders => new()
    {
        { """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", "'a' stands twice" },
        { """{"a":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}}""", "has the type 'F33'; known are BF16, BOOL" },
        { """{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", "is 12 bytes, but offsets 0 to 8" },
        { """{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}""", "impossible shape" },
        { """{"a":{"dtype":"F32","shape":[4294967296,4294967296,0],"data_offsets":[0,0]}}""", "impossible shape" },
        { """{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,8]}}""", "whole numbers from 0 up in shape" },
        { """{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,8]}}""", "whole numbers from 0 up in shape" },
        { """{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}""", "ends at byte 16 of the data, which has 8" },
        { """{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", "begins at byte 4, after a gap" },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", "inside the tensor before it" },
        { """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "its tensors end at byte 4 of the data, which has 8" },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", "but offsets 8 to 0" },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}""", "lacks one of dtype, shape and data_offsets" },
        { """{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "has dtype twice" },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"more":1}}""", "unknown entry 'more'" },
        { """{"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,2],"data_offsets":[0,8]}}""", "more than 16 numbers" },
        { """{"":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "empty or has control characters" },
        { """{"a\u0007":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "empty or has control characters" },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"__metadata__":{"k":3}}""", "a value of __metadata__ is a number" },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}""", "not valid JSON" },
        { """[]""", "the header is a list, expected an object" },
        { """{"a":{"dtype":"F32","shape":[[[[[2]]]]],"data_offsets":[0,8]}}""", "" },
        { "{\"\\ud800\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", "not valid JSON" },
    };

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(HostileHeaders))]
    public void THR_13_A_hostile_header_is_refused_with_the_file_and_the_problem(string header, string problem)
    {
        var path = Write(header, new byte[8]);

        var refusal = Assert.Throws<InvalidDataException>(() => SafetensorsFile.Open(path));

        Assert.StartsWith(path, refusal.Message);
        Assert.Contains(problem, refusal.Message);
    }

    [Theory]
    [InlineData(ulong.MaxValue, "at most 16777216 are accepted")]
    [InlineData(16UL * 1024 * 1024 + 1, "at most 16777216 are accepted")]
    [InlineData(1000UL, "the file has 12 after its length word")]
    [InlineData(1UL, "the file has 12 after its length word")]
    public void THR_13_A_length_that_cannot_be_is_refused(ulong length, string problem)
    {
        var path = Path.Combine(_folder, "length.safetensors");
        var bytes = new byte[20];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, length);
        File.WriteAllBytes(path, bytes);

        Assert.Contains(problem, Assert.Throws<InvalidDataException>(() => SafetensorsFile.Open(path)).Message);
    }

    [Fact]
    public void THR_13_More_tensors_than_the_cap_are_refused()
    {
        var header = new StringBuilder("{");
        for (var i = 0; i <= SafetensorsHeader.MaxTensors; i++)
        {
            header.Append(i > 0 ? "," : "").Append('"').Append(i).Append("\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}");
        }

        var path = Write(header.Append('}').ToString(), []);

        Assert.Contains("more than 65536 tensors", Assert.Throws<InvalidDataException>(() => SafetensorsFile.Open(path)).Message);
    }

    [Fact]
    public void An_empty_file_is_refused_in_words()
    {
        var path = Path.Combine(_folder, "empty.safetensors");
        File.WriteAllBytes(path, []);

        Assert.Contains("too few", Assert.Throws<InvalidDataException>(() => SafetensorsFile.Open(path)).Message);
    }

    [Fact]
    public void A_file_that_becomes_shorter_while_open_gets_a_sentence()
    {
        var path = Write("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", new byte[8]);
        using var file = SafetensorsFile.Open(path);
        using (var cut = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            cut.SetLength(10);
        }

        Assert.Contains("became shorter", Assert.Throws<InvalidDataException>(() => file.Read("a", new float[2])).Message);
    }

    [Fact]
    public void Scalars_and_empty_tensors_are_read()
    {
        var path = Write(
            """{"none":{"dtype":"F32","shape":[0,3],"data_offsets":[0,0]},"one":{"dtype":"I64","shape":[],"data_offsets":[0,8]}}   """,
            [7, 0, 0, 0, 0, 0, 0, 0]);
        using var file = SafetensorsFile.Open(path);
        var one = new long[1];

        file.ReadIntegers("one", one);
        file.Read("none", []);

        Assert.Equal(7, one[0]);
        Assert.Equal(0, file.Tensors["none"].Count);
    }

    [Theory]
    [InlineData("F64", "000000000000F0BF", -1)]
    [InlineData("F32", "0000C03F", 1.5)]
    [InlineData("F16", "00BE", -1.5)]
    [InlineData("BF16", "C0BF", -1.5)]
    [InlineData("I64", "FFFFFFFFFFFFFFFF", -1)]
    [InlineData("U64", "0300000000000000", 3)]
    [InlineData("I32", "FEFFFFFF", -2)]
    [InlineData("U32", "03000000", 3)]
    [InlineData("I16", "FDFF", -3)]
    [InlineData("U16", "FDFF", 65533)]
    [InlineData("I8", "FC", -4)]
    [InlineData("U8", "FC", 252)]
    [InlineData("BOOL", "01", 1)]
    public void Every_stored_type_reads_as_float(string type, string hex, double value)
    {
        var bytes = Convert.FromHexString(hex);
        using var file = SafetensorsFile.Open(
            Write("{\"a\":{\"dtype\":\"" + type + "\",\"shape\":[1],\"data_offsets\":[0," + bytes.Length + "]}}", bytes));
        var read = new float[1];

        file.Read("a", read);

        Assert.Equal((float)value, read[0]);
    }

    [Fact]
    public void Every_half_precision_value_becomes_the_same_single()
    {
        var bytes = new byte[65_536 * 2];
        for (var i = 0; i < 65_536; i++)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(2 * i), (ushort)i);
        }

        using var file = SafetensorsFile.Open(Write("""{"a":{"dtype":"F16","shape":[65536],"data_offsets":[0,131072]}}""", bytes));
        var read = new float[65_536];

        file.Read("a", read);

        for (var i = 0; i < 65_536; i++)
        {
            var want = (float)BitConverter.UInt16BitsToHalf((ushort)i);
            Assert.True(
                BitConverter.SingleToUInt32Bits(want) == BitConverter.SingleToUInt32Bits(read[i])
                || (float.IsNaN(want) && float.IsNaN(read[i])),
                $"half 0x{i:x4} became {read[i]}, expected {want}");
        }
    }

    [Fact]
    public void Fractions_are_not_read_as_whole_numbers()
    {
        using var file = SafetensorsFile.Open(Write("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", new byte[4]));

        Assert.Contains("whole numbers", Assert.Throws<InvalidDataException>(() => file.ReadIntegers("a", new long[1])).Message);
    }

    [Fact]
    public void An_unknown_name_and_a_wrong_length_get_a_sentence()
    {
        using var file = SafetensorsFile.Open(Write("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", new byte[8]));

        Assert.Contains("no tensor 'b'", Assert.Throws<InvalidDataException>(() => file.Read("b", new float[2])).Message);
        Assert.Contains("has 2 elements", Assert.Throws<ArgumentException>(() => file.Read("a", new float[3])).Message);
    }

    [Fact]
    public void A_file_of_the_reference_writer_opens_with_names_shapes_and_metadata()
    {
        using var golden = GoldenFixture.Open("llama_untied");

        Assert.Equal([128, 64], golden.Model.Tensors["lm_head.weight"].Shape);
        Assert.Equal("F32", golden.Model.Tensors["lm_head.weight"].StoredType);
        Assert.Equal("pt", golden.Model.Metadata["format"]);
    }

    private string Write(string header, byte[] data)
    {
        var path = Path.Combine(_folder, "file.safetensors");
        var json = Encoding.UTF8.GetBytes(header);
        var length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        File.WriteAllBytes(path, [.. length, .. json, .. data]);
        return path;
    }
}
