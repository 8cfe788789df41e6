using System.Text.Json;
using System.Text.Json.Nodes;
using NextGpt.Media;
using NextGpt.Model.Packages;

namespace NextGpt.Model.Tests.Packages;

public sealed class ModelPackageTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("package-").FullName;

    [Fact]
    public void What_is_saved_is_read_again_with_every_entry()
    {
        var manifest = Whole();

        var saved = ModelPackage.Save(_folder, manifest);
        var opened = ModelPackage.Open(_folder);

        Assert.Equal(saved.Manifest.Files, opened.Manifest.Files);
        Assert.Equal(11, opened.Manifest.Files.Count);
        Assert.Equal(File.ReadAllText(PathOf("nextgpt.json")), Json(saved.Manifest) + "\n");
        Assert.Equal(manifest.Tokens!.Signals[MediaKind.Video], opened.Manifest.Tokens!.Signals[MediaKind.Video]);
        Assert.Equal(manifest.Language.Sampling, opened.Manifest.Language.Sampling);
        Assert.Equal(manifest.Outputs, opened.Manifest.Outputs);
        Assert.Equal(7, opened.Manifest.Figures!.Value.GetProperty("shown").GetInt32());
        Assert.Empty(opened.Verify(cancellationToken: TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("../outside")]
    [InlineData("/etc/passwd")]
    [InlineData("a/../../b")]
    [InlineData("a//b")]
    [InlineData("./a")]
    [InlineData("a\\b")]
    [InlineData("C:/a")]
    [InlineData("")]
    public void A_path_that_could_lead_out_of_the_package_is_refused(string path)
    {
        var manifest = Whole() with { Language = new LanguagePart { Path = path } };

        var refused = Assert.Throws<InvalidDataException>(() => ModelPackage.Save(_folder, manifest));

        Assert.Contains("language.path", refused.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(PathOf("nextgpt.json")));
    }

    [Fact]
    public void A_link_that_leads_out_of_the_package_is_refused_and_one_inside_it_is_not()
    {
        Whole();
        File.Delete(PathOf("language/model.gguf"));
        File.CreateSymbolicLink(PathOf("language/model.gguf"), PathOf("projections/input.safetensors"));
        ModelPackage.Save(_folder, Whole(write: false));
        File.Delete(PathOf("language/model.gguf"));
        var outside = Directory.CreateTempSubdirectory("outside-").FullName;
        File.WriteAllText(Path.Combine(outside, "model.gguf"), "input weights");
        File.CreateSymbolicLink(PathOf("language/model.gguf"), Path.Combine(outside, "model.gguf"));

        var refused = Assert.Throws<InvalidDataException>(() => ModelPackage.Open(_folder));

        Assert.Contains("leads out of the package", refused.Message, StringComparison.Ordinal);
        Directory.Delete(outside, recursive: true);
    }

    [Fact]
    public void A_missing_a_shortened_and_an_unlisted_file_are_said_by_name()
    {
        ModelPackage.Save(_folder, Whole());

        File.WriteAllText(PathOf("image/unet/model.safetensors.index.json"), "{}");
        Assert.Contains("index.json is not listed", Refusal(), StringComparison.Ordinal);
        File.Delete(PathOf("image/unet/model.safetensors.index.json"));

        File.WriteAllText(PathOf("projections/image.safetensors"), "x");
        Assert.Contains("projections/image.safetensors has 1 bytes", Refusal(), StringComparison.Ordinal);

        File.Delete(PathOf("projections/image.safetensors"));
        Assert.Contains("projections/image.safetensors is missing", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_changed_byte_is_found_when_the_hashes_are_compared()
    {
        var package = ModelPackage.Save(_folder, Whole());
        var bytes = File.ReadAllBytes(PathOf("image/unet/weights.safetensors"));
        bytes[0] ^= 1;
        File.WriteAllBytes(PathOf("image/unet/weights.safetensors"), bytes);

        var problem = Assert.Single(package.Verify(cancellationToken: TestContext.Current.CancellationToken));

        Assert.Contains("image/unet/weights.safetensors is damaged", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"format": 2}""", "format")]
    [InlineData("""{"id": "a b", "language": {"path": "l"}}""", "id is 'a b'")]
    [InlineData("""{"id": "a", "language": {"path": "l"}, "surprise": 1}""", "surprise")]
    [InlineData("""{"id": "a", "language": {}}""", "path")]
    [InlineData("""{"id": "a", "id": "b", "language": {"path": "l"}}""", "id")]
    [InlineData("""{"id": "a", "language": null}""", "language")]
    [InlineData("""{"id": "a", "language": {"path": "l", "template": "alpaca"}}""", "chatml")]
    [InlineData("""{"id": "a", "language": {"path": "l", "sampling": {"temperature": 9}}}""", "temperature is 9")]
    [InlineData("""{"id": "a", "language": {"path": "l"}, "outputs": [{"kind": "image", "decoder": "d", "projection": "p"}]}""", "tokens is missing")]
    [InlineData("""{"id": "a", "language": {"path": "l"}, "outputs": [{"kind": "smell", "decoder": "d", "projection": "p"}]}""", "kind")]
    [InlineData("""{"id": "a", "language": {"path": "l"}, "tokens": {"added": ["[A]", "[A]"]}}""", "2 times")]
    [InlineData("""{"id": "a", "language": {"path": "l"}, "tokens": {"added": ["[A]"], "signals": {"image": ["[B]"]}}}""", "signal of image")]
    [InlineData("""{"id": "a", "language": {"path": "l"}, "tokens": {"added": ["[A]"], "mediaStart": "[A]", "signals": {"image": ["[A]"]}}}""", "2 meanings")]
    [InlineData("""{"id": "a", "language": {"path": "l"}, "tokens": {"added": []}, "input": {"encoder": "e", "projection": "p", "mediaTokens": 8}}""", "pooled")]
    [InlineData("""nonsense""", "not a manifest")]
    public void A_broken_manifest_is_refused_with_what_is_wrong(string json, string expected)
    {
        File.WriteAllText(PathOf("nextgpt.json"), json);

        var refused = Assert.Throws<InvalidDataException>(() => ModelPackage.ReadManifest(_folder));

        Assert.Contains(expected, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_conventions_of_both_generations_have_the_published_numbers()
    {
        Assert.Equal(38, TokenPart.V0.Added.Count);
        Assert.Equal(36, TokenPart.V2.Added.Count);
        Assert.Equal("[IMG0]", TokenPart.V0.Added[2]);
        Assert.Equal("[AUD7]", TokenPart.V0.Added[37]);
        Assert.Equal("<audio_07>", TokenPart.V2.Added[35]);
        foreach (var tokens in new[] { TokenPart.V0, TokenPart.V2 })
        {
            Assert.Equal(4, tokens.Signals[MediaKind.Image].Count);
            Assert.Equal(24, tokens.Signals[MediaKind.Video].Count);
            Assert.Equal(8, tokens.Signals[MediaKind.Audio].Count);
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static string Json(PackageManifest manifest) =>
        System.Text.Encoding.UTF8.GetString(PackageManifestFile.Write(manifest)).TrimEnd('\n');

    private string Refusal() => Assert.Throws<InvalidDataException>(() => ModelPackage.Open(_folder)).Message;

    private string PathOf(string path) => Path.Combine(_folder, path);

    private PackageManifest Whole(bool write = true)
    {
        string[] files =
        [
            "language/model.gguf", "language/tokens.safetensors", "adapter/adapter_config.json", "encoder/config.json",
            "projections/input.safetensors", "projections/image.safetensors", "projections/video.safetensors",
            "image/unet/weights.safetensors", "image/model_index.json", "video/model_index.json", "README.md",
        ];
        foreach (var file in files.Where(_ => write))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(PathOf(file))!);
            File.WriteAllText(PathOf(file), $"the bytes of {file}");
        }

        return new PackageManifest
        {
            Id = "tiny-0.1",
            Language = new LanguagePart
            {
                Path = "language/model.gguf",
                Adapter = "adapter",
                Template = "vicuna-v0",
                ContextTokens = 512,
                Sampling = new SamplingOptions { Temperature = 0.4, TopP = 1 },
            },
            Tokens = TokenPart.V0 with { Rows = "language/tokens.safetensors" },
            Input = new InputPart { Encoder = "encoder", Projection = "projections/input.safetensors" },
            Outputs =
            [
                new OutputPart { Kind = MediaKind.Image, Decoder = "image", Projection = "projections/image.safetensors", Width = 64, Height = 64 },
                new OutputPart { Kind = MediaKind.Video, Decoder = "video", Projection = "projections/video.safetensors", Frames = 16 },
            ],
            Licences = [new PackageLicence(["image", "video"], "Apache-2.0", "own")],
            Figures = JsonSerializer.SerializeToElement(new JsonObject { ["shown"] = 7 }),
        };
    }
}
