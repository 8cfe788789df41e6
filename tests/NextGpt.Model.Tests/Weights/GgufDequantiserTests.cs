using NextGpt.Model.Weights;

namespace NextGpt.Model.Tests.Weights;

/// <summary>Each block format against a scalar reading of its definition, written out here once more.</summary>
public sealed unsafe class GgufDequantiserTests
{
    [Fact]
    public void A_block_made_by_hand_has_the_values_it_was_made_of()
    {
        // Scale 0.5, minimum -1, nibble i in the low half of byte i, 15 - i in the high half.
        var block = new byte[20];
        BitConverter.TryWriteBytes(block, (Half)0.5f);
        BitConverter.TryWriteBytes(block.AsSpan(2), (Half)(-1f));
        for (var index = 0; index < 16; index++)
        {
            block[4 + index] = (byte)(index | ((15 - index) << 4));
        }

        var values = Dequantised(GgufType.Q4_1, block, 32);

        for (var index = 0; index < 16; index++)
        {
            Assert.Equal((0.5f * index) - 1, values[index]);
            Assert.Equal((0.5f * (15 - index)) - 1, values[16 + index]);
        }
    }

    [Theory]
    [InlineData((int)GgufType.F32)]
    [InlineData((int)GgufType.F16)]
    [InlineData((int)GgufType.BF16)]
    [InlineData((int)GgufType.Q4_0)]
    [InlineData((int)GgufType.Q4_1)]
    [InlineData((int)GgufType.Q5_0)]
    [InlineData((int)GgufType.Q8_0)]
    [InlineData((int)GgufType.Q4_K)]
    [InlineData((int)GgufType.Q6_K)]
    public void Random_blocks_equal_the_scalar_reading_bit_by_bit(int typeNumber)
    {
        var type = (GgufType)typeNumber;
        var (elements, size) = GgufTypes.Block(type)!.Value;
        var random = new Random(20_251_123 + typeNumber);
        const int Length = 1_280 + 256;
        var source = new byte[Length / elements * size];
        random.NextBytes(source);
        TameScales(type, source, size, random);

        var values = Dequantised(type, source, Length);
        var expected = GgufReference.Dequantise(type, source, Length);

        Assert.Equal(expected.Select(BitConverter.SingleToUInt32Bits), values.Select(BitConverter.SingleToUInt32Bits));
    }

    [Fact]
    public void Every_half_comes_out_as_the_framework_converts_it()
    {
        var halves = Enumerable.Range(0, 65_536).SelectMany(bits => BitConverter.GetBytes((ushort)bits)).ToArray();

        var values = Dequantised(GgufType.F16, halves, 65_536);

        for (var bits = 0; bits < 65_536; bits++)
        {
            var expected = (float)BitConverter.UInt16BitsToHalf((ushort)bits);
            Assert.True(
                float.IsNaN(expected) ? float.IsNaN(values[bits]) : expected.Equals(values[bits]), $"0x{bits:X4}");
        }
    }

    [Fact]
    public void Rows_of_a_large_tensor_land_where_they_are_sent()
    {
        const int Rows = 3_000, Length = 256;
        var source = new byte[Rows * Length * 2];
        new Random(5).NextBytes(source);
        var straight = new float[Rows * Length];
        var reversed = new float[Rows * Length];
        fixed (byte* from = source)
        fixed (float* first = straight)
        fixed (float* second = reversed)
        {
            GgufDequantiser.Rows(GgufType.BF16, from, Length, Length * 2, Rows, first, row => row);
            GgufDequantiser.Rows(GgufType.BF16, from, Length, Length * 2, Rows, second, row => Rows - 1 - row);
        }

        for (var row = 0; row < Rows; row += 17)
        {
            Assert.True(
                straight.AsSpan(row * Length, Length).SequenceEqual(reversed.AsSpan((Rows - 1 - row) * Length, Length))
                || straight.AsSpan(row * Length, Length).ContainsAnyExceptInRange(float.NegativeInfinity, float.PositiveInfinity));
        }
    }

    private static float[] Dequantised(GgufType type, byte[] source, int length)
    {
        var values = new float[length];
        fixed (byte* from = source)
        fixed (float* to = values)
        {
            GgufDequantiser.Row(type, from, length, to);
        }

        return values;
    }

    /// <summary>Puts finite scales (both signs, a subnormal among them) where a block has its scales.</summary>
    private static void TameScales(GgufType type, byte[] source, int size, Random random)
    {
        int[] places = type switch
        {
            GgufType.Q4_0 or GgufType.Q5_0 or GgufType.Q8_0 => [0],
            GgufType.Q4_1 or GgufType.Q4_K => [0, 2],
            GgufType.Q6_K => [208],
            _ => [],
        };
        for (var block = 0; block < source.Length / size; block++)
        {
            foreach (var place in places)
            {
                var scale = block == 0 ? (Half)3e-6f : (Half)((random.NextSingle() - 0.5f) * 4);
                BitConverter.TryWriteBytes(source.AsSpan((block * size) + place), scale);
            }
        }

        if (places.Length == 0)
        {
            // No NaN payloads: their bits may change on the way and mean nothing.
            var width = type == GgufType.F32 ? 4 : 2;
            for (var index = width - 1; index < source.Length; index += width)
            {
                source[index] &= 0xBF;
            }
        }
    }
}

/// <summary>The formats one element at a time, from their definition in ggml's <c>ggml-common.h</c>.</summary>
internal static class GgufReference
{
    public static float[] Dequantise(GgufType type, ReadOnlySpan<byte> source, int length)
    {
        var values = new float[length];
        for (var index = 0; index < length; index++)
        {
            values[index] = type switch
            {
                GgufType.F32 => BitConverter.ToSingle(source[(index * 4)..]),
                GgufType.F16 => (float)BitConverter.ToHalf(source[(index * 2)..]),
                GgufType.BF16 => BitConverter.UInt32BitsToSingle((uint)BitConverter.ToUInt16(source[(index * 2)..]) << 16),
                GgufType.Q4_0 => Q4_0(source.Slice(index / 32 * 18, 18), index % 32),
                GgufType.Q4_1 => Q4_1(source.Slice(index / 32 * 20, 20), index % 32),
                GgufType.Q5_0 => Q5_0(source.Slice(index / 32 * 22, 22), index % 32),
                GgufType.Q8_0 => Q8_0(source.Slice(index / 32 * 34, 34), index % 32),
                GgufType.Q4_K => Q4_K(source.Slice(index / 256 * 144, 144), index % 256),
                GgufType.Q6_K => Q6_K(source.Slice(index / 256 * 210, 210), index % 256),
                _ => throw new ArgumentOutOfRangeException(nameof(type)),
            };
        }

        return values;
    }

    private static int Nibble(ReadOnlySpan<byte> bytes, int index) => index < 16 ? bytes[index] & 15 : bytes[index - 16] >> 4;

    private static float Q4_0(ReadOnlySpan<byte> block, int index) =>
        (float)BitConverter.ToHalf(block) * (Nibble(block[2..], index) - 8);

    private static float Q4_1(ReadOnlySpan<byte> block, int index)
    {
        var product = (float)BitConverter.ToHalf(block) * Nibble(block[4..], index);
        return product + (float)BitConverter.ToHalf(block[2..]);
    }

    private static float Q5_0(ReadOnlySpan<byte> block, int index)
    {
        var fifth = (int)((BitConverter.ToUInt32(block[2..]) >> index) & 1);
        return (float)BitConverter.ToHalf(block) * ((Nibble(block[6..], index) | (fifth << 4)) - 16);
    }

    private static float Q8_0(ReadOnlySpan<byte> block, int index) =>
        (float)BitConverter.ToHalf(block) * (sbyte)block[2 + index];

    private static float Q4_K(ReadOnlySpan<byte> block, int index)
    {
        // 12 bytes hold eight 6-bit scales and eight 6-bit minima; 32 elements to a run, two runs to 32 bytes.
        var packed = block.Slice(4, 12);
        var run = index / 32;
        int scale, minimum;
        if (run < 4)
        {
            scale = packed[run] & 0x3F;
            minimum = packed[run + 4] & 0x3F;
        }
        else
        {
            scale = (packed[run + 4] & 0x0F) + ((packed[run - 4] & 0xC0) >> 2);
            minimum = ((packed[run + 4] & 0xF0) >> 4) + ((packed[run] & 0xC0) >> 2);
        }

        var value = block[16 + (index / 64 * 32) + (index % 32)];
        var nibble = index % 64 < 32 ? value & 15 : value >> 4;
        var product = (float)BitConverter.ToHalf(block) * scale * nibble;
        return product - ((float)BitConverter.ToHalf(block[2..]) * minimum);
    }

    private static float Q6_K(ReadOnlySpan<byte> block, int index)
    {
        var (half, within) = (index / 128, index % 128);
        var (quarter, column) = (within / 32, within % 32);
        var low = block[(half * 64) + (quarter % 2 * 32) + column];
        var nibble = quarter < 2 ? low & 15 : low >> 4;
        var pair = (block[128 + (half * 32) + column] >> (quarter * 2)) & 3;
        var scale = (float)BitConverter.ToHalf(block[208..]) * (sbyte)block[192 + (index / 16)];
        return scale * (nibble + (pair * 16) - 32);
    }
}
