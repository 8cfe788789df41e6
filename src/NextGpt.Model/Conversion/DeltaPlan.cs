using NextGpt.Media;
using NextGpt.Model.Language;
using NextGpt.Model.Lora;
using NextGpt.Model.Packages;
using NextGpt.Model.Projections;
using NextGpt.Model.Weights;

namespace NextGpt.Model.Conversion;

/// <summary>NExT-GPT's own weights in a package: projections, LoRA, rows of tokens, and what the manifest says of them.</summary>
/// <remarks>The numbers of the two generations are those of the original repository's inference scripts.</remarks>
internal sealed class DeltaPlan(DeltaTensors delta, ConversionSources sources, LlamaConfig language, List<string> notes)
{
    private const string Folder = "nextgpt";
    private readonly List<PlannedFile> _files = [];

    /// <summary>The files of the part; complete once all of the below was asked for.</summary>
    public IReadOnlyList<PlannedFile> Files => _files;

    /// <summary>The tokens, and their rows where the language model does not have them.</summary>
    /// <exception cref="InvalidDataException">The rows do not fit the language model.</exception>
    public TokenPart Tokens()
    {
        var tokens = delta.IsV0 ? TokenPart.V0 : TokenPart.V2;
        if (delta.Embedding is not { } embedding)
        {
            return delta.Head is null
                ? tokens
                : throw new InvalidDataException($"{delta.Head.Source.Name} has lm_head and no embed_tokens; both belong together.");
        }

        var added = tokens.Added.Count;
        var rows = RowsOf(embedding);
        if (delta.Head is { } head && RowsOf(head) != rows)
        {
            throw new InvalidDataException($"{head.Source.Name}: lm_head has {RowsOf(head)} rows, embed_tokens {rows}; they must agree.");
        }

        if (rows != added && rows != language.VocabularySize + added)
        {
            throw new InvalidDataException(
                $"{embedding.Source.Name}: embed_tokens has {rows} rows; the language model has {language.VocabularySize} and "
                + $"{added} tokens are added, so {language.VocabularySize + added} were expected. Is it the language model that "
                + "the weights were tuned on, without added tokens of its own?");
        }

        // The second generation takes only the new rows when it loads; the first trained all of them, whether it wanted or not.
        var onlyNew = rows == added || !delta.IsV0 || BaseRowsAreUntouched(embedding, delta.Head);
        var from = onlyNew ? rows - added : 0;
        if (!onlyNew)
        {
            notes.Add($"All {rows} rows of the token embedding and the head are taken: tuning changed those of the language model too.");
        }

        List<PlannedTensor> planned = [new("embed_tokens.weight", embedding.Source, embedding.Stored, from)];
        if (delta.Head is { } headRows)
        {
            planned.Add(new("lm_head.weight", headRows.Source, headRows.Stored, from));
        }

        _files.Add(new TensorFile($"{Folder}/token_rows.safetensors", planned));
        return tokens with { Rows = $"{Folder}/token_rows.safetensors" };
    }

    /// <summary>The LoRA in the layout of peft; null where there is none.</summary>
    /// <exception cref="InvalidDataException">Its strength is not known, or its pairs are not whole.</exception>
    public string? Adapter(double? alpha)
    {
        if (delta.Lora.Count == 0)
        {
            return null;
        }

        var (name, first) = delta.Lora.FirstOrDefault(pair => pair.Key.Contains(".lora_A.", StringComparison.Ordinal));
        if (name is null || first.Shape.Count != 2)
        {
            throw new InvalidDataException($"{delta.Lora.Values.First().Source.Name}: its LoRA has no lora_A matrix.");
        }

        IReadOnlyList<string> targets =
        [
            .. delta.Lora.Keys.Select(key => key.Split('.')[^3]).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal),
        ];
        var rank = (int)Math.Min(int.MaxValue, first.Shape[0]);
        var settings = sources.LoraConfig is { } config
            ? LoraConfigFile.Read(config, targets) with { TargetModules = targets }
            : new LoraSettings
            {
                Rank = rank,
                Alpha = alpha ?? (delta.IsV0 ? rank : throw new InvalidDataException(
                    $"{first.Source.Name}: there is no adapter_config.json beside the LoRA, so its strength is not known; put it there or "
                    + "say --lora-alpha (the published script trains with rank 128 and alpha 256).")),
                Dropout = delta.IsV0 ? 0.1 : 0.05,
                TargetModules = targets,
            };
        settings.Validate(sources.LoraConfig ?? "the LoRA");
        _files.Add(new WrittenFile($"{Folder}/adapter/{LoraConfigFile.Name}", LoraConfigFile.Write(settings)));
        _files.Add(new TensorFile($"{Folder}/adapter/adapter_model.safetensors",
        [
            .. delta.Lora.OrderBy(pair => pair.Key, StringComparer.Ordinal)
                .Select(pair => new PlannedTensor("base_model.model." + pair.Key, pair.Value.Source, pair.Value.Stored)),
        ]));
        return $"{Folder}/adapter";
    }

    /// <summary>The input projection with what the manifest says of it; null where there is none or no encoder.</summary>
    /// <param name="encoder">The encoder's folder in the package; null is none.</param>
    /// <param name="kinds">What the encoder reads.</param>
    public InputPart? Input(string? encoder, IReadOnlyList<MediaKind> kinds)
    {
        if (delta.Input.Count == 0 || encoder is null)
        {
            if (delta.Input.Count > 0 || encoder is not null)
            {
                notes.Add(encoder is null
                    ? "No source is an encoder (imagebind_huge.pth): the package reads no media, the input projection is left out."
                    : "No source has an input projection: the package reads no media, the encoder is left out.");
            }

            return null;
        }

        const string path = $"{Folder}/input_projection.safetensors";
        _files.Add(ProjectionFile(path, delta.Input, name => name));
        var names = delta.Input.Keys;
        var kind = names.Contains("weight") ? InputProjectionKind.Linear
            : names.Any(name => name.StartsWith("layers.", StringComparison.Ordinal)) ? InputProjectionKind.Group
            : InputProjectionKind.Mlp;
        var groups = delta.Input.Where(pair => pair.Key.EndsWith(".group_token", StringComparison.Ordinal))
            .OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => (int)pair.Value.Shape[1]).LastOrDefault(256);
        return new InputPart
        {
            Encoder = encoder,
            Kinds = kinds,
            Features = delta.IsV0 ? MediaFeatures.Pooled : MediaFeatures.Patches,
            Projection = path,
            Kind = kind,
            MediaTokens = delta.IsV0 ? 1 : groups,
        };
    }

    /// <summary>What makes media: one entry for each kind with both a projection and a decoder.</summary>
    /// <param name="decoders">The decoders' folders in the package.</param>
    public IReadOnlyList<OutputPart> Outputs(IReadOnlyDictionary<MediaKind, string> decoders)
    {
        var outputs = new List<OutputPart>();
        foreach (var (kind, projection) in delta.Outputs.OrderBy(pair => pair.Key))
        {
            var name = kind.ToString().ToLowerInvariant();
            if (!decoders.TryGetValue(kind, out var decoder))
            {
                notes.Add($"No source is a decoder of kind {name}: its projection is left out, the package makes none.");
                continue;
            }

            var path = $"{Folder}/output_{name}.safetensors";
            _files.Add(ProjectionFile(path, projection, OutputProjection.CurrentName));
            outputs.Add(new OutputPart
            {
                Kind = kind,
                Decoder = decoder,
                Projection = path,
                MaxPerReply = delta.IsV0 ? 1 : 5,
                Width = kind == MediaKind.Video ? 576 : null,
                Height = kind == MediaKind.Video ? 320 : null,
                Frames = kind == MediaKind.Video ? delta.IsV0 ? 24 : 16 : null,
                Seconds = kind == MediaKind.Audio ? delta.IsV0 ? 9 : 5 : null,
            });
        }

        return outputs;
    }

    private static TensorFile ProjectionFile(string path, Dictionary<string, TensorPlace> tensors, Func<string, string> rename) => new(path,
    [
        .. tensors.OrderBy(pair => pair.Key, StringComparer.Ordinal)
            .Select(pair => new PlannedTensor(rename(pair.Key), pair.Value.Source, pair.Value.Stored)),
    ]);

    private static long RowsOf(TensorPlace place) => place.Shape.Count == 2
        ? place.Shape[0]
        : throw new InvalidDataException($"{place.Source.Name}: '{place.Stored}' has {place.Shape.Count} dimensions, two were expected.");

    private bool BaseRowsAreUntouched(TensorPlace embedding, TensorPlace? head)
    {
        if (sources.LanguageTensors is not { } own)
        {
            return false;
        }

        return Same(own, "model.embed_tokens.weight", embedding)
            && (head is null || Same(own, own.Tensors.ContainsKey("lm_head.weight") ? "lm_head.weight" : "model.embed_tokens.weight", head));
    }

    private static bool Same(IStoredTensors own, string name, TensorPlace tuned)
    {
        if (!own.Tensors.TryGetValue(name, out var info) || info.Shape.Count != 2 || info.Shape[1] != tuned.Shape[1])
        {
            return false;
        }

        var before = new float[info.Count];
        own.Read(name, before);
        var after = new float[tuned.Source.Tensors[tuned.Stored].Count];
        tuned.Source.Read(tuned.Stored, after);

        // Compared as halves: the delta is stored so whatever the language model is stored as.
        for (var i = 0; i < before.Length; i++)
        {
            if ((Half)before[i] != (Half)after[i])
            {
                return false;
            }
        }

        return true;
    }
}
