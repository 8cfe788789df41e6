using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace NextGpt.Model.Lora;

/// <summary>A linear layer that can carry a low-rank correction beside its weight (Hu et al. 2021, section 4.1).</summary>
/// <remarks>
/// Without a pair it is an ordinary linear layer with the same weight names. The pair belongs to its
/// <see cref="LoraAdapter"/>, not to the layer: it is no part of the layer's state, so that one base serves many adapters
/// and a swap is one assignment.
/// </remarks>
public sealed class LoraLinear : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight")]
    private readonly Parameter _weight;

    [ComponentName(Name = "bias")]
    private readonly Parameter? _bias;

    private Tensor? _unmerged;

    /// <summary>Makes a layer of given parameters, which then belong to it.</summary>
    /// <param name="weight">[out, in]</param>
    /// <param name="bias">[out], or null.</param>
    public LoraLinear(Parameter weight, Parameter? bias = null)
        : base(nameof(LoraLinear))
    {
        ArgumentNullException.ThrowIfNull(weight);
        _weight = weight;
        _bias = bias;
        OutputSize = weight.shape[0];
        InputSize = weight.shape[1];
        RegisterComponents();
    }

    /// <summary>Width of what goes in.</summary>
    public long InputSize { get; }

    /// <summary>Width of what comes out.</summary>
    public long OutputSize { get; }

    /// <summary>[out, in]; belongs to the layer.</summary>
    public Parameter Weight => _weight;

    /// <summary>[out], or null; belongs to the layer.</summary>
    public Parameter? Bias => _bias;

    /// <summary>The correction in use, or null.</summary>
    internal LoraPair? Pair { get; private set; }

    /// <summary>Whether the correction is inside the weight at the moment.</summary>
    internal bool IsMerged => _unmerged is not null;

    /// <summary>Applies the layer and, if it has one, the correction.</summary>
    /// <param name="input">[..., in]</param>
    /// <returns>[..., out], owned by the caller's dispose scope.</returns>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var output = nn.functional.linear(input, _weight, _bias);
        return WithCorrection(output, input).MoveToOuterDisposeScope();
    }

    /// <summary>Adds the correction to a product that was made elsewhere (several layers in one product).</summary>
    /// <param name="output">[..., out], what the bare layer gives.</param>
    /// <param name="input">[..., in]</param>
    /// <returns><paramref name="output"/> itself if there is nothing to add.</returns>
    internal Tensor WithCorrection(Tensor output, Tensor input) =>
        Pair is null || IsMerged ? output : output + Pair.Apply(input, training);

    /// <summary>Takes a correction into use instead of the one before; null takes it out.</summary>
    internal void Use(LoraPair? pair)
    {
        Unmerge();
        Pair = pair;
    }

    /// <summary>Adds the correction into the weight; the untouched weight is kept in host memory.</summary>
    internal void Merge()
    {
        if (Pair is null || IsMerged)
        {
            return;
        }

        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        _unmerged = _weight.detach().cpu().clone().DetachFromDisposeScope();
        _weight.copy_(_weight.to(ScalarType.Float32) + Pair.Delta());
    }

    /// <summary>Puts the untouched weight back, bit for bit.</summary>
    internal void Unmerge()
    {
        if (_unmerged is null)
        {
            return;
        }

        using var noGrad = no_grad();
        _weight.copy_(_unmerged);
        _unmerged.Dispose();
        _unmerged = null;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _unmerged?.Dispose();
        }

        base.Dispose(disposing);
    }
}
