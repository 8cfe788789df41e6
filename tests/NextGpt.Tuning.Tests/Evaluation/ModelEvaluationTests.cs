using System.Security.Cryptography;
using Microsoft.Extensions.Time.Testing;
using NextGpt.Media;
using NextGpt.Model;
using NextGpt.Tuning.Data;
using NextGpt.Tuning.Evaluation;
using NextGpt.Tuning.Evaluation.Rows;
using NextGpt.Tuning.Pictures;
using NextGpt.Tuning.Tasks;

namespace NextGpt.Tuning.Tests.Evaluation;

/// <summary>Whole evaluations of scripted models over the fixture world with an untrained judge.</summary>
public sealed class ModelEvaluationTests : IDisposable
{
    private static readonly TaskMixture Mixture = new(FixtureFolder.World, 1);
    private static readonly ModelAbilities TextOnly = ModelAbilities.TextOnly;

    // What the row will show, so that the perfect model can name it.
    private static readonly Lazy<Dictionary<string, string>> Clips = new(() =>
    {
        var bench = new EvaluationBench(new EvaluationOptions(), new ScriptedModel(TextOnly, _ => ("", [])).Examinee, () => null, FixtureFolder.World, null);
        return MotionNaming.Clips(bench, bench.Draw("naming-clips"), 10).DistinctBy(clip => Hash((VideoClip)Mixture.Studio.Make(clip.Recipe)))
            .ToDictionary(clip => Hash((VideoClip)Mixture.Studio.Make(clip.Recipe)), clip => $"{WorldNames.Of(clip.Recipe.Row)} is {clip.Recipe.Motion!.Name}.");
    });

    private static readonly Lazy<IReadOnlyList<(ClipRecipe Recipe, string Said)>> Films = new(() =>
    {
        var bench = new EvaluationBench(new EvaluationOptions(), new ScriptedModel(TextOnly, _ => ("", [])).Examinee, () => null, FixtureFolder.World, null);
        return MotionNaming.Clips(bench, bench.Draw("filming"), 10);
    });

    private readonly string _folder = Directory.CreateTempSubdirectory("nextgpt-evaluation-").FullName;

    private string Judge
    {
        get
        {
            var folder = Path.Combine(_folder, "judge");
            TinyJudge.Write(folder);
            return folder;
        }
    }

    [Fact]
    public async Task Rows_that_cannot_run_are_listed_with_the_reason_and_never_as_zero()
    {
        var model = new ScriptedModel(TextOnly, _ => ("I do not know.", []));

        var report = await RunAsync(model, new EvaluationOptions { Most = 3, Out = _folder });

        Assert.Equal(ModelEvaluation.RowNames, report.Rows.Select(row => row.Row));
        string[] run = ["talk", "open", "english", "refusal"];
        Assert.All(report.Rows, row => Assert.Equal(run.Contains(row.Row), row.NotRun is null));
        Assert.All(report.Rows.Where(row => row.NotRun is not null), row => Assert.Empty(row.Figures));
        Assert.Contains("Drawing: No world was given", await File.ReadAllTextAsync(Path.Combine(_folder, "report.md"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Equal(Math.Exp(2), Value(report, "english.perplexity"), 6);
        Assert.Equal(1, Value(report, "english.ratio"), 6);
        Assert.Equal(1, Value(report, "refusal.honest"));
    }

    [Fact]
    public async Task A_model_that_makes_the_very_thing_reaches_the_top_and_one_that_makes_always_the_same_does_not()
    {
        string[] rows = ["drawing", "sounding", "filming", "naming-pictures", "naming-sounds", "naming-clips"];
        var options = new EvaluationOptions { World = WorldWithSoundKeptBack(), Judge = Judge, Most = 10, Rows = rows };

        var perfect = await RunAsync(new ScriptedModel(ModelAbilities.AnyToAny, request => Perfect(request)), options with { Out = Path.Combine(_folder, "perfect") });
        var always = await RunAsync(new ScriptedModel(ModelAbilities.AnyToAny, Always), options);

        Assert.All(new[] { "naming-pictures.pair", "naming-pictures.pair.group", "naming-sounds.pair", "naming-clips.motion", "naming-clips.thing" },
            name => Assert.Equal(1, Value(perfect, name)));
        Assert.All(new[] { "naming-pictures.pair", "naming-sounds.pair", "naming-clips.motion" }, name => Assert.True(Value(always, name) < 0.5, name));
        Assert.All(new[] { "drawing.seen.top1", "sounding.top1" }, name => Assert.True(Value(perfect, name) >= 0.5, $"{name}: {Value(perfect, name)}"));
        // An untrained judge knows a thing that was made smaller badly, but better than another thing.
        Assert.All(new[] { "drawing.seen.top1", "sounding.top1", "filming.thing.top1" }, name => Assert.True(
            Value(perfect, name) > Value(always, name), $"{name}: {Value(perfect, name)} and {Value(always, name)}"));
        Assert.Equal(1, Value(perfect, "filming.motion"));
        Assert.True(Value(always, "filming.motion") < 1);
        Assert.All(perfect.Rows.SelectMany(row => row.Sheets), sheet => Assert.True(File.Exists(Path.Combine(_folder, "perfect", sheet)), sheet));
        Assert.Equal(4, perfect.Rows.SelectMany(row => row.Sheets).Count());
        Assert.All(perfect.Figures.Where(figure => figure.Name.EndsWith("top1", StringComparison.Ordinal)), figure => Assert.NotNull(figure.UpperBound));
        Assert.Contains(perfect.Rows.Single(row => row.Row == "naming-pictures").Gaps, gap => gap.Contains("muted", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Switching_counts_what_was_asked_for_and_what_nobody_wanted()
    {
        var options = new EvaluationOptions { World = FixtureFolder.Path, Rows = ["switching"], Most = 60 };
        var samples = Mixtures(options.Seed).Switching(60).DistinctBy(Key).ToDictionary(Key, sample => sample.Wanted, StringComparer.Ordinal);
        var right = await RunAsync(new ScriptedModel(ModelAbilities.AnyToAny, request => ("Here.", Media(samples.GetValueOrDefault(Key(request)) ?? new HashSet<MediaKind>()))), options);
        var mute = await RunAsync(new ScriptedModel(ModelAbilities.AnyToAny, _ => ("Here.", [])), options);
        var eager = await RunAsync(new ScriptedModel(ModelAbilities.AnyToAny, _ => ("Here.", Media(new HashSet<MediaKind> { MediaKind.Image }))), options);

        Assert.Equal((1, 0, 0), (Value(right, "switching.right"), Value(right, "switching.unasked"), Value(right, "switching.ordinary")));
        Assert.InRange(Value(mute, "switching.right"), 0.1, 0.7);
        Assert.Equal(0, Value(mute, "switching.unasked"));
        Assert.True(Value(eager, "switching.unasked") > 0.4);
        Assert.Equal(1, Value(eager, "switching.ordinary"));
    }

    [Fact]
    public async Task A_row_that_is_done_is_not_asked_again_unless_it_is_named()
    {
        var model = new ScriptedModel(TextOnly, _ => ("I do not know.", []));
        var options = new EvaluationOptions { Most = 2, Out = _folder, Quick = true };
        var first = await RunAsync(model, options);
        var asked = model.Asked;

        var second = await RunAsync(model, options);
        Assert.Equal(asked, model.Asked);
        Assert.Equal(first.Figures, second.Figures);

        await RunAsync(model, options with { Rows = ["refusal"] });
        Assert.Equal(asked + 2, model.Asked);
        await RunAsync(model, options with { Seed = 5 });
        Assert.True(model.Asked > asked + 4, "Another seed makes stored rows void.");
    }

    [Fact]
    public async Task A_row_that_does_not_exist_is_refused_with_those_that_do()
    {
        var evaluation = new ModelEvaluation(new EvaluationOptions { Rows = ["painting"] }, TextWriter.Null, new FakeTimeProvider());

        var refused = await Assert.ThrowsAsync<InvalidDataException>(() => evaluation.RunAsync(TestContext.Current.CancellationToken));

        Assert.Contains("There is no row painting; there are naming-pictures", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_same_seed_asks_the_same_and_finds_the_same()
    {
        var options = new EvaluationOptions { Most = 5, Quick = true };

        var (first, second) = (await RunAsync(Echo(), options), await RunAsync(Echo(), options));

        Assert.Equal(first.Rows.SelectMany(row => row.Items), second.Rows.SelectMany(row => row.Items));
        Assert.NotEqual(first.Rows.SelectMany(row => row.Items), (await RunAsync(Echo(), options with { Seed = 9 })).Rows.SelectMany(row => row.Items));
    }

    public void Dispose() => Directory.Delete(_folder, true);

    private static ScriptedModel Echo() => new(TextOnly, request => (ScriptedModel.Question(request), []));

    private static async Task<EvaluationReport> RunAsync(ScriptedModel model, EvaluationOptions options) =>
        await new ModelEvaluation(options, TextWriter.Null, new FakeTimeProvider())
            .RunAsync(model.Examinee, "hash", () => null, isUntouched: true, cancellationToken: TestContext.Current.CancellationToken);

    /// <summary>The fixture world with one of two violins kept back: its own split has no sound whose name is trained.</summary>
    private string WorldWithSoundKeptBack()
    {
        var folder = Path.Combine(_folder, "world");
        foreach (var file in Directory.EnumerateFiles(FixtureFolder.Path, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(folder, Path.GetRelativePath(FixtureFolder.Path, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        var captions = Path.Combine(folder, "captions.jsonl");
        var kept = File.ReadAllLines(captions).Select(line => line.Contains("a violin playing a low note", StringComparison.Ordinal)
            ? line.Replace("\"split\":\"train\"", "\"split\":\"test_pair\"", StringComparison.Ordinal).Replace("\"split\": \"train\"", "\"split\": \"test_pair\"", StringComparison.Ordinal) : line).ToList();
        File.WriteAllLines(captions, kept);
        Assert.Contains(WorldData.Load(folder).Of(WorldKind.Sound), row => row is { Split: "test_pair", Caption: "a violin playing a low note" });
        return folder;
    }

    private static double Value(EvaluationReport report, string name) => report.Figures.Single(figure => figure.Name == name).Value;

    private static TaskMixture Mixtures(int seed) => new(FixtureFolder.World, seed);

    private static string Key(InstructionSample sample) => string.Join('/', sample.Messages.SkipLast(1).SelectMany(message => message.Parts).OfType<WordsPart>().Select(part => part.Text));

    private static string Key(GenerationRequest request) => string.Join('/', request.Messages.SelectMany(message => message.Parts).OfType<TextPart>().Select(part => part.Text));

    private static Medium[] Media(IReadOnlySet<MediaKind> kinds) => [.. kinds.Order().Select(kind => Mixture.Studio.Make(kind switch
    {
        MediaKind.Image => Plain("flat/cat"),
        MediaKind.Audio => new SoundRecipe([FixtureFolder.World.Of(WorldKind.Sound).First()]),
        _ => new ClipRecipe(Row("flat/cat"), Motion.All[0], false, 40, 0, Backdrop.White),
    }))];

    private static WorldRow Row(string id) => FixtureFolder.World.Rows.FirstOrDefault(row => row.Id == id) ?? FixtureFolder.World.Of(WorldKind.Picture).First(row => row.IsForTraining);

    private static PictureRecipe Plain(string id) => new([new PicturePiece(Row(id))], Backdrop.White);

    private static (string, Medium[]) Always(GenerationRequest request) => ScriptedModel.Question(request) switch
    {
        var asked when asked.Contains("soun", StringComparison.OrdinalIgnoreCase) || asked.Contains("hear", StringComparison.OrdinalIgnoreCase) => ("A thing.", Media(new HashSet<MediaKind> { MediaKind.Audio })),
        _ => ("A thing is spinning.", Media(Enum.GetValues<MediaKind>().ToHashSet())),
    };

    /// <summary>Looks up what is asked for, or what is shown, in the world itself.</summary>
    private static (string, Medium[]) Perfect(GenerationRequest request)
    {
        var asked = ScriptedModel.Question(request);
        var world = FixtureFolder.World;
        if (request.Messages[^1].Parts.OfType<MediaPart>().FirstOrDefault() is { } shown)
        {
            return (Name(shown.Medium), []);
        }

        var pictures = world.Of(WorldKind.Picture).Where(row => row.Split is "train" or "test_pair").ToList();
        if (Films.Value.Where(film => asked.Contains(film.Said, StringComparison.Ordinal)).OrderByDescending(film => film.Said.Length).FirstOrDefault() is { Recipe: { } wanted })
        {
            return ("Watch.", [Mixture.Studio.Make(wanted with { Backdrop = Backdrop.White, Size = 40 })]);
        }

        if (pictures.FirstOrDefault(row => asked.Contains(PictureRules.Styled(Mixture.Pool, row)!.Said, StringComparison.Ordinal)) is { } drawn)
        {
            return ("Here.", [Mixture.Studio.Make(new PictureRecipe([new PicturePiece(drawn)], Backdrop.White))]);
        }

        return world.Of(WorldKind.Sound).FirstOrDefault(row => asked.Contains(row.Caption, StringComparison.Ordinal)) is { } heard
            ? ("Listen.", [Mixture.Studio.Make(new SoundRecipe([heard]))]) : ("I do not know.", []);
    }

    private static string Name(Medium medium)
    {
        var world = FixtureFolder.World;
        switch (medium)
        {
            case Picture picture:
                return $"{world.Of(WorldKind.Picture).First(row => Same((Picture)Mixture.Studio.Make(Plain(row.Id)), picture)).Caption}.";
            case AudioClip sound:
                return $"{world.Of(WorldKind.Sound).First(row => ((AudioClip)Mixture.Studio.Make(new SoundRecipe([row]))).Channels[0].SequenceEqual(sound.Channels[0])).Caption}.";
            case VideoClip clip:
                return Clips.Value[Hash(clip)];
            default:
                return string.Empty;
        }
    }

    private static string Hash(VideoClip clip) => Convert.ToHexString(SHA256.HashData([.. clip.Frames.SelectMany(frame => frame.Pixels)]));

    private static bool Same(Picture one, Picture other) => one.Pixels.AsSpan().SequenceEqual(other.Pixels);
}
