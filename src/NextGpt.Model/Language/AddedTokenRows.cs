using NextGpt.Model.Weights;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace NextGpt.Model.Language;

/// <summary>Rows of the vocabulary that a language model did not have: embedding and head of the tokens added to it.</summary>
/// <remarks>
/// They stand behind the model's own rows and beside its weights, so that training moves only them and a file of them is small.
/// Not part of the model's state; <see cref="LlamaModel.Use"/> takes them into use. Names in files: <c>embed_tokens.weight</c> and
/// <c>lm_head.weight</c>.
/// </remarks>
public sealed class AddedTokenRows : nn.Module
{
    /// <summary>The embedding's tensor in a file.</summary>
    public const string EmbeddingName = "embed_tokens.weight";

    /// <summary>The head's tensor in a file.</summary>
    public const string HeadName = "lm_head.weight";

    [ComponentName(Name = EmbeddingName)]
    private readonly Parameter _embedding;

    [ComponentName(Name = HeadName)]
    private readonly Parameter _head;

    /// <summary>Takes over rows.</summary>
    /// <param name="embedding">[rows, hidden]</param>
    /// <param name="head">[rows, hidden]</param>
    /// <param name="device">Where they shall lie; null is the CPU.</param>
    /// <param name="type">Type of the rows.</param>
    public AddedTokenRows(Tensor embedding, Tensor head, Device? device = null, ScalarType type = ScalarType.Float32)
        : base(nameof(AddedTokenRows))
    {
        ArgumentNullException.ThrowIfNull(embedding);
        ArgumentNullException.ThrowIfNull(head);
        if (embedding.dim() != 2 || !embedding.shape.AsSpan().SequenceEqual(head.shape))
        {
            throw new ArgumentException(
                $"Embedding [{string.Join(", ", embedding.shape)}] and head [{string.Join(", ", head.shape)}] must both be [rows, hidden].",
                nameof(head));
        }

        using var scope = NewDisposeScope();
        _embedding = Kept(embedding, device ?? CPU, type);
        _head = Kept(head, device ?? CPU, type);
        RegisterComponents();
    }

    /// <summary>[rows, hidden]</summary>
    public Parameter Embedding => _embedding;

    /// <summary>[rows, hidden]</summary>
    public Parameter Head => _head;

    /// <summary>Tokens added.</summary>
    public int Count => (int)_embedding.shape[0];

    /// <summary>
    /// Fresh rows: the mean of the model's own, as in v2, and a little noise so that the tokens differ from the first step on.
    /// </summary>
    /// <param name="model">The language model, filled.</param>
    /// <param name="count">Tokens to add.</param>
    /// <param name="seed">Same seed, same rows.</param>
    public static AddedTokenRows Fresh(LlamaModel model, int count, long seed)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var generator = new Generator((ulong)seed, CPU);
        Tensor Near(Tensor own)
        {
            var rows = own.to(ScalarType.Float32).cpu();
            return rows.mean([0L], keepdim: true) + randn(count, rows.shape[1], generator: generator) * rows.std(0, keepdim: true) * 0.1;
        }

        return new AddedTokenRows(Near(model.EmbeddingWeight), Near(model.HeadWeight), model.Device);
    }

    /// <summary>Reads rows.</summary>
    /// <param name="path">A file that <see cref="Save"/> wrote.</param>
    /// <param name="device">Where they shall lie; null is the CPU.</param>
    /// <exception cref="InvalidDataException">A tensor is missing or has another shape, by name.</exception>
    public static AddedTokenRows Load(string path, Device? device = null)
    {
        using var file = SafetensorsFile.Open(path);
        using var scope = NewDisposeScope();
        Tensor Of(string name)
        {
            if (!file.Tensors.TryGetValue(name, out var info) || info.Shape.Count != 2)
            {
                throw new InvalidDataException($"{file.Name}: tensor '{name}' of [rows, hidden] is missing; is this a file of added tokens?");
            }

            var values = new float[info.Count];
            file.Read(name, values);
            return tensor(values, [.. info.Shape]);
        }

        return new AddedTokenRows(Of(EmbeddingName), Of(HeadName), device);
    }

    /// <summary>Writes the rows.</summary>
    /// <param name="path">The file; replaced where it exists.</param>
    /// <param name="storedAs">How numbers are stored.</param>
    public void Save(string path, SafetensorsType storedAs = SafetensorsType.F32)
    {
        var writer = new SafetensorsWriter();
        writer.Add(EmbeddingName, _embedding, storedAs);
        writer.Add(HeadName, _head, storedAs);
        writer.Save(path);
    }

    private static Parameter Kept(Tensor values, Device device, ScalarType type)
    {
        var parameter = new Parameter(values.detach().to(device).to(type).clone());
        parameter.DetachFromDisposeScope();
        return parameter;
    }
}
