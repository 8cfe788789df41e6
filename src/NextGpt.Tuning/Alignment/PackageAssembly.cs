using System.Text.Json;
using NextGpt.Media;
using NextGpt.Model;
using NextGpt.Model.Decoders;
using NextGpt.Model.Encoders;
using NextGpt.Model.Packages;
using NextGpt.Model.Weights;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Alignment;

/// <summary>What goes into a package.</summary>
public sealed record AssemblyRequest
{
    /// <summary>The package's folder: not there yet, or with nothing but the language model's file in it.</summary>
    public required string Folder { get; init; }

    /// <summary>Folder of the last stage: projections, rows, adapter.</summary>
    public required string Parts { get; init; }

    /// <summary>The model's id.</summary>
    public string Id { get; init; } = "mini";

    /// <summary>The language model, a GGUF file or a folder; null is the embedded one.</summary>
    public string? Language { get; init; }

    /// <summary>The encoder's folder; null reads nothing.</summary>
    public string? Encoder { get; init; }

    /// <summary>Folders of decoders; a kind without one is not made.</summary>
    public IReadOnlyList<string> Decoders { get; init; } = [];

    /// <summary>A JSON file of measured figures, or null.</summary>
    public string? Figures { get; init; }

    /// <summary>Denoising steps of a medium.</summary>
    public int Steps { get; init; } = 20;

    /// <summary>Strength of the guidance.</summary>
    public double Guidance { get; init; } = 5;

    /// <summary>How conversations are written; null finds it in the language model's files.</summary>
    public string? Template { get; init; } = "chatml";
}

/// <summary>Puts a language model, an encoder, decoders and what the stages trained into a folder that the program loads.</summary>
/// <remarks>
/// Weights are stored as halves. Parts that are missing, or for which nothing was trained, are left out; the manifest then says what is
/// left. The manifest is written last: a folder without one is no package.
/// </remarks>
public static class PackageAssembly
{
    private const string EncoderFolder = "encoder";

    /// <summary>Writes a package.</summary>
    /// <param name="request">What goes in.</param>
    /// <param name="cancellationToken">Looked at between files.</param>
    /// <returns>The package, opened.</returns>
    /// <exception cref="InvalidDataException">A part cannot be used, or nothing was trained.</exception>
    /// <exception cref="IOException">The folder has other files already, or the disk refused.</exception>
    public static ModelPackage Write(AssemblyRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var rows = Path.Combine(request.Parts, AlignmentModel.RowsFile);
        if (!File.Exists(rows))
        {
            throw new InvalidDataException($"{request.Parts} has no {AlignmentModel.RowsFile}; name the folder of align-output or instruct.");
        }

        TorchRuntime.Load();
        var language = Path.TrimEndingDirectorySeparator(request.Language ?? EmbeddedLanguage);
        var name = Directory.Exists(language) ? "language" : Path.GetFileName(language);
        RefuseOthers(request.Folder, name);
        Directory.CreateDirectory(Path.Combine(request.Folder, "projections"));
        PutLanguage(language, Path.Combine(request.Folder, name), cancellationToken);
        Halve(rows, Path.Combine(request.Folder, AlignmentModel.RowsFile));
        var adapter = Path.Combine(request.Parts, AlignmentModel.AdapterFolder);
        if (Directory.Exists(adapter))
        {
            PutAdapter(adapter, Path.Combine(request.Folder, AlignmentModel.AdapterFolder));
        }

        var input = PutInput(request, cancellationToken);
        var outputs = request.Decoders.Select(folder => PutOutput(request, folder, cancellationToken)).OfType<OutputPart>().OrderBy(part => part.Kind).ToList();
        var manifest = new PackageManifest
        {
            Id = request.Id,
            Description = $"Reads {ModelCard.Words(input?.Kinds ?? [])}, makes {ModelCard.Words([.. outputs.Select(part => part.Kind)])}.",
            Language = new LanguagePart
            {
                Path = name,
                Adapter = Directory.Exists(adapter) ? AlignmentModel.AdapterFolder : null,
                Template = request.Template,
                SystemText = string.Empty,   // as it was trained
                Sampling = new SamplingOptions { Temperature = 0 },
            },
            Tokens = TokenPart.V0 with { Rows = AlignmentModel.RowsFile },
            Input = input,
            Outputs = outputs,
            Licences = Licences(name, outputs, input is not null),
            Figures = Json(request.Figures),
            Provenance = Provenance(request),
        };
        File.WriteAllText(Path.Combine(request.Folder, ModelCard.FileName), ModelCard.Of(manifest));
        return ModelPackage.Save(request.Folder, manifest, cancellationToken: cancellationToken);
    }

    /// <summary>Joins a picture decoder that was trained on its own with the autoencoder it was trained for.</summary>
    /// <param name="decoder">Holds <c>unet</c>, <c>text_encoder</c>, <c>tokenizer</c>, <c>scheduler</c>.</param>
    /// <param name="autoencoder">The autoencoder's folder, or one that holds it as <c>vae</c>.</param>
    /// <param name="target">Where the whole shall stand; replaced.</param>
    /// <returns>The target.</returns>
    public static string Join(string decoder, string autoencoder, string target)
    {
        if (Directory.Exists(target))
        {
            Directory.Delete(target, recursive: true);
        }

        foreach (var part in new[] { "unet", "text_encoder", "tokenizer", "scheduler" })
        {
            CopyFolder(Path.Combine(decoder, part), Path.Combine(target, part));
        }

        var inside = Path.Combine(autoencoder, "vae");
        CopyFolder(Directory.Exists(inside) ? inside : autoencoder, Path.Combine(target, "vae"));
        return target;
    }

    private static string EmbeddedLanguage =>
        Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Embedded"), "*.gguf").Order(StringComparer.Ordinal).FirstOrDefault()
        ?? throw new InvalidDataException("The embedded language model is missing; name another one with --language.");

    private static void RefuseOthers(string folder, string language)
    {
        if (File.Exists(folder) || (Directory.Exists(folder)
            && Directory.EnumerateFileSystemEntries(folder).FirstOrDefault(entry => Path.GetFileName(entry) != language) is not null))
        {
            throw new IOException($"{folder} has files already; a package is written to a new folder, or to one that holds {language} alone.");
        }
    }

    private static void PutLanguage(string source, string target, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (Path.GetFullPath(source) == Path.GetFullPath(target) || Path.Exists(target))
        {
            return;   // it lies there already; the manifest gets its hash
        }

        if (Directory.Exists(source))
        {
            CopyFolder(source, target);
        }
        else
        {
            File.Copy(source, target);
        }
    }

    private static void PutAdapter(string source, string target)
    {
        CopyFolder(source, target);
        foreach (var file in Directory.GetFiles(target, "*.safetensors"))
        {
            Halve(Path.Combine(source, Path.GetFileName(file)), file);
        }
    }

    private static InputPart? PutInput(AssemblyRequest request, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var projection = Path.Combine(request.Parts, AlignmentModel.InputFile);
        if (request.Encoder is null || !File.Exists(projection))
        {
            return null;
        }

        var config = ImageBindConfig.Load(Path.Combine(request.Encoder, "config.json"));
        using (var encoder = ImageBind.Load(request.Encoder))
        {
            encoder.Save(Path.Combine(request.Folder, EncoderFolder));
        }

        Halve(projection, Path.Combine(request.Folder, AlignmentModel.InputFile));
        using var source = SafetensorsFile.Open(projection);
        return new InputPart
        {
            Encoder = EncoderFolder,
            Kinds = [.. FrozenMedia.KindsOf(config).Order()],
            Projection = AlignmentModel.InputFile,
            Kind = AlignmentModel.KindOf(source),
        };
    }

    private static OutputPart? PutOutput(AssemblyRequest request, string folder, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var decoder = DiffusionDecoder.Load(folder);
        var file = AlignmentModel.OutputFile(decoder.Kind);
        if (!File.Exists(Path.Combine(request.Parts, file)))
        {
            return null;
        }

        decoder.Save(Path.Combine(request.Folder, AlignmentModel.NameOf(decoder.Kind)), SafetensorsType.F16);
        Halve(Path.Combine(request.Parts, file), Path.Combine(request.Folder, file));
        return new OutputPart
        {
            Kind = decoder.Kind,
            Decoder = AlignmentModel.NameOf(decoder.Kind),
            Projection = file,
            Steps = request.Steps,
            GuidanceScale = request.Guidance,
            Seconds = decoder.Kind == MediaKind.Audio ? 4 : null,
        };
    }

    /// <summary>The same tensors as halves.</summary>
    private static void Halve(string source, string target)
    {
        using var file = SafetensorsFile.Open(source);
        using var scope = NewDisposeScope();
        var writer = new SafetensorsWriter();
        foreach (var (name, info) in file.Tensors)
        {
            var values = new float[info.Count];
            file.Read(name, values);
            writer.Add(name, tensor(values, [.. info.Shape]), SafetensorsType.F16);
        }

        writer.Save(target);
    }

    private static List<PackageLicence> Licences(string language, IReadOnlyList<OutputPart> outputs, bool reads)
    {
        var own = new List<string> { AlignmentModel.RowsFile };
        own.AddRange(outputs.Where(part => part.Kind != MediaKind.Audio).SelectMany(part => new[] { part.Decoder, part.Projection }));
        own.AddRange(reads ? [EncoderFolder, AlignmentModel.InputFile] : []);
        var licences = new List<PackageLicence>
        {
            new([language], "Apache-2.0", "SmolLM2-135M-Instruct by Hugging Face, where this is the embedded language model; else see its own terms"),
            new(own, "MIT", "trained by this project on openly licensed drawings, sounds and clips; see NOTICE"),
        };
        if (outputs.FirstOrDefault(part => part.Kind == MediaKind.Audio) is { } sounds)
        {
            licences.Add(new([sounds.Decoder, sounds.Projection], "CC-BY-SA-4.0", "trained by this project, in part on recordings to be shared alike; see NOTICE"));
        }

        return licences;
    }

    private static JsonElement? Json(string? file)
    {
        if (file is null)
        {
            return null;
        }

        using var document = JsonDocument.Parse(File.ReadAllBytes(file));
        return document.RootElement.Clone();
    }

    private static JsonElement Provenance(AssemblyRequest request)
    {
        var record = Path.Combine(request.Parts, StageRecord.FileName);
        return JsonSerializer.SerializeToElement(new { madeBy = "nextgpt train package", stages = File.Exists(record) ? Json(record) : null });
    }

    private static void CopyFolder(string source, string target)
    {
        foreach (var file in Directory.GetFiles(source, "*", SearchOption.AllDirectories))
        {
            var place = Path.Combine(target, Path.GetRelativePath(source, file));
            Directory.CreateDirectory(Path.GetDirectoryName(place) ?? target);
            File.Copy(file, place, overwrite: true);
        }
    }
}
