using static TorchSharp.torch;

namespace NextGpt.Tuning.Enlarging;

/// <summary>Enlarging by a rule instead of a network: what a network must beat.</summary>
internal static class PlainEnlarging
{
    /// <summary>Cubic convolution (Keys 1981, a = −1/2).</summary>
    /// <param name="pictures">[batch, channels, height, width]</param>
    /// <param name="factor">How many times larger.</param>
    /// <returns>[batch, channels, factor * height, factor * width], owned by the caller's dispose scope.</returns>
    internal static Tensor Bicubic(Tensor pictures, int factor) => Filter(pictures, factor, 2, distance => distance < 1
        ? (((1.5 * distance) - 2.5) * distance * distance) + 1
        : ((((-0.5 * distance) + 2.5) * distance - 4) * distance) + 2);

    /// <summary>A windowed sine over three pixels to each side (Duchon 1979).</summary>
    /// <param name="pictures">[batch, channels, height, width]</param>
    /// <param name="factor">How many times larger.</param>
    /// <returns>[batch, channels, factor * height, factor * width], owned by the caller's dispose scope.</returns>
    internal static Tensor Lanczos(Tensor pictures, int factor) =>
        Filter(pictures, factor, 3, distance => Sine(distance) * Sine(distance / 3));

    private static double Sine(double x) => x == 0 ? 1 : Math.Sin(Math.PI * x) / (Math.PI * x);

    private static Tensor Filter(Tensor pictures, int factor, int reach, Func<double, double> weight)
    {
        using var scope = NewDisposeScope();
        var rows = Matrix((int)pictures.shape[2], factor, reach, weight).to(pictures.device);      // [large, small]
        var columns = Matrix((int)pictures.shape[3], factor, reach, weight).to(pictures.device);
        return rows.matmul(pictures).matmul(columns.t()).MoveToOuterDisposeScope();
    }

    // Every large pixel as a mixture of small ones; beyond the border the outermost pixel goes on.
    private static Tensor Matrix(int size, int factor, int reach, Func<double, double> weight)
    {
        var numbers = new float[size * factor * size];
        for (var large = 0; large < size * factor; large++)
        {
            var middle = ((large + 0.5) / factor) - 0.5;
            var taps = Enumerable.Range((int)Math.Floor(middle) - reach + 1, 2 * reach)
                .Select(place => (Place: Math.Clamp(place, 0, size - 1), Weight: weight(Math.Abs(middle - place)))).ToList();
            var sum = taps.Sum(tap => tap.Weight);
            foreach (var (place, value) in taps)
            {
                numbers[(large * size) + place] += (float)(value / sum);
            }
        }

        return tensor(numbers, [size * factor, size]).clone();   // copied: products round otherwise where memory lies otherwise
    }
}
