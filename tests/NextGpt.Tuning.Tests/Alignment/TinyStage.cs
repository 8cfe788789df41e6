using Microsoft.Extensions.Time.Testing;
using NextGpt.Media;
using NextGpt.Model;
using NextGpt.Model.Language;
using NextGpt.Model.Packages;
using NextGpt.Model.Projections;
using NextGpt.Model.Tests;
using NextGpt.Tuning.Alignment;
using NextGpt.Tuning.Optimisation;
using NextGpt.Tuning.Talk;
using NextGpt.Tuning.Tasks;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Tests.Alignment;

/// <summary>Every stage at toy size: the tiny package's networks and the world of twenty concepts.</summary>
internal sealed class TinyStage : IDisposable
{
    internal static readonly TaskMixture Mixture = new(FixtureFolder.World, 1);

    internal static readonly OpenAnswer[] Open = [new("Tell me a story.", "A fox ran. It ran far and came home late.")];

    private readonly string _folder = Directory.CreateTempSubdirectory("nextgpt-alignment-").FullName;

    internal TinyPackage Package { get; } = new();

    internal string At(string name) => Path.Combine(_folder, name);

    internal TrainableLanguage Language() => TrainableLanguage.Load(new ModelOptions { Path = Package.At("language"), Template = "chatml", Device = "cpu" });

    internal FrozenMedia Media(string cache = "cache", params MediaKind[] makes) => new(
        Mixture.Studio, Package.At("encoder"),
        (makes.Length == 0 ? Enum.GetValues<MediaKind>() : makes).Select(kind => Package.At(kind.ToString().ToLowerInvariant())), At(cache), CPU);

    internal static AlignmentStage Instruction => AlignmentStage.Instruction(TalkTrainer.AdapterOfRank(4));

    internal AlignmentModel Model(TrainableLanguage language, ITrainingMedia media, AlignmentStage stage, string? from = null) => new(
        language,
        new AlignmentParts
        {
            Tokens = TokenPart.V0,
            FeatureSize = media.FeatureSize,
            Outputs = media.Makes.ToDictionary(kind => kind, kind => new OutputProjectionConfig
            {
                InputSize = TinyPackage.Hidden,
                HiddenSize = 16,
                IntermediateSize = 24,
                EncoderLayers = 1,
                DecoderLayers = 1,
                Queries = media.ShapeOf(kind).Queries,
                OutputSize = media.ShapeOf(kind).Width,
            }),
            From = from is null ? null : At(from),
            Seed = 5,
        },
        stage);

    internal static MixtureRows Rows(AlignmentModel model, ITrainingMedia media, AlignmentStage stage) => new(
        Mixture, new RowWriter(model.Language, model.Signals) { SignalsOnly = stage.Adapter is null && stage.Outputs }, media.Reads, media.Makes)
    {
        Tasks = stage.Adapter is not null ? [] : stage.Input ? MixtureRows.Naming(media.Reads) : MixtureRows.Making(media.Makes),
        CaptionShare = stage.Adapter is null ? 0.5 : 0,
        Open = stage.Adapter is null ? [] : Open,
        MaxTokens = 400,
    };

    /// <summary>Runs a stage; the parts lie in the folder of that name.</summary>
    internal void Train(
        string name, AlignmentStage stage, int steps, string? from = null, int batch = 4, TextWriter? output = null, bool resume = false,
        Action<AlignmentModel>? before = null, Action<AlignmentModel>? after = null, int? few = null, CancellationToken stop = default)
    {
        using var media = Media();   // what was asked once is read by every later run
        using var language = Language();
        using var model = Model(language, media, stage, from);
        before?.Invoke(model);
        new AlignmentTrainer(
            model, stage, media, new TrainingSchedule { BatchSize = batch, LearningRate = 2e-2, WarmUpSteps = 2, TotalSteps = steps, JournalEvery = 5, Seed = 3 },
            At(name), output ?? TextWriter.Null, new FakeTimeProvider()).Train(
                few is { } count ? new Few(Rows(model, media, stage), count) : Rows(model, media, stage), resume, stop);
        after?.Invoke(model);
    }

    /// <summary>The first rows again and again.</summary>
    private sealed class Few(IRowSource source, int count) : IRowSource
    {
        private readonly Dictionary<long, TrainingRow> _rows = [];

        public TrainingRow At(long place) => _rows.TryGetValue(place % count, out var row) ? row : _rows[place % count] = source.At(place % count);
    }

    public void Dispose()
    {
        Package.Dispose();
        Directory.Delete(_folder, true);
    }
}
