using NextGpt.Media;
using NextGpt.Model;
using NextGpt.Model.Packages;
using NextGpt.Tuning.Alignment;
using NextGpt.Tuning.Tasks;

namespace NextGpt.Tuning.Tests.Alignment;

/// <summary>From training to an answer with media, through the files a person would have.</summary>
public sealed class PackageAssemblyTests : IDisposable
{
    private readonly TinyStage _stage = new();

    [Fact]
    public async Task What_the_three_stages_made_becomes_a_package_that_answers_with_every_medium()
    {
        _stage.Train("one", AlignmentStage.EncodingSide, 2);
        _stage.Train("two", AlignmentStage.DecodingSide, 2, from: "one");
        _stage.Train("three", TinyStage.Instruction, 2, from: "two");
        var package = Assemble("three", "package", Enum.GetValues<MediaKind>());

        Assert.Empty(package.Verify(cancellationToken: TestContext.Current.CancellationToken));
        Assert.Equal(Enum.GetValues<MediaKind>().Order(), package.Manifest.Outputs.Select(output => output.Kind));
        var card = File.ReadAllText(Path.Combine(package.Folder, "README.md"));
        Assert.Contains("CC-BY-SA-4.0", card, StringComparison.Ordinal);
        using var model = ModelThread.Of(new ModelOptions { Path = package.Folder, Device = "cpu", Threads = 1 });
        Assert.Equal(3, model.Abilities.Makes.Count);
        Assert.Equal(3, model.Abilities.Reads.Count);
        foreach (var kind in Enum.GetValues<MediaKind>())
        {
            Assert.Equal([kind], (await Asked(model, kind)).Select(medium => medium.Kind));
        }
    }

    [Fact]
    public async Task A_package_of_pictures_alone_says_that_it_makes_nothing_else()
    {
        _stage.Train("all", TinyStage.Instruction, 1);
        var package = Assemble("all", "pictures", [MediaKind.Image], encoder: false);

        Assert.Null(package.Manifest.Input);
        using var model = ModelThread.Of(new ModelOptions { Path = package.Folder, Device = "cpu", Threads = 1 });
        Assert.Equal([MediaKind.Image], model.Abilities.Makes);
        Assert.Empty(model.Abilities.Reads);
        Assert.IsType<Picture>(Assert.Single(await Asked(model, MediaKind.Image, show: false)));
        Assert.Contains("read or make sounds", File.ReadAllText(Path.Combine(package.Folder, "README.md")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_with_other_files_is_left_alone_and_so_is_a_run_that_trained_no_signals()
    {
        Directory.CreateDirectory(_stage.At("used"));
        File.WriteAllText(Path.Combine(_stage.At("used"), "letter.txt"), "mine");
        _stage.Train("all", TinyStage.Instruction, 1);

        Assert.Contains("has files already", Assert.Throws<IOException>(() => Assemble("all", "used", [])).Message, StringComparison.Ordinal);
        Assert.Contains("align-output", Assert.Throws<InvalidDataException>(() => Assemble("nowhere", "new", [])).Message, StringComparison.Ordinal);
        Assert.Equal("mine", File.ReadAllText(Path.Combine(_stage.At("used"), "letter.txt")));
    }

    [Fact]
    public void A_part_of_another_model_is_refused_with_both_sizes()
    {
        _stage.Train("all", TinyStage.Instruction, 1);
        File.Copy(
            Path.Combine(_stage.At("all"), AlignmentModel.OutputFile(MediaKind.Audio)), Path.Combine(_stage.At("all"), AlignmentModel.OutputFile(MediaKind.Image)), true);
        using var media = _stage.Media();
        using var language = _stage.Language();

        Assert.Contains("another decoder", Assert.Throws<InvalidDataException>(() => _stage.Model(language, media, TinyStage.Instruction, "all")).Message, StringComparison.Ordinal);
    }

    public void Dispose() => _stage.Dispose();

    private ModelPackage Assemble(string parts, string target, IEnumerable<MediaKind> kinds, bool encoder = true) => PackageAssembly.Write(
        new AssemblyRequest
        {
            Folder = _stage.At(target),
            Parts = _stage.At(parts),
            Id = "tiny",
            Language = _stage.Package.At("language"),
            Encoder = encoder ? _stage.Package.At("encoder") : null,
            Decoders = [.. kinds.Select(kind => _stage.Package.At(kind.ToString().ToLowerInvariant()))],
            Steps = 2,
        },
        TestContext.Current.CancellationToken);

    private static async Task<IReadOnlyList<Medium>> Asked(ModelThread model, MediaKind kind, bool show = true)
    {
        var made = new List<Medium>();
        var request = new GenerationRequest
        {
            Messages =
            [
                new PromptMessage
                {
                    Role = PromptRole.User,
                    Parts = show
                        ? [new MediaPart(Shown()), new TextPart("Make something of this.")]
                        : [new TextPart("Draw a dog.")],
                },
            ],
            Media = new MediaOptions { Required = [kind], AudioSeconds = 0.1, VideoFrames = 2 },
            MaxTokens = 60,
            Seed = 1,
        };
        await foreach (var happened in model.GenerateAsync(request, TestContext.Current.CancellationToken))
        {
            if (happened is MediaGenerated media)
            {
                made.Add(media.Medium);
            }
        }

        return made;
    }

    private static Medium Shown() => TinyStage.Mixture.Studio.Make(
        TinyStage.Mixture.ForTraining(0, "picture to text").Messages[0].Parts.OfType<ShownPart>().Single().Recipe);
}
