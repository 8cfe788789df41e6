using NextGpt.Model.Language;
using NextGpt.Model.Language.Quantized;
using NextGpt.Model.Lora;
using NextGpt.Model.Weights;
using static TorchSharp.torch;

namespace NextGpt.Model;

/// <summary>A language model's weights with what a package adds: rows of new tokens, other rows for the old ones, an adapter.</summary>
internal sealed class AddedLanguage : IDisposable
{
    private const string EmbeddingName = "model.embed_tokens.weight";
    private const string HeadName = "lm_head.weight";

    private readonly LanguageAdditions? _additions;
    private readonly ReplacedRows? _replaced;
    private readonly float[] _embedding = [];
    private readonly float[] _head = [];

    /// <param name="source">The weights; stay open and belong to the caller.</param>
    /// <param name="config">Their numbers.</param>
    /// <param name="additions">What is added, or null.</param>
    /// <exception cref="InvalidDataException">The rows do not fit; names the file.</exception>
    public AddedLanguage(ITensorSource source, LlamaConfig config, LanguageAdditions? additions)
    {
        _additions = additions;
        Plain = source;
        Config = config;
        if (additions?.RowsFile is not { } file)
        {
            return;
        }

        using var rows = SafetensorsFile.Open(file);
        var added = additions.Tokens?.Added.Count ?? 0;
        var all = config.VocabularySize + added;
        var stored = RowsOf(rows, AddedTokenRows.EmbeddingName, config.HiddenSize)
            ?? throw new InvalidDataException($"{rows.Name}: tensor '{AddedTokenRows.EmbeddingName}' is missing.");
        var head = RowsOf(rows, AddedTokenRows.HeadName, config.HiddenSize) ?? stored;
        var count = stored.Length / config.HiddenSize;
        if (head.Length != stored.Length || (count != added && count != all))
        {
            throw new InvalidDataException(
                $"{rows.Name}: {count} rows of the embedding and {head.Length / config.HiddenSize} of the head; {added} were expected, one for "
                + $"each added token, or {all:N0} with those of the language model.");
        }

        var own = (count - added) * config.HiddenSize;
        (_embedding, _head) = (stored[own..], head[own..]);
        if (own == 0)
        {
            return;
        }

        var tied = config.TiedHead && ReferenceEquals(head, stored);
        Config = config with { TiedHead = tied };
        var others = new Dictionary<string, float[]> { [EmbeddingName] = stored[..own] };
        if (!tied)
        {
            others.Add(HeadName, head[..own]);
        }

        Plain = _replaced = new ReplacedRows(source, others, config.HiddenSize);
    }

    /// <summary>The weights without the adapter.</summary>
    public ITensorSource Plain { get; }

    /// <summary>Their numbers.</summary>
    public LlamaConfig Config { get; }

    /// <summary>Tokens behind the network's own.</summary>
    public int AddedTokens => _embedding.Length / Config.HiddenSize;

    /// <summary>The weights with the adapter in them, or null where there is none.</summary>
    /// <param name="source"><see cref="Plain"/>, possibly watched; stays open.</param>
    public ITensorSource? Merged(ITensorSource source) =>
        _additions?.AdapterFolder is { } folder ? new MergedSource(source, folder) : null;

    /// <summary>The added rows for the packed network, or null.</summary>
    public FloatRows? FloatRows() => AddedTokens == 0 ? null : new FloatRows(_embedding, _head, Config.HiddenSize);

    /// <summary>Puts rows and adapter on a network.</summary>
    /// <returns>The adapter, which the caller then owns, or null.</returns>
    public LoraAdapter? PutOn(LlamaModel model)
    {
        if (AddedTokens > 0)
        {
            using var scope = NewDisposeScope();
            long[] shape = [AddedTokens, Config.HiddenSize];
            model.Use(new AddedTokenRows(tensor(_embedding, shape), tensor(_head, shape), model.Device, model.ElementType));
        }

        if (_additions?.AdapterFolder is not { } folder)
        {
            return null;
        }

        var adapter = LoraAdapter.Load(folder, model);
        adapter.Attach(model);
        LoraAdapter.Merge(model);
        return adapter;
    }

    public void Dispose() => _replaced?.Dispose();

    private static float[]? RowsOf(SafetensorsFile file, string name, int width)
    {
        if (!file.Tensors.TryGetValue(name, out var info))
        {
            return null;
        }

        if (info.Shape.Count != 2 || info.Shape[1] != width)
        {
            throw new InvalidDataException(
                $"{file.Name}: tensor '{name}' has the shape [{string.Join(", ", info.Shape)}], [rows, {width}] was expected.");
        }

        var values = new float[info.Count];
        file.Read(name, values);
        return values;
    }

    /// <summary>A source some of whose tensors are others.</summary>
    private sealed class ReplacedRows(ITensorSource source, IReadOnlyDictionary<string, float[]> others, int width) : ITensorSource
    {
        public string Name => source.Name;

        public IReadOnlyDictionary<string, TensorInfo> Tensors { get; } = source.Tensors
            .Where(tensor => !others.ContainsKey(tensor.Key))
            .Concat(others.Select(other => KeyValuePair.Create(other.Key, new TensorInfo([other.Value.Length / width, width], "F32"))))
            .ToDictionary(StringComparer.Ordinal);

        public void Read(string name, Span<float> destination)
        {
            if (others.TryGetValue(name, out var values))
            {
                values.CopyTo(destination);
            }
            else
            {
                source.Read(name, destination);
            }
        }

        public void Dispose()
        {
            // The source belongs to whoever opened it.
        }
    }
}
