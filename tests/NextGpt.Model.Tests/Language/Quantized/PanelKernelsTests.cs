using NextGpt.Model.Language.Quantized;
using NextGpt.Model.Tests.Weights;
using NextGpt.Model.Weights;

namespace NextGpt.Model.Tests.Language.Quantized;

/// <summary>Every instruction path against products written out in double precision, and against each other bit by bit.</summary>
public sealed unsafe class PanelKernelsTests
{
    public static TheoryData<string> Paths => [.. Enum.GetNames<KernelPath>()];

    [Theory]
    [MemberData(nameof(Paths))]
    public void Products_are_those_of_the_scalar_reference(string name)
    {
        var path = Enum.Parse<KernelPath>(name);
        Assert.SkipUnless(PanelKernels.CanRun(path), $"this machine has no {path}");
        foreach (var type in new[] { GgufType.Q4_0, GgufType.Q4_1, GgufType.Q8_0, GgufType.F16, GgufType.BF16 })
        {
            using var arena = new WeightArena();
            const int Rows = 48, Columns = 96;
            var (matrix, weights) = Matrix(arena, type, Rows, Columns, seed: 7);
            var input = Input(5, Columns, seed: 8);
            using var activations = Quantised(input, 5, Columns, matrix.NeedsPlain);

            for (var panel = 0; panel < Rows / 16; panel++)
            {
                for (var count = 1; count <= 4; count++)
                {
                    var result = new float[64];
                    fixed (float* target = result)
                    {
                        matrix.Multiply(PanelKernels.Of(path), panel, activations, 1, count, target);
                    }

                    for (var token = 0; token < count; token++)
                    {
                        for (var lane = 0; lane < 16; lane++)
                        {
                            AssertProduct(weights, (panel * 16) + lane, input, 1 + token, Columns, result[(token * 16) + lane], type.ToString());
                        }
                    }
                }
            }
        }
    }

    [Fact]
    public void Every_path_and_every_number_of_tokens_gives_the_same_bytes()
    {
        foreach (var type in new[] { GgufType.Q4_1, GgufType.Q8_0 })
        {
            using var arena = new WeightArena();
            var (matrix, _) = Matrix(arena, type, 32, 160, seed: 11);
            using var activations = Quantised(Input(4, 160, seed: 12), 4, 160, plain: false);
            var results = new List<uint[]>();
            foreach (var path in Enum.GetValues<KernelPath>().Where(PanelKernels.CanRun))
            {
                var kernels = PanelKernels.Of(path);
                var one = new float[64];
                var four = new float[64];
                var piece = new float[64];
                fixed (float* scratch = piece, fourTarget = four)
                {
                    for (var token = 0; token < 4; token++)
                    {
                        matrix.Multiply(kernels, 0, activations, token, 1, scratch);
                        new ReadOnlySpan<float>(scratch, 16).CopyTo(one.AsSpan(token * 16));
                    }

                    matrix.Multiply(kernels, 0, activations, 0, 4, fourTarget);
                }

                results.Add(Bits(one));
                results.Add(Bits(four));
                Assert.Contains(one, value => value != 0);
            }

            Assert.All(results, result => Assert.Equal(results[0], result));
        }
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void The_largest_weights_and_activations_do_not_overflow(string name)
    {
        var path = Enum.Parse<KernelPath>(name);
        Assert.SkipUnless(PanelKernels.CanRun(path), $"this machine has no {path}");
        foreach (var (type, fill) in new[] { (GgufType.Q4_1, (byte)0xFF), (GgufType.Q8_0, (byte)0x80), (GgufType.Q8_0, (byte)0x7F) })
        {
            foreach (var sign in new[] { 1f, -1f })
            {
                using var arena = new WeightArena();
                var size = GgufTypes.Block(type)!.Value.Bytes;
                var bytes = new byte[16 * size];
                Array.Fill(bytes, fill);
                for (var row = 0; row < 16; row++)
                {
                    BitConverter.TryWriteBytes(bytes.AsSpan(row * size), (Half)1f);
                    if (type == GgufType.Q4_1)
                    {
                        BitConverter.TryWriteBytes(bytes.AsSpan((row * size) + 2), (Half)0f);
                    }
                }

                var (matrix, weights) = Matrix(arena, type, 16, 32, bytes);
                float[] input = [.. Enumerable.Repeat(sign * 3, 32)];
                using var activations = Quantised(input, 1, 32, plain: false);
                var result = new float[64];
                fixed (float* target = result)
                {
                    matrix.Multiply(PanelKernels.Of(path), 0, activations, 0, 1, target);
                }

                Assert.All(result[..16], value => Assert.Equal(weights[0] * 32 * 3 * sign, value, 0.05));
            }
        }
    }

    [Fact]
    public void A_path_the_machine_lacks_is_refused_in_a_sentence()
    {
        Assert.True(PanelKernels.CanRun(KernelPath.Portable));
        var beyond = (KernelPath)((int)PanelKernels.Best + 1);
        Assert.Contains("cannot run", Assert.Throws<PlatformNotSupportedException>(() => PanelKernels.Of(beyond)).Message);
    }

    /// <summary>A matrix of random blocks and its weights as float32.</summary>
    internal static (PanelMatrix Matrix, float[] Weights) Matrix(WeightArena arena, GgufType type, int rows, int columns, int seed) =>
        Matrix(arena, type, rows, columns, GgufBlocks.Random(type, rows * columns, new Random(seed)));

    internal static (PanelMatrix Matrix, float[] Weights) Matrix(WeightArena arena, GgufType type, int rows, int columns, byte[] bytes)
    {
        var weights = GgufReference.Dequantise(type, bytes, rows * columns);
        fixed (byte* start = bytes)
        {
            var (first, rowBytes) = ((nint)start, bytes.Length / rows);
            return (PanelPacker.Stack(arena, new PanelPacker.Part("test", type, rows, columns, row => first + (row * rowBytes), null)), weights);
        }
    }

    internal static float[] Input(int tokens, int columns, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, tokens * columns).Select(index =>
            (random.NextSingle() - 0.5f) * (index % 37 == 0 ? 20 : 2))];
    }

    internal static Activations Quantised(float[] input, int tokens, int columns, bool plain)
    {
        var activations = new Activations(tokens, columns, plain);
        fixed (float* source = input)
        {
            for (var token = 0; token < tokens; token++)
            {
                activations.Set(token, source + (token * columns), columns);
            }
        }

        return activations;
    }

    private static void AssertProduct(
        float[] weights, int row, float[] input, int token, int columns, float actual, string what)
    {
        var (exact, size) = (0.0, 0.0);
        for (var column = 0; column < columns; column++)
        {
            var product = (double)weights[(row * columns) + column] * input[(token * columns) + column];
            exact += product;
            size += Math.Abs(product);
        }

        // A step is 1/32258 of the largest value of a block; float32 sums add little to that.
        Assert.True(Math.Abs(actual - exact) <= 2e-4 * size, $"{what} row {row} token {token}: {actual} instead of {exact}");
    }

    private static uint[] Bits(float[] values) => [.. values.Select(BitConverter.SingleToUInt32Bits)];
}
