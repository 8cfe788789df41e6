using NextGpt.Model.Language.Quantized;

namespace NextGpt.Model.Tests.Language.Quantized;

public sealed unsafe class VectorMathTests
{
    [Fact]
    public void The_exponential_is_right_to_the_last_place_or_two()
    {
        for (var x = -87f; x < 88; x += 0.0137f)
        {
            var exact = Math.Exp(x);
            var actual = VectorMath.Exp(System.Runtime.Intrinsics.Vector256.Create(x))[3];
            Assert.True(Math.Abs(actual - exact) <= 2.5e-7 * exact, $"e^{x} is {exact}, not {actual}");
        }

        Assert.InRange(VectorMath.Exp(System.Runtime.Intrinsics.Vector256.Create(float.NegativeInfinity))[0], 0, 1e-37f);
        Assert.Equal(1, VectorMath.Exp(System.Runtime.Intrinsics.Vector256<float>.Zero)[7]);
    }

    [Fact]
    public void The_norm_divides_by_the_root_of_the_mean_square()
    {
        const int Count = 45;
        var input = PanelKernelsTests.Input(1, Count, seed: 5);
        var weight = PanelKernelsTests.Input(1, Count, seed: 6);
        var result = new float[Count];
        fixed (float* source = input, factors = weight, target = result)
        {
            VectorMath.Norm(source, factors, Count, 1e-5f, target);
        }

        var root = Math.Sqrt((input.Sum(value => (double)value * value) / Count) + 1e-5);
        for (var index = 0; index < Count; index++)
        {
            Assert.Equal(input[index] / root * weight[index], result[index], 1e-5);
        }
    }

    [Theory]
    [InlineData(4)]
    [InlineData(32)]
    public void A_head_turns_half_against_half(int half)
    {
        var head = PanelKernelsTests.Input(1, 2 * half, seed: 7);
        float[] before = [.. head];
        float[] angles = [.. Enumerable.Range(0, half).Select(index => 0.1f * index)];
        float[] cosines = [.. angles.Select(MathF.Cos)];
        float[] sines = [.. angles.Select(MathF.Sin)];
        fixed (float* target = head, cosine = cosines, sine = sines)
        {
            VectorMath.Rotate(target, cosine, sine, half);
        }

        for (var index = 0; index < half; index++)
        {
            var (x, y, angle) = (before[index], before[half + index], angles[index]);
            Assert.Equal((x * Math.Cos(angle)) - (y * Math.Sin(angle)), head[index], 1e-5);
            Assert.Equal((y * Math.Cos(angle)) + (x * Math.Sin(angle)), head[half + index], 1e-5);
        }
    }

    [Fact]
    public void The_gate_is_silu_times_up()
    {
        var gates = PanelKernelsTests.Input(1, 16, seed: 8);
        var ups = PanelKernelsTests.Input(1, 16, seed: 9);
        (gates[0], gates[1]) = (-200, 200);
        var result = new float[16];
        fixed (float* gate = gates, up = ups, target = result)
        {
            VectorMath.SwiGlu(gate, up, target);
        }

        for (var index = 0; index < 16; index++)
        {
            var expected = gates[index] / (1 + Math.Exp(-gates[index])) * ups[index];
            Assert.Equal(expected, result[index], (1e-6 * Math.Abs(expected)) + 1e-6);
        }
    }
}
