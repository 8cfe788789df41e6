using System.Text.Json;
using NextGpt.Model.Language;
using NextGpt.Model.Language.Quantized;
using NextGpt.Model.Packages;
using NextGpt.Model.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace NextGpt.Model;

/// <summary>Makes a speaking model of a package, of a GGUF file, or of a folder in Hugging Face layout.</summary>
internal static class LanguageModelLoader
{
    // What is used where a checkpoint says nothing: near the likeliest, without its loops.
    private static readonly SamplingOptions UsualSampling = new() { Temperature = 0.7, TopP = 0.95, MinP = 0.05 };

    /// <summary>The file or folder that the options name.</summary>
    public static string SourceOf(ModelOptions options) => options.Path ?? EmbeddedModel.Path;

    /// <summary>What the model that the options name can do; reads no more than a manifest.</summary>
    public static ModelAbilities AbilitiesOf(ModelOptions options) =>
        ManifestOf(options) is { } manifest ? PackageLoader.AbilitiesOf(SourceOf(options), manifest) : ModelAbilities.TextOnly;

    /// <summary>The id of the model that the options name; reads no more than a manifest.</summary>
    public static string IdOf(ModelOptions options)
    {
        if (ManifestOf(options) is { } manifest)
        {
            return manifest.Id;
        }

        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(SourceOf(options)));
        return name.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) ? name[..^5] : name;
    }

    /// <summary>Loads the model that the options name.</summary>
    /// <param name="options">Which model, on which device.</param>
    /// <param name="time">The clock by which decoders rest.</param>
    /// <param name="progress">Gets the share that is done, 0 to 1.</param>
    /// <param name="cancellationToken">Looked at before every tensor.</param>
    /// <exception cref="InvalidDataException">The files are not usable, with what to do.</exception>
    /// <exception cref="InvalidOperationException">The device is not there, with what to do.</exception>
    public static LoadedModel Load(
        ModelOptions options, TimeProvider time, IProgress<double> progress, CancellationToken cancellationToken)
    {
        var path = SourceOf(options);
        if (!File.Exists(path) && !Directory.Exists(path))
        {
            throw new InvalidDataException(options.Path is null
                ? $"The embedded model is missing ({path}); install the program again, or set NextGpt:Model:Path."
                : $"NextGpt:Model:Path is {path}, and nothing is there; set it to a GGUF file or a folder in Hugging Face "
                + "layout, or leave it out to use the embedded model.");
        }

        return ModelPackage.IsPackage(path)
            ? PackageLoader.Load(path, options, time, progress, cancellationToken)
            : LoadLanguage(path, options, null, progress, cancellationToken);
    }

    /// <summary>Loads a language model.</summary>
    /// <param name="path">A GGUF file, or a folder in Hugging Face layout.</param>
    /// <param name="options">On which device.</param>
    /// <param name="additions">What a package adds to it; null is nothing.</param>
    /// <param name="progress">Gets the share that is done, 0 to 1.</param>
    /// <param name="cancellationToken">Looked at before every tensor.</param>
    public static LoadedModel LoadLanguage(
        string path, ModelOptions options, LanguageAdditions? additions, IProgress<double> progress, CancellationToken cancellationToken) =>
        Directory.Exists(path)
            ? LoadFolder(path, options, additions, progress, cancellationToken)
            : LoadGguf(path, options, additions, progress, cancellationToken);

    private static PackageManifest? ManifestOf(ModelOptions options)
    {
        try
        {
            return ModelPackage.IsPackage(SourceOf(options)) ? ModelPackage.ReadManifest(SourceOf(options)) : null;
        }
        catch (Exception failure) when (failure is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return null;   // said in a sentence when the model is loaded
        }
    }

    /// <summary>Loads the network that the options name as floats that gradients can flow through, on their device.</summary>
    /// <param name="options">Which model, on which device.</param>
    /// <param name="type">Type of the weights.</param>
    /// <exception cref="InvalidDataException">The files are not usable, with what to do.</exception>
    internal static TrainableLanguage LoadForTraining(ModelOptions options, ScalarType type = ScalarType.Float32)
    {
        TorchRuntime.Load(options.Libtorch);
        var device = TorchRuntime.ResolveDevice(options.Device);
        var path = SourceOf(options);
        if (Directory.Exists(path))
        {
            var config = LlamaConfigFile.Read(Path.Combine(path, "config.json"));
            using var folder = SafetensorsFolder.Open(path);
            var words = TokenizerFolder.Read(path);
            return Trainable(config, folder, words, TemplateOf(options, null, words, PublishedTemplate(path), Path.GetFileName(path)), device, type);
        }

        using var source = new GgufLlama(path);
        var tokenizer = GgufTokenizer.Read(source.File.Metadata);
        var template = TemplateOf(options, null, tokenizer, source.File.Metadata.Text("tokenizer.chat_template"), path);
        return Trainable(source.Config, source, tokenizer, template, device, type);
    }

    private static TrainableLanguage Trainable(
        LlamaConfig config, ITensorSource source, ITokenizer tokenizer, IPromptTemplate template, Device device, ScalarType type)
    {
        var network = new LlamaModel(config, device, type);
        try
        {
            network.Load(source);
            return new TrainableLanguage(network, tokenizer, template);
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    private static LoadedModel LoadGguf(
        string path, ModelOptions options, LanguageAdditions? additions, IProgress<double> progress, CancellationToken cancellationToken)
    {
        var embedded = Path.GetFileName(path) == Path.GetFileName(EmbeddedModel.Path);
        if (embedded)
        {
            EmbeddedModel.Check(path, cancellationToken);
        }

        using var source = new GgufLlama(path);
        var tokenizer = GgufTokenizer.Read(source.File.Metadata);
        var template = TemplateOf(options, additions, tokenizer, source.File.Metadata.Text("tokenizer.chat_template"), path);
        var defaults = embedded ? EmbeddedModel.Defaults : new ModelDefaults(UsualSampling, template.DefaultSystemText);
        return Assemble(source.Config, source, tokenizer, template, defaults, options, additions, progress, cancellationToken);
    }

    private static LoadedModel LoadFolder(
        string path, ModelOptions options, LanguageAdditions? additions, IProgress<double> progress, CancellationToken cancellationToken)
    {
        var config = LlamaConfigFile.Read(Path.Combine(path, "config.json"));
        using var source = SafetensorsFolder.Open(path);
        var tokenizer = TokenizerFolder.Read(path);
        var template = TemplateOf(options, additions, tokenizer, PublishedTemplate(path), Path.GetFileName(path));
        var defaults = new ModelDefaults(PublishedSampling(path), template.DefaultSystemText);
        return Assemble(config, source, tokenizer, template, defaults, options, additions, progress, cancellationToken);
    }

    private static LoadedModel Assemble(
        LlamaConfig config, ITensorSource source, ITokenizer tokenizer, IPromptTemplate template, ModelDefaults defaults,
        ModelOptions options, LanguageAdditions? additions, IProgress<double> progress, CancellationToken cancellationToken)
    {
        using var whole = new AddedLanguage(source, config, additions);
        config = whole.Config;
        if (tokenizer.VocabularySize > config.VocabularySize + whole.AddedTokens)
        {
            throw new InvalidDataException(
                $"{source.Name}: the tokenizer has {tokenizer.VocabularySize:N0} tokens, the network only "
                + $"{config.VocabularySize + whole.AddedTokens:N0}; the files belong to different models.");
        }

        var contextTokens = Math.Min(
            options.MaxContextTokens, Math.Min(config.ContextLength, additions?.Part.ContextTokens ?? int.MaxValue));
        var engine = NewEngine(whole, contextTokens, options, progress, cancellationToken);
        try
        {
            TryOut(engine, source.Name, tokenizer);
            return new LoadedModel
            {
                Engine = engine,
                Tokenizer = tokenizer,
                Template = template,
                ContextTokens = contextTokens,
                Defaults = new ModelDefaults(
                    additions?.Part.Sampling ?? defaults.Sampling, additions?.Part.SystemText ?? defaults.SystemText),
            };
        }
        catch
        {
            engine.Dispose();
            throw;
        }
    }

    /// <summary>On a GPU libtorch; on the CPU our own kernels, at a prompt three times as fast as libtorch, at a reply ten times.</summary>
    private static ILanguageEngine NewEngine(
        AddedLanguage whole, int contextTokens, ModelOptions options, IProgress<double> progress, CancellationToken cancellationToken)
    {
        using var watched = new WatchedSource(whole.Plain, progress, cancellationToken);
        if (GpuOf(options) is not { } gpu)
        {
            using var merged = whole.Merged(watched);
            return new QuantizedEngine(
                Pack(merged ?? whole.Plain, merged ?? watched, watched, whole.Config, progress, cancellationToken), contextTokens,
                options.Threads ?? Environment.ProcessorCount, whole.FloatRows());
        }

        var model = new LlamaModel(whole.Config, gpu, ScalarType.BFloat16);
        try
        {
            model.Load(watched);
            return new TorchEngine(model, whole.PutOn(model));
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Blocks of a GGUF file are packed as they are; other weights are read as float32 and packed to eight bits.</summary>
    private static QuantizedLlama Pack(
        ITensorSource source, ITensorSource floats, WatchedSource watched, LlamaConfig config, IProgress<double> progress,
        CancellationToken cancellationToken)
    {
        if (source is GgufLlama)
        {
            return new QuantizedLlama(source, config, progress, cancellationToken);   // has compared its names itself
        }

        var weights = new QuantizedLlama(floats, config, cancellationToken: cancellationToken);
        try
        {
            watched.RefuseUnread(config);
            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <summary>The GPU to use, or null for the CPU; libtorch is loaded only to look for one.</summary>
    internal static Device? GpuOf(ModelOptions options)
    {
        if (options.Device == "cpu")
        {
            return null;
        }

        TorchRuntime.Load(options.Libtorch);
        var device = TorchRuntime.ResolveDevice(options.Device);
        return device.type == DeviceType.CPU ? null : device;
    }

    /// <summary>One step whose numbers must be numbers: finds damaged weights before a person does, and warms up.</summary>
    private static void TryOut(ILanguageEngine engine, string source, ITokenizer tokenizer)
    {
        var logits = new float[engine.VocabularySize];
        using var sequence = engine.NewSequence();
        engine.Prefill(sequence, [tokenizer.BeginToken ?? tokenizer.PadToken, tokenizer.PadToken], logits);
        engine.Decode(sequence, tokenizer.PadToken, logits);
        if (!Array.TrueForAll(logits, float.IsFinite))
        {
            throw new InvalidDataException(
                $"{source}: the network computes no usable numbers; the weights are damaged, download them again.");
        }
    }

    private static IPromptTemplate TemplateOf(
        ModelOptions options, LanguageAdditions? additions, ITokenizer tokenizer, string? published, string source) =>
        (options.Template ?? additions?.Part.Template) is { } name
            ? PromptTemplates.Named(name)
            : PromptTemplates.For(tokenizer, published, Path.GetFileName(source));

    private static string? PublishedTemplate(string folder) =>
        ReadJson(Path.Combine(folder, "tokenizer_config.json")) is { } root
        && root.TryGetProperty("chat_template", out var template) && template.ValueKind == JsonValueKind.String
            ? template.GetString()
            : File.Exists(Path.Combine(folder, "chat_template.jinja"))
                ? File.ReadAllText(Path.Combine(folder, "chat_template.jinja"))
                : null;

    /// <summary>What <c>generation_config.json</c> recommends.</summary>
    private static SamplingOptions PublishedSampling(string folder)
    {
        if (ReadJson(Path.Combine(folder, "generation_config.json")) is not { } root)
        {
            return UsualSampling;
        }

        if (root.TryGetProperty("do_sample", out var samples) && samples.ValueKind == JsonValueKind.False)
        {
            return new SamplingOptions { Temperature = 0 };
        }

        double? Number(string name) =>
            root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;
        var recommended = new SamplingOptions
        {
            Temperature = Number("temperature") ?? UsualSampling.Temperature,
            TopK = Number("top_k") is >= 1 and var topK ? (int)topK : null,
            TopP = Number("top_p") ?? UsualSampling.TopP,
            MinP = Number("min_p") ?? UsualSampling.MinP,
            RepetitionPenalty = Number("repetition_penalty"),
        };
        try
        {
            SamplingSettings.Resolve(recommended, new SamplingOptions());
            return recommended;
        }
        catch (GenerationRefusedException refused)
        {
            throw new InvalidDataException($"generation_config.json of {folder}: {refused.Message}", refused);
        }
    }

    private static JsonElement? ReadJson(string path)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            return document.RootElement.Clone();
        }
        catch (JsonException failure)
        {
            throw new InvalidDataException($"{path} is damaged: {failure.Message} Download it again.", failure);
        }
    }
}
