using TorchSharp.Modules;
using static TorchSharp.torch;

namespace NextGpt.Tuning;

/// <summary>Shortens the gradient of all parameters together when it is too long (Pascanu et al. 2013).</summary>
public static class GradientClip
{
    /// <summary>The reference's guard against division by zero.</summary>
    private const double Epsilon = 1e-6;

    /// <summary>Scales every gradient by the same factor, so that their common length is at most the bound.</summary>
    /// <param name="parameters">Those the optimiser moves; ones without a gradient are passed over.</param>
    /// <param name="maxNorm">Longest gradient, above 0; infinity only measures.</param>
    /// <returns>The length before, not a number if a gradient was none: skip that step.</returns>
    public static double ToNorm(IEnumerable<Parameter> parameters, double maxNorm)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxNorm);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        List<Tensor> gradients = [.. parameters.Select(parameter => parameter.grad).OfType<Tensor>()];
        if (gradients.Count == 0)
        {
            return 0;
        }

        var norms = gradients.Select(gradient => linalg.vector_norm(gradient.to(ScalarType.Float32)).cpu()).ToList();
        var norm = (double)linalg.vector_norm(stack(norms)).item<float>();
        var factor = maxNorm / (norm + Epsilon);
        if (factor < 1)
        {
            foreach (var gradient in gradients)
            {
                gradient.mul_(factor);
            }
        }

        return norm;
    }
}
