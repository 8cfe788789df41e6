using NextGpt.Media;
using NextGpt.Model.Packages;
using NextGpt.Tuning.Tests.Alignment;

namespace NextGpt.Tuning.Tests;

/// <summary>The commands, as a person gives them one after the other.</summary>
public sealed class AlignmentStagesTests : IDisposable
{
    private readonly TinyStage _stage = new();

    [Fact]
    public void The_commands_of_the_three_stages_and_of_the_package_follow_each_other()
    {
        string[] media = ["--encoder", _stage.Package.At("encoder"), "--picture-decoder", _stage.Package.At("image"), "--sound-decoder", _stage.Package.At("audio")];
        string[] common =
        [
            "--world", FixtureFolder.Path, "--model", _stage.Package.At("language"), "--steps", "1", "--batch", "2", "--max-tokens", "400",
            "--rank", "2", "--projection-width", "16", "--projection-layers", "1", "--cache", _stage.At("cache"),
        ];

        Assert.Equal(0, Run(["align-input", .. media, .. common, "--out", _stage.At("one")]).Code);
        Assert.Equal(0, Run(["align-output", .. media, .. common, "--from", _stage.At("one"), "--out", _stage.At("two")]).Code);
        Assert.Equal(0, Run(["instruct", .. media, .. common, "--from", _stage.At("two"), "--out", _stage.At("three")]).Code);
        var resumed = Run(["instruct", .. media, .. common, "--from", _stage.At("two"), "--out", _stage.At("three"), "--resume"]);
        var packed = Run(["package", .. media, "--model", _stage.Package.At("language"), "--from", _stage.At("three"), "--out", _stage.At("package"), "--id", "tiny"]);

        Assert.Equal(0, resumed.Code);
        Assert.Contains("Resumed at step 1.", resumed.Said, StringComparison.Ordinal);
        Assert.Contains("talk-open", resumed.Said, StringComparison.Ordinal);
        Assert.Equal(0, packed.Code);
        Assert.Contains("tiny reads Image, Audio, Video and makes Image, Audio", packed.Said, StringComparison.Ordinal);
        var manifest = ModelPackage.Open(_stage.At("package")).Manifest;
        Assert.Equal([MediaKind.Image, MediaKind.Audio], manifest.Outputs.Select(output => output.Kind).Order());
        Assert.Equal(
            ["align-input", "align-output", "instruct"],
            manifest.Provenance!.Value.GetProperty("stages").EnumerateArray().Select(stage => stage.GetProperty("stage").GetString()));
    }

    [Fact]
    public void A_picture_decoder_without_its_autoencoder_is_joined_with_the_one_that_is_named()
    {
        var apart = _stage.At("vae");
        Directory.Move(Path.Combine(_stage.Package.At("image"), "vae"), apart);
        string[] arguments =
        [
            "align-output", "--world", FixtureFolder.Path, "--model", _stage.Package.At("language"), "--steps", "1", "--batch", "1", "--max-tokens", "400",
            "--projection-width", "16", "--projection-layers", "1", "--picture-decoder", _stage.Package.At("image"), "--out", _stage.At("joined"),
        ];

        var alone = Run(arguments);
        var joined = Run([.. arguments, "--autoencoder", apart]);

        Assert.Equal(2, alone.Code);
        Assert.Contains("--autoencoder", alone.Said, StringComparison.Ordinal);
        Assert.Equal(0, joined.Code);
    }

    public void Dispose() => _stage.Dispose();

    private static (int Code, string Said) Run(IReadOnlyList<string> arguments)
    {
        using var output = new StringWriter();
        return (TrainVerb.Run(arguments, output, TestContext.Current.CancellationToken), output.ToString());
    }
}
