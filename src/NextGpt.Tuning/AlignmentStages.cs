using NextGpt.Media;
using NextGpt.Model;
using NextGpt.Model.Language;
using NextGpt.Model.Packages;
using NextGpt.Model.Projections;
using NextGpt.Tuning.Alignment;
using NextGpt.Tuning.Data;
using NextGpt.Tuning.Optimisation;
using NextGpt.Tuning.Talk;
using NextGpt.Tuning.Tasks;
using static TorchSharp.torch;

namespace NextGpt.Tuning;

/// <summary>The stages of <c>nextgpt train</c> that make an any-to-any model of a language model, and the package of what they made.</summary>
internal static class AlignmentStages
{
    internal static void Train(
        TrainArguments options, TrainingSchedule schedule, Device device, ScalarType precision, TextWriter output, CancellationToken cancellationToken)
    {
        var stage = StageOf(options);
        var folder = options.Required("out");
        var mixture = new TaskMixture(WorldData.Load(options.Required("world")), schedule.Seed);
        using var media = new FrozenMedia(
            mixture.Studio, stage.Input ? options.Text("encoder") : null, stage.Outputs ? DecodersOf(options, folder) : [],
            options.Text("cache") ?? Path.Combine(folder, "cache"), device);
        using var language = TrainableLanguage.Load(
            new ModelOptions { Path = options.Text("model"), Device = device.type == TorchSharp.DeviceType.CPU ? "cpu" : options.Text("device") ?? "auto" }, precision);
        using var model = new AlignmentModel(language, PartsOf(options, media, language, schedule.Seed), stage);
        var rows = new MixtureRows(
            mixture, new RowWriter(language, model.Signals) { SignalsOnly = stage.Adapter is null && stage.Outputs }, media.Reads, media.Makes)
        {
            Tasks = stage.Adapter is not null ? [] : stage.Input ? MixtureRows.Naming(media.Reads) : MixtureRows.Making(media.Makes),
            CaptionShare = stage.Adapter is null && stage.Outputs ? 0.5 : 0,
            Open = stage.Adapter is not null && options.Text("open") is { } file ? OpenTalk.Read(file) : [],
            OpenShare = options.Number("open-share") ?? 0.15,
            MaxTokens = options.Whole("max-tokens") ?? 256,
        };
        if (stage.Adapter is not null && rows.Open.Count == 0)
        {
            output.WriteLine("Without --open the model forgets what it could say beside these tasks; make the file with `nextgpt train talk-open`.");
        }

        StageRecord.Write(folder, options.Text("from"), stage, schedule);
        new AlignmentTrainer(model, stage, media, schedule, folder, output, TimeProvider.System).Train(rows, options.Has("resume"), cancellationToken);
    }

    internal static void Assemble(TrainArguments options, TextWriter output, CancellationToken cancellationToken)
    {
        using var joined = new TemporaryFolder();
        var package = PackageAssembly.Write(
            new AssemblyRequest
            {
                Folder = options.Required("out"),
                Parts = options.Required("from"),
                Id = options.Text("id") ?? "mini",
                Language = options.Text("language") ?? options.Text("model"),
                Encoder = options.Text("encoder"),
                Decoders = DecodersOf(options, joined.Path),
                Figures = options.Text("figures"),
                Steps = options.Whole("render-steps") ?? 20,
                Guidance = options.Number("guidance") ?? 5,
            },
            cancellationToken);
        var manifest = package.Manifest;
        output.WriteLine(
            $"{package.Folder}: {manifest.Id} reads {Listed(manifest.Input?.Kinds ?? [])} and makes {Listed([.. manifest.Outputs.Select(part => part.Kind)])}; "
            + $"{manifest.Files.Count} files, {manifest.Files.Sum(file => file.SizeBytes) / 1_000_000} MB.");
    }

    private static string Listed(IReadOnlyList<MediaKind> kinds) => kinds.Count == 0 ? "nothing but words" : string.Join(", ", kinds);

    private static AlignmentStage StageOf(TrainArguments options)
    {
        var weight = options.Number("caption-weight") ?? 1;
        return options.Stage switch
        {
            "align-input" => AlignmentStage.EncodingSide,
            "align-output" => AlignmentStage.DecodingSide with { CaptionWeight = weight },
            _ => AlignmentStage.Instruction(TalkTrainer.AdapterOfRank(options.Whole("rank") ?? 32)) with { CaptionWeight = weight },
        };
    }

    private static AlignmentParts PartsOf(TrainArguments options, FrozenMedia media, TrainableLanguage language, int seed) => new()
    {
        Tokens = TokenPart.V0,
        FeatureSize = media.FeatureSize,
        InputWidth = options.Whole("input-width") ?? 0,
        Outputs = media.Makes.ToDictionary(kind => kind, kind => new OutputProjectionConfig
        {
            InputSize = language.Network.Config.HiddenSize,
            OutputSize = media.ShapeOf(kind).Width,
            Queries = media.ShapeOf(kind).Queries,
            HiddenSize = options.Whole("projection-width") ?? 256,
            IntermediateSize = 4 * (options.Whole("projection-width") ?? 256),
            EncoderLayers = options.Whole("projection-layers") ?? 2,
            DecoderLayers = options.Whole("projection-layers") ?? 2,
        }),
        From = options.Text("from"),
        Seed = seed,
    };

    /// <summary>The decoders that are named; a picture decoder without an autoencoder is joined with the one that is named.</summary>
    private static List<string> DecodersOf(TrainArguments options, string folder)
    {
        var decoders = new List<string>();
        if (options.Text("picture-decoder") is { } pictures)
        {
            decoders.Add(Directory.Exists(Path.Combine(pictures, "vae"))
                ? pictures
                : PackageAssembly.Join(
                    pictures, options.Text("autoencoder") ?? throw new TrainArgumentException($"{pictures} has no vae; name its autoencoder with --autoencoder."),
                    Path.Combine(folder, "picture-decoder")));
        }

        decoders.AddRange(new[] { options.Text("sound-decoder"), options.Text("clip-decoder") }.OfType<string>());
        return decoders;
    }

    private sealed class TemporaryFolder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("nextgpt-package-").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
