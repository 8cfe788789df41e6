using NextGpt.Model.Language.Quantized;
using NextGpt.Model.Tests.Weights;
using NextGpt.Model.Weights;

namespace NextGpt.Model.Tests.Language.Quantized;

public sealed unsafe class PanelPackerTests
{
    [Theory]
    [InlineData((int)GgufType.Q4_0, (int)PanelFormat.FourBits)]
    [InlineData((int)GgufType.Q4_1, (int)PanelFormat.FourBits)]
    [InlineData((int)GgufType.Q8_0, (int)PanelFormat.EightBits)]
    [InlineData((int)GgufType.F16, (int)PanelFormat.Half)]
    [InlineData((int)GgufType.BF16, (int)PanelFormat.Brain)]
    public void Types_with_a_panel_of_their_own_keep_every_weight(int type, int format)
    {
        using var arena = new WeightArena();
        var (matrix, weights) = PanelKernelsTests.Matrix(arena, (GgufType)type, 40, 64, seed: 3);

        Assert.Equal((PanelFormat)format, matrix.Format);
        for (var row = 0; row < 40; row++)
        {
            Assert.Equal(weights[(row * 64)..((row + 1) * 64)], Row(matrix, row));
        }
    }

    [Theory]
    [InlineData((int)GgufType.F32, 64)]
    [InlineData((int)GgufType.Q5_0, 64)]
    [InlineData((int)GgufType.Q4_K, 256)]
    [InlineData((int)GgufType.Q6_K, 256)]
    public void Other_types_move_by_at_most_half_a_step_of_eight_bits(int type, int columns)
    {
        using var arena = new WeightArena();
        var (matrix, weights) = PanelKernelsTests.Matrix(arena, (GgufType)type, 20, columns, seed: 4);

        Assert.Equal(PanelFormat.EightBits, matrix.Format);
        for (var row = 0; row < 20; row++)
        {
            var packed = Row(matrix, row);
            for (var block = 0; block < columns / 32; block++)
            {
                var original = weights.AsSpan((row * columns) + (block * 32), 32);
                var step = 0f;
                foreach (var weight in original)
                {
                    step = Math.Max(step, Math.Abs(weight) / 127);
                }

                for (var index = 0; index < 32; index++)
                {
                    Assert.Equal(original[index], packed[(block * 32) + index], (0.5f * step) + (0.07f * step) + 1e-9f);
                }
            }
        }
    }

    [Fact]
    public void Stacked_parts_of_different_types_become_eight_bits_row_below_row()
    {
        using var arena = new WeightArena();
        var first = GgufBlocks.Random(GgufType.Q4_1, 24 * 32, new Random(1));
        float[] second = [.. Enumerable.Range(0, 8 * 32).Select(index => (float)index)];
        PanelMatrix matrix;
        fixed (byte* start = first)
        {
            var begin = (nint)start;
            matrix = PanelPacker.Stack(
                arena,
                new PanelPacker.Part("test", GgufType.Q4_1, 24, 32, row => begin + (row * 20), null),
                new PanelPacker.Part("test", GgufType.F32, 8, 32, null, second));
        }

        Assert.Equal(PanelFormat.EightBits, matrix.Format);
        Assert.Equal((32, 2), (matrix.Rows, matrix.Panels));
        Assert.Equal(second[32 + 31], Row(matrix, 25)[31], 0.3);
        var weights = GgufReference.Dequantise(GgufType.Q4_1, first, 24 * 32);
        Assert.Equal(weights[(23 * 32) + 5], Row(matrix, 23)[5], 0.01);
    }

    [Fact]
    public void Interleaved_parts_take_turns_panel_by_panel_and_short_panels_are_filled_with_zeros()
    {
        using var arena = new WeightArena();
        float[] gate = [.. Enumerable.Repeat(1f, 20 * 32)];
        float[] up = [.. Enumerable.Repeat(2f, 20 * 32)];

        var matrix = PanelPacker.Interleave(
            arena,
            new PanelPacker.Part("test", GgufType.F32, 20, 32, null, gate),
            new PanelPacker.Part("test", GgufType.F32, 20, 32, null, up));

        Assert.Equal(4, matrix.Panels);
        float[] firsts = [.. Enumerable.Range(0, 64).Select(row => Row(matrix, row)[0])];
        Assert.All(firsts[..16], value => Assert.Equal(1, value, 1e-3));
        Assert.All(firsts[16..32], value => Assert.Equal(2, value, 1e-3));
        Assert.Equal([1, 1, 1, 1, 0, 0], firsts[32..38].Select(value => MathF.Round(value)));
        Assert.Equal([2, 2, 2, 2, 0, 0], firsts[48..54].Select(value => MathF.Round(value)));
    }

    [Fact]
    public void Columns_that_do_not_fill_a_block_are_padded()
    {
        using var arena = new WeightArena();
        float[] values = [.. Enumerable.Range(0, 16 * 40).Select(index => (float)(index % 40))];
        var matrix = PanelPacker.Stack(arena, new PanelPacker.Part("test", GgufType.F32, 16, 40, null, values));

        Assert.Equal(2, matrix.Blocks);
        Assert.Equal(39, Row(matrix, 15)[39], 0.1);
    }

    [Theory]
    [InlineData((int)GgufType.Q4_1, 2)]
    [InlineData((int)GgufType.Q4_0, 0)]
    [InlineData((int)GgufType.Q8_0, 0)]
    [InlineData((int)GgufType.F16, 30)]
    [InlineData((int)GgufType.BF16, 30)]
    [InlineData((int)GgufType.F32, 64)]
    [InlineData((int)GgufType.Q5_0, 0)]
    public void A_value_that_is_no_number_is_refused_with_the_name_of_the_tensor(int type, int place)
    {
        using var arena = new WeightArena();
        var bytes = GgufBlocks.Random((GgufType)type, 16 * 32, new Random(1));
        (bytes[place], bytes[place + 1]) = type == (int)GgufType.F32 ? ((byte)0, (byte)0) : ((byte)0x80, (byte)0x7F);
        if (type == (int)GgufType.F32)
        {
            BitConverter.TryWriteBytes(bytes.AsSpan(place), float.NaN);
        }

        var failure = Assert.Throws<InvalidDataException>(
            () => PanelKernelsTests.Matrix(arena, (GgufType)type, 16, 32, bytes));

        Assert.Equal("test holds values that are no numbers; the weights are damaged, download them again.", failure.Message);
    }

    private static float[] Row(PanelMatrix matrix, int row)
    {
        var values = new float[matrix.Columns];
        fixed (float* target = values)
        {
            matrix.ReadRow(row, target);
        }

        return values;
    }
}
