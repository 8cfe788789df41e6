using NextGpt.Model.Lora;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace NextGpt.Model.Language;

/// <summary>
/// Layers that read the same input, with their weights side by side in one block of memory: each layer is a window into the
/// block, and as long as none of them trains, one product serves them all.
/// </summary>
/// <remarks>Not a module: the block must not appear in the state beside the layers themselves.</remarks>
internal sealed class LlamaWeights : IDisposable
{
    private readonly Tensor _weight;
    private readonly Tensor? _bias;
    private readonly Parameter[] _windows;

    public LlamaWeights(int inputSize, int[] outputSizes, bool bias, Device device, ScalarType type)
    {
        _weight = empty(outputSizes.Sum(), inputSize, type, device).DetachFromDisposeScope();
        _bias = bias ? empty(outputSizes.Sum(), type, device).DetachFromDisposeScope() : null;
        OutputSizes = outputSizes;
        Parts = new LoraLinear[outputSizes.Length];
        var start = 0;
        for (var part = 0; part < Parts.Length; part++)
        {
            Parts[part] = new LoraLinear(
                Frozen(_weight.narrow(0, start, outputSizes[part]).detach()),
                _bias is null ? null : Frozen(_bias.narrow(0, start, outputSizes[part]).detach()));
            start += outputSizes[part];
        }

        _windows = [.. Parts.Select(part => part.Weight)];
    }

    public LoraLinear[] Parts { get; }

    private int[] OutputSizes { get; }

    /// <summary>A parameter that no optimiser moves until it is asked to, and that outlives the scope it was made in.</summary>
    public static Parameter Frozen(Tensor values)
    {
        var parameter = new Parameter(values, requires_grad: false);
        parameter.DetachFromDisposeScope();
        return parameter;
    }

    /// <summary>Applies every layer to the same input.</summary>
    /// <param name="input">[batch, seq, in]</param>
    /// <returns>One [batch, seq, out] per layer, owned by the caller's dispose scope.</returns>
    public Tensor[] Apply(Tensor input)
    {
        if (!IsWhole() || (is_grad_enabled() && _windows.Any(window => window.requires_grad)))
        {
            return [.. Parts.Select(part => part.call(input))];
        }

        var product = nn.functional.linear(input, _weight, _bias);   // [batch, seq, sum of out]
        var outputs = new Tensor[Parts.Length];
        var start = 0;
        for (var part = 0; part < outputs.Length; part++)
        {
            outputs[part] = Parts[part].WithCorrection(product.narrow(-1, start, OutputSizes[part]), input);
            start += OutputSizes[part];
        }

        return outputs;
    }

    public void Dispose()
    {
        _weight.Dispose();
        _bias?.Dispose();
    }

    /// <summary>A network that was moved or converted has new parameters, which are no windows any more.</summary>
    private bool IsWhole()
    {
        for (var part = 0; part < Parts.Length; part++)
        {
            if (!ReferenceEquals(_windows[part], Parts[part].Weight))
            {
                return false;
            }
        }

        return true;
    }
}
