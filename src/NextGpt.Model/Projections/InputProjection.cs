using NextGpt.Model.Packages;
using NextGpt.Model.Weights;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace NextGpt.Model.Projections;

/// <summary>Turns what the encoder saw or heard into positions of the language model's input; one for all kinds of media.</summary>
/// <remarks>Wu et al. 2023 (NExT-GPT), section 3. Which of the three shapes it has stands in the package (<see cref="InputPart"/>).</remarks>
public abstract class InputProjection : nn.Module<Tensor, Tensor>
{
    private protected InputProjection(string name)
        : base(name)
    {
    }

    /// <summary>Width of what the encoder gives.</summary>
    public abstract int FeatureSize { get; }

    /// <summary>Width of the language model.</summary>
    public abstract int HiddenSize { get; }

    /// <summary>Reads a projection.</summary>
    /// <param name="source">Tensors, bare or behind the name of the projection; stays open.</param>
    /// <param name="kind">Its shape.</param>
    /// <param name="heads">Heads of a group projection's attention.</param>
    /// <param name="device">Where the weights shall lie; null is the CPU.</param>
    /// <param name="dtype">Type of the weights; null is float32.</param>
    /// <exception cref="InvalidDataException">What does not fit, by name.</exception>
    public static InputProjection Load(
        ITensorSource source, InputProjectionKind kind, int heads = 8, Device? device = null, ScalarType? dtype = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        InputProjection network = kind switch
        {
            InputProjectionKind.Linear => LinearProjection.Of(source, device, dtype),
            InputProjectionKind.Mlp => MlpProjection.Of(source, device, dtype),
            _ => new GroupProjection(GroupProjectionConfig.Of(source, heads), device, dtype),
        };
        try
        {
            CheckpointLoader.Fill(network, source, ProjectionWeights.OwnName);
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>A linear projection with fresh weights, ready to be trained.</summary>
    /// <param name="featureSize">Width of what the encoder gives.</param>
    /// <param name="hiddenSize">Width of the language model.</param>
    /// <param name="device">Where the weights lie; null is the CPU.</param>
    /// <param name="dtype">Type of the weights; null is float32.</param>
    /// <param name="seed">Same seed, same weights.</param>
    public static InputProjection Linear(
        int featureSize, int hiddenSize, Device? device = null, ScalarType? dtype = null, long seed = 0) =>
        Fresh(new LinearProjection(featureSize, hiddenSize, device, dtype), seed);

    /// <summary>Linear layers with GELU between them, with fresh weights.</summary>
    /// <param name="sizes">The widths, first that of the encoder, last that of the language model; at least three.</param>
    /// <param name="device">Where the weights lie; null is the CPU.</param>
    /// <param name="dtype">Type of the weights; null is float32.</param>
    /// <param name="seed">Same seed, same weights.</param>
    public static InputProjection Mlp(
        IReadOnlyList<int> sizes, Device? device = null, ScalarType? dtype = null, long seed = 0) =>
        Fresh(new MlpProjection(sizes, device, dtype), seed);

    /// <summary>A group projection with fresh weights.</summary>
    /// <param name="config">Its numbers.</param>
    /// <param name="device">Where the weights lie; null is the CPU.</param>
    /// <param name="dtype">Type of the weights; null is float32.</param>
    /// <param name="seed">Same seed, same weights.</param>
    public static InputProjection Group(
        GroupProjectionConfig config, Device? device = null, ScalarType? dtype = null, long seed = 0) =>
        Fresh(new GroupProjection(config, device, dtype), seed);

    private static InputProjection Fresh(InputProjection network, long seed)
    {
        if (network.parameters().All(parameter => parameter.device_type != TorchSharp.DeviceType.META))
        {
            // The first learned tokens must differ from each other; later ones get what differs from the stage before.
            ProjectionWeights.Fill(network, seed, name => name == "layers.0.group_token" ? 0.02 : 0);
        }

        return network;
    }
}

/// <summary>One linear layer: v0's projection, <c>llama_proj</c>.</summary>
internal sealed class LinearProjection : InputProjection
{
    [ComponentName(Name = "weight")]
    private readonly Parameter _weight;

    [ComponentName(Name = "bias")]
    private readonly Parameter _bias;

    internal LinearProjection(int featureSize, int hiddenSize, Device? device, ScalarType? dtype)
        : base(nameof(LinearProjection))
    {
        var type = dtype ?? ScalarType.Float32;
        _weight = new Parameter(zeros(hiddenSize, featureSize, type, device ?? CPU));
        _bias = new Parameter(zeros(hiddenSize, type, device ?? CPU));
        _weight.DetachFromDisposeScope();
        _bias.DetachFromDisposeScope();
        RegisterComponents();
    }

    public override int FeatureSize => (int)_weight.shape[1];

    public override int HiddenSize => (int)_weight.shape[0];

    /// <param name="features">[batch, positions, features]</param>
    /// <returns>[batch, positions, hidden]</returns>
    public override Tensor forward(Tensor features)
    {
        using var scope = NewDisposeScope();
        return nn.functional.linear(features, _weight, _bias).MoveToOuterDisposeScope();
    }

    internal static LinearProjection Of(ITensorSource source, Device? device, ScalarType? dtype)
    {
        var shape = ProjectionWeights.ShapeOf(source, "weight", 2);
        return new LinearProjection((int)shape[1], (int)shape[0], device, dtype);
    }
}

/// <summary>Linear layers with exact GELU between them; they are numbered 0, 2, 4 as the activations count too.</summary>
internal sealed class MlpProjection : InputProjection
{
    private readonly Linear[] _layers;

    internal MlpProjection(IReadOnlyList<int> sizes, Device? device, ScalarType? dtype)
        : base(nameof(MlpProjection))
    {
        ArgumentNullException.ThrowIfNull(sizes);
        if (sizes.Count < 3)
        {
            throw new ArgumentException($"{sizes.Count} widths came; an MLP has two layers or more, which are three widths.", nameof(sizes));
        }

        _layers = [.. Enumerable.Range(0, sizes.Count - 1)
            .Select(layer => nn.Linear(sizes[layer], sizes[layer + 1], device: device, dtype: dtype))];
        for (var layer = 0; layer < _layers.Length; layer++)
        {
            register_module($"{2 * layer}", _layers[layer]);
        }

        (FeatureSize, HiddenSize) = (sizes[0], sizes[^1]);
    }

    public override int FeatureSize { get; }

    public override int HiddenSize { get; }

    /// <param name="features">[batch, positions, features]</param>
    /// <returns>[batch, positions, hidden]</returns>
    public override Tensor forward(Tensor features)
    {
        using var scope = NewDisposeScope();
        var hidden = _layers[0].call(features);
        foreach (var layer in _layers.AsSpan(1))
        {
            hidden = layer.call(nn.functional.gelu(hidden));
        }

        return hidden.MoveToOuterDisposeScope();
    }

    internal static MlpProjection Of(ITensorSource source, Device? device, ScalarType? dtype)
    {
        List<int> sizes = [(int)ProjectionWeights.ShapeOf(source, "0.weight", 2)[1]];
        for (var layer = 0; ProjectionWeights.Has(source, $"{layer}.weight"); layer += 2)
        {
            sizes.Add((int)ProjectionWeights.ShapeOf(source, $"{layer}.weight", 2)[0]);
        }

        return sizes.Count >= 3
            ? new MlpProjection(sizes, device, dtype)
            : throw new InvalidDataException($"{source.Name}: one layer was found, an MLP has two or more; set the kind to linear.");
    }
}
