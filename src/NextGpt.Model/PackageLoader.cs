using NextGpt.Media;
using NextGpt.Model.Decoders.Enlarging;
using NextGpt.Model.Encoders;
using NextGpt.Model.Language;
using NextGpt.Model.Packages;
using NextGpt.Model.Projections;
using NextGpt.Model.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace NextGpt.Model;

/// <summary>Makes an any-to-any model of a package folder; a part that cannot be used loses only its own modality (DEG-1).</summary>
internal static class PackageLoader
{
    /// <summary>What a package can do by its manifest and the folders that are there.</summary>
    public static ModelAbilities AbilitiesOf(string folder, PackageManifest manifest)
    {
        bool Is(string path) => PackagePath.Problem(path) is null && Path.Exists(Path.Combine(folder, path));
        var input = manifest.Input is { } part && Is(part.Encoder) && Is(part.Projection) ? part : null;
        return new ModelAbilities
        {
            Reads = input?.Kinds ?? [],
            EmbeddingSize = input is null ? null : EmbeddingSizeOf(Path.Combine(folder, input.Encoder)),
            Makes = [.. manifest.Outputs.Where(output => Is(output.Decoder) && Is(output.Projection)).Select(output => output.Kind).Order()],
        };
    }

    /// <summary>Loads a package; encoder and decoders are opened, their weights read when first needed.</summary>
    /// <param name="folder">The package folder.</param>
    /// <param name="options">On which device.</param>
    /// <param name="time">The clock by which decoders rest.</param>
    /// <param name="progress">Gets the share that is done, 0 to 1.</param>
    /// <param name="cancellationToken">Looked at before every tensor.</param>
    /// <exception cref="InvalidDataException">The language model or its tokens cannot be used, with what to do.</exception>
    public static LoadedModel Load(
        string folder, ModelOptions options, TimeProvider time, IProgress<double> progress, CancellationToken cancellationToken)
    {
        var (package, lost) = ModelPackage.OpenUsable(folder);
        var manifest = package.Manifest;
        var additions = new LanguageAdditions(
            manifest.Language,
            manifest.Language.Adapter is { } adapter ? package.PathOf(adapter) : null,
            manifest.Tokens,
            manifest.Tokens?.Rows is { } rows ? package.PathOf(rows) : null);
        var model = LanguageModelLoader.LoadLanguage(
            package.PathOf(manifest.Language.Path), options, additions, progress, cancellationToken);
        try
        {
            return manifest.Tokens is null ? model with { Lost = lost } : WithMedia(model, package, manifest.Tokens, lost, options, time);
        }
        catch
        {
            model.Engine.Dispose();
            throw;
        }
    }

    private static int? EmbeddingSizeOf(string encoder)
    {
        try
        {
            return ImageBindConfig.Load(Path.Combine(encoder, "config.json")).OutputSize;
        }
        catch (Exception failure) when (failure is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return null;   // loading says what is wrong with it
        }
    }

    private static LoadedModel WithMedia(
        LoadedModel model, ModelPackage package, TokenPart tokens, IReadOnlyList<string> lost, ModelOptions options, TimeProvider time)
    {
        TorchRuntime.Load(options.Libtorch);
        if (options.Threads is { } threads)
        {
            set_num_threads(threads);   // there is one such number in a process, and one model
        }

        var device = model.Engine is TorchEngine torch ? torch.Model.Device : CPU;
        var type = device.type == DeviceType.CPU ? ScalarType.Float32 : ScalarType.BFloat16;
        var signals = SignalTokens.Resolve(tokens, model.Tokenizer, model.Engine.VocabularySize - RowsOf(model.Engine));
        if (signals.Added.Where(token => token >= model.Engine.VocabularySize).Select(token => (int?)token).FirstOrDefault() is { } beyond)
        {
            throw new InvalidDataException(
                $"{package.Folder}: the added token {beyond} has no row; the language model has {model.Engine.VocabularySize:N0}. Set "
                + "tokens.rows to the file of the rows.");
        }

        var sentences = new List<string>(lost);
        var outputs = new List<MediaOutput>();
        foreach (var part in package.Manifest.Outputs)
        {
            PictureEnlargerConfig? enlarger = null;   // without it media come as small as they are drawn
            if (part.Enlarger is { } folder)
            {
                Usable(folder, $"enlarging {MediaWords.Many(part.Kind)}", sentences, package, [folder], () =>
                    enlarger = PictureEnlargerConfig.Load(Path.Combine(package.PathOf(folder), "config.json")));
            }

            Usable(part.Decoder, MediaWords.Many(part.Kind), sentences, package, [part.Decoder, part.Projection], () =>
                outputs.Add(MediaOutput.Open(
                    package, enlarger is null ? part with { Enlarger = null } : part, model.Engine.HiddenSize, device, type)));
        }

        MediaInput? input = null;
        if (package.Manifest.Input is { } entry)
        {
            Usable(entry.Encoder, "reading media", sentences, package, [entry.Encoder, entry.Projection], () =>
                input = OpenInput(package, entry, model.Engine.HiddenSize, device, type));
        }

        return model with
        {
            Media = new NextGptModel(
                signals, input, outputs, tokens.SwallowsSpaces, time,
                embeddingSize: input is null ? null : EmbeddingSizeOf(package.PathOf(input.Part.Encoder))),
            Lost = sentences,
        };
    }

    private static int RowsOf(ILanguageEngine engine) => engine switch
    {
        TorchEngine torch => torch.Model.Added?.Count ?? 0,
        Language.Quantized.QuantizedEngine quantized => quantized.AddedTokens,
        _ => 0,
    };

    private static MediaInput OpenInput(ModelPackage package, InputPart part, int hiddenSize, Device device, ScalarType type)
    {
        var file = package.PathOf(part.Projection);
        var folder = package.PathOf(part.Encoder);
        var config = ImageBindConfig.Load(Path.Combine(folder, "config.json"));
        foreach (var kind in part.Kinds)
        {
            if (kind == MediaKind.Audio ? config.Audio is null : config.Vision is null)
            {
                throw new InvalidDataException($"{part.Encoder} has no tower for {MediaWords.Many(kind)}; take the kind out of input.kinds.");
            }
        }

        using (var source = SafetensorsFile.Open(file))
        {
            var name = part.Kind switch
            {
                InputProjectionKind.Linear => "weight",
                InputProjectionKind.Group => "out_fc.weight",
                _ => null,
            };
            if (name is not null && ProjectionWeights.ShapeOf(source, name, 2)[0] is var width && width != hiddenSize)
            {
                throw new InvalidDataException($"{part.Projection} is for a language model of width {width}, this one is {hiddenSize} wide.");
            }
        }

        return new MediaInput(part, () =>
        {
            using var source = SafetensorsFile.Open(file);
            var projection = InputProjection.Load(source, part.Kind, part.Heads, device, type);
            try
            {
                return (new ImageBindEncoder(ImageBind.Load(folder, device, type), part.Features), projection);
            }
            catch
            {
                projection.Dispose();
                throw;
            }
        });
    }

    private static void Usable(
        string name, string what, List<string> lost, ModelPackage package, IReadOnlyList<string> parts, Action open)
    {
        if (parts.SelectMany(package.ProblemsOf).FirstOrDefault() is { } problem)
        {
            lost.Add($"Without {what}: {problem}");
            return;
        }

        try
        {
            open();
        }
        catch (Exception failure) when (failure is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            lost.Add($"Without {what}: {name} cannot be used. {failure.Message}");
        }
    }
}
