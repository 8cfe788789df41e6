using NextGpt.Media;
using NextGpt.Model.Conversion;
using NextGpt.Model.Decoders;
using NextGpt.Model.Encoders;
using NextGpt.Model.Language;
using NextGpt.Model.Lora;
using NextGpt.Model.Packages;
using NextGpt.Model.Projections;
using NextGpt.Model.Weights;
using static TorchSharp.torch;

namespace NextGpt.Model.Tests.Conversion;

/// <summary>CLI-1: from every published layout to a package whose parts load and have the numbers of their sources.</summary>
public sealed class ModelConverterTests : IDisposable
{
    private readonly ConversionBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData(true, true, true, MediaKind.Image)]
    [InlineData(true, false, false, MediaKind.Audio)]
    [InlineData(false, false, true, MediaKind.Video)]
    public void The_delta_of_the_first_generation_becomes_a_package_whose_parts_load(bool stage3, bool named, bool zip, MediaKind kind)
    {
        var delta = _bench.DeltaV0(stage3, named, zip, kind);

        ModelConverter.Convert(_bench.Request([.. _bench.Everything(kind), delta]));

        var package = ModelPackage.Open(_bench.Target);
        Assert.Empty(package.Verify());
        Assert.Empty(PackageShapes.Problems(package));
        Assert.Equal(TokenPart.V0.Added, package.Manifest.Tokens!.Added);
        Assert.Equal("vicuna-v0", package.Manifest.Language.Template);
        Assert.Equal(MediaFeatures.Pooled, package.Manifest.Input!.Features);
        using var source = TorchPickleFile.Open(delta);
        AssertRows(package, source, stage3 ? "llama_model.base_model.model." : "llama_model.", 38);
        AssertInput(package, InputProjection.Linear(16, ConversionBench.Hidden, seed: 5));
        AssertOutput(package, kind);
        Assert.Equal(stage3, AdapterLoads(package, alpha: 4));
        AssertEncoderIsGolden(package);
        using var decoder = DiffusionDecoder.Load(package.PathOf(package.Manifest.Outputs[0].Decoder));
        decoder.LoadNetworks();
        Assert.Equal(kind, decoder.Kind);
        Assert.Equal("Licence-of-encoder", package.Manifest.Licences.Single(licence => licence.Paths.Contains("encoder")).Licence);
    }

    [Fact]
    public void The_files_of_the_second_generation_become_a_package_whose_parts_load()
    {
        ModelConverter.Convert(_bench.Request([.. _bench.Everything(), _bench.FilesV2()]));

        var package = ModelPackage.Open(_bench.Target);
        Assert.Empty(PackageShapes.Problems(package));
        Assert.Equal("vicuna-v1.1", package.Manifest.Language.Template);
        Assert.Equal("▁", package.Manifest.Tokens!.Separator);
        Assert.Equal((InputProjectionKind.Group, 2, MediaFeatures.Patches), (
            package.Manifest.Input!.Kind, package.Manifest.Input.MediaTokens, package.Manifest.Input.Features));
        AssertInput(package, ConversionBench.Group());
        AssertOutput(package, MediaKind.Image);
        Assert.True(AdapterLoads(package, alpha: 8));
        using var rows = SafetensorsFile.Open(package.PathOf(package.Manifest.Tokens.Rows!));
        Assert.Equal([36L, ConversionBench.Hidden], rows.Tensors["lm_head.weight"].Shape);
    }

    [Fact]
    public void A_merged_checkpoint_of_the_second_generation_is_taken_apart()
    {
        var merged = _bench.MergedV2();

        ModelConverter.Convert(_bench.Request(merged, _bench.Decoders.Write(MediaKind.Image)));

        var package = ModelPackage.Open(_bench.Target);
        Assert.Empty(PackageShapes.Problems(package));
        AssertInput(package, ConversionBench.Group());
        AssertOutput(package, MediaKind.Image);
        AssertEncoderIsGolden(package);
        AssertLanguageIsGolden(package);
        Assert.Null(package.Manifest.Tokens!.Rows);
    }

    [Theory]
    [InlineData("zip")]
    [InlineData("old")]
    [InlineData("shards")]
    [InlineData("safetensors")]
    public void A_language_model_of_any_layout_has_its_numbers(string layout)
    {
        var language = layout switch
        {
            "shards" => _bench.AsShards(_bench.Language),
            "safetensors" => _bench.Language,
            _ => _bench.AsTorch(_bench.Language, layout == "zip"),
        };

        ModelConverter.Convert(_bench.Request(language));

        var package = ModelPackage.Open(_bench.Target);
        Assert.Empty(PackageShapes.Problems(package));
        AssertLanguageIsGolden(package);
        Assert.Null(package.Manifest.Tokens);
    }

    [Theory]
    [InlineData(MediaKind.Image, true)]
    [InlineData(MediaKind.Audio, false)]
    [InlineData(MediaKind.Video, true)]
    public void A_diffusers_folder_of_bin_files_has_its_numbers(MediaKind kind, bool zip)
    {
        var original = _bench.Decoders.Write(kind);
        var sources = new[] { _bench.Language, _bench.Encoder(zip), _bench.AsTorch(original, zip), _bench.DeltaV0(kind: kind) };

        ModelConverter.Convert(_bench.Request(sources));

        var package = ModelPackage.Open(_bench.Target);
        Assert.Empty(PackageShapes.Problems(package));
        foreach (var part in new[] { "unet", "vae", "text_encoder", "vocoder" }.Where(part => Directory.Exists(Path.Combine(original, part))))
        {
            using var before = SafetensorsFile.Open(DiffusersWeights.FileIn(Path.Combine(original, part)));
            using var after = SafetensorsFile.Open(DiffusersWeights.FileIn(package.PathOf($"{package.Manifest.Outputs[0].Decoder}/{part}")));
            AssertSame(before, after);
        }
    }

    [Fact]
    public void Rows_that_tuning_changed_are_all_taken_and_those_it_left_alone_are_not()
    {
        ModelConverter.Convert(_bench.Request(_bench.Language, _bench.DeltaV0(baseRows: true)));
        using (var few = SafetensorsFile.Open(Path.Combine(_bench.Target, "nextgpt/token_rows.safetensors")))
        {
            Assert.Equal(38, few.Tensors["embed_tokens.weight"].Shape[0]);
        }

        Directory.Delete(_bench.Target, recursive: true);
        var report = ModelConverter.Convert(_bench.Request(_bench.Language, _bench.DeltaV0(baseRows: false)));
        using var all = SafetensorsFile.Open(Path.Combine(_bench.Target, "nextgpt/token_rows.safetensors"));
        Assert.Equal(ConversionBench.Vocabulary + 38, all.Tensors["embed_tokens.weight"].Shape[0]);
        Assert.Contains(report.Notes, note => note.Contains("All 166 rows", StringComparison.Ordinal));
        Assert.Contains(report.Notes, note => note.Contains("reads no media", StringComparison.Ordinal));
    }

    [Fact]
    public void Terms_that_are_not_stated_are_asked_for_with_what_is_known_and_nothing_is_written()
    {
        var request = _bench.Request([.. _bench.Everything(), _bench.DeltaV0()]) with
        {
            Licences = new Dictionary<string, string> { ["language"] = "LicenseRef-LLaMA" },
        };

        var refusal = Assert.Throws<InvalidDataException>(() => ModelConverter.Convert(request)).Message;

        Assert.Contains("--licence encoder=SPDX. Known: imagebind_huge.pth is published under CC-BY-NC-SA-4.0", refusal, StringComparison.Ordinal);
        Assert.Contains("--licence image=SPDX", refusal, StringComparison.Ordinal);
        Assert.Contains("--licence nextgpt=SPDX", refusal, StringComparison.Ordinal);
        Assert.DoesNotContain("--licence language", refusal, StringComparison.Ordinal);
        AssertNothingIsLeft();
    }

    [Fact]
    public void An_interrupted_conversion_leaves_nothing()
    {
        using var stop = new CancellationTokenSource();
        var seen = 0;
        var progress = new Each(_ =>
        {
            if (++seen == 20)
            {
                stop.Cancel();
            }
        });

        Assert.ThrowsAny<OperationCanceledException>(
            () => ModelConverter.Convert(_bench.Request([.. _bench.Everything(), _bench.DeltaV0()]), progress, stop.Token));

        AssertNothingIsLeft();
    }

    [Fact]
    public void Parts_that_do_not_fit_each_other_are_refused_and_nothing_is_left()
    {
        var other = _bench.NewFolder();
        File.Copy(Path.Combine(ConversionBench.Golden("llama_mha"), "config.json"), Path.Combine(other, "config.json"));
        File.Copy(Path.Combine(ConversionBench.Golden("llama_mha"), "model.safetensors"), Path.Combine(other, "model.safetensors"));

        var refusal = Assert.Throws<InvalidDataException>(
            () => ModelConverter.Convert(_bench.Request(other, _bench.Encoder(zip: true), _bench.DeltaV0()))).Message;

        Assert.Contains("wide", refusal, StringComparison.Ordinal);
        AssertNothingIsLeft();
    }

    [Fact]
    public void A_delta_for_another_vocabulary_says_how_many_rows_were_expected()
    {
        var delta = _bench.NewFolder();
        var writer = new Weights.TorchPickleWriter().Add("llama_proj.bias", [1], 1)
            .Add("llama_model.model.embed_tokens.weight", [170, ConversionBench.Hidden], new float[170 * ConversionBench.Hidden]);
        File.WriteAllBytes(Path.Combine(delta, "pytorch_model.pt"), writer.Zip());

        var refusal = Assert.Throws<InvalidDataException>(() => ModelConverter.Plan(_bench.Request(_bench.Language, delta))).Message;

        Assert.Contains("170 rows; the language model has 128 and 38 tokens are added, so 166 were expected", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void Tensors_that_no_part_of_NExT_GPT_has_are_named()
    {
        var file = Path.Combine(_bench.NewFolder(), "x.pt");
        File.WriteAllBytes(file, new Weights.TorchPickleWriter().Add("llama_proj.bias", [1], 1).Add("surprise.weight", [1], 1).Zip());

        var refusal = Assert.Throws<InvalidDataException>(() => ModelConverter.Plan(_bench.Request(_bench.Language, file))).Message;

        Assert.Contains("1 tensors that are no part of NExT-GPT: surprise.weight", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void A_LoRA_of_the_second_generation_without_its_strength_is_refused_unless_it_is_said()
    {
        var files = _bench.FilesV2(config: false);

        var refusal = Assert.Throws<InvalidDataException>(() => ModelConverter.Plan(_bench.Request(_bench.Language, files))).Message;

        Assert.Contains("--lora-alpha", refusal, StringComparison.Ordinal);
        ModelConverter.Plan(_bench.Request(_bench.Language, files) with { LoraAlpha = 8 });
    }

    [Fact]
    public void What_is_there_already_or_missing_or_twice_is_refused()
    {
        Directory.CreateDirectory(_bench.Target);
        Assert.Contains("exists", Assert.Throws<IOException>(() => ModelConverter.Plan(_bench.Request(_bench.Language))).Message, StringComparison.Ordinal);
        Directory.Delete(_bench.Target);

        Assert.Contains("No source is a language model", Refusal(_bench.Encoder(zip: false)), StringComparison.Ordinal);
        Assert.Contains("a package has one", Refusal(_bench.Language, ConversionBench.Golden("llama_mha")), StringComparison.Ordinal);
        Assert.Contains("none of what is converted", Refusal(_bench.NewFolder()), StringComparison.Ordinal);
        Assert.Contains("There is no file or folder", Assert.Throws<FileNotFoundException>(
            () => ModelConverter.Plan(_bench.Request("/nowhere/at/all"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Verify_lists_what_is_missing_unexpected_misshapen_and_damaged()
    {
        ModelConverter.Convert(_bench.Request([.. _bench.Everything(), _bench.DeltaV0()]));
        var file = Path.Combine(_bench.Target, "language/model.safetensors");
        var writer = new SafetensorsWriter();
        using (var before = SafetensorsFile.Open(file))
        {
            foreach (var (name, info) in before.Tensors.Where(tensor => tensor.Key != "model.norm.weight"))
            {
                writer.Add(name, before.TypeOf(name), name == "lm_head.weight" ? [.. info.Shape.Reverse()] : info.Shape, BytesOf(before, name));
            }

            writer.Add("model.extra", [1], new float[1]);
        }

        writer.Save(file);
        ModelPackage.Save(_bench.Target, ModelPackage.ReadManifest(_bench.Target));
        var package = ModelPackage.Open(_bench.Target);

        var problems = PackageShapes.Problems(package);

        Assert.Contains("language lacks 1 tensor (model.norm.weight).", problems);
        Assert.Contains("language has 1 tensor (model.extra) that its network does not have.", problems);
        Assert.Contains(problems, problem => problem.Contains("lm_head.weight [64, 128] instead of [128, 64]", StringComparison.Ordinal));
        var bytes = File.ReadAllBytes(file);
        bytes[^1] ^= 1;
        File.WriteAllBytes(file, bytes);
        Assert.Contains("damaged", Assert.Single(package.Verify()), StringComparison.Ordinal);
    }

    private static Func<byte[]> BytesOf(SafetensorsFile source, string name)
    {
        var bytes = ConversionBench.BytesOf(source, name);
        return () => bytes;
    }

    private static void AssertSame(SafetensorsFile before, IStoredTensors after)
    {
        Assert.Equal(before.Tensors.Keys.Order(StringComparer.Ordinal), after.Tensors.Keys.Order(StringComparer.Ordinal));
        Assert.All(before.Tensors.Keys, name =>
        {
            Assert.Equal(before.TypeOf(name), after.TypeOf(name));
            Assert.Equal(before.Tensors[name].Shape, after.Tensors[name].Shape);
            Assert.Equal(ConversionBench.BytesOf(before, name), ConversionBench.BytesOf(after, name));
        });
    }

    private static void AssertRows(ModelPackage package, TorchPickleFile source, string prefix, int added)
    {
        using var rows = SafetensorsFile.Open(package.PathOf(package.Manifest.Tokens!.Rows!));
        foreach (var (name, stored) in new[] { ("embed_tokens.weight", "model.embed_tokens.weight"), ("lm_head.weight", "lm_head.weight") })
        {
            Assert.Equal(ConversionBench.ValuesOf(source, prefix + stored)[^(added * ConversionBench.Hidden)..], ConversionBench.ValuesOf(rows, name));
        }
    }

    private static void AssertInput(ModelPackage package, InputProjection expected)
    {
        var input = package.Manifest.Input!;
        using var file = SafetensorsFile.Open(package.PathOf(input.Projection));
        using var loaded = InputProjection.Load(file, input.Kind, input.Heads);
        AssertNetwork(expected, loaded);
    }

    private static void AssertOutput(ModelPackage package, MediaKind kind)
    {
        var output = Assert.Single(package.Manifest.Outputs);
        using var file = SafetensorsFile.Open(package.PathOf(output.Projection));
        using var loaded = OutputProjection.Load(file, output.Heads);
        AssertNetwork(ConversionBench.Projection(kind), loaded);
    }

    private static void AssertNetwork(nn.Module expected, nn.Module loaded)
    {
        using (expected)
        {
            var actual = loaded.state_dict();
            Assert.All(expected.state_dict(), named =>
                Assert.Equal(ConversionBench.Halves(named.Value), ConversionBench.Halves(actual[named.Key])));
        }
    }

    private static bool AdapterLoads(ModelPackage package, double alpha)
    {
        if (package.Manifest.Language.Adapter is not { } path)
        {
            return false;
        }

        using var network = new LlamaModel(LlamaConfigFile.Read(package.PathOf("language")));
        using var adapter = LoraAdapter.Load(package.PathOf(path), network);
        Assert.Equal((4, alpha), (adapter.Settings.Rank, adapter.Settings.Alpha));
        Assert.Equal(16, adapter.NamedParameters.Count());
        var random = new Random(9);
        foreach (var (_, parameter) in adapter.NamedParameters)
        {
            float[] expected = [.. Enumerable.Range(0, (int)parameter.numel()).Select(_ => (float)(Half)((random.NextSingle() - 0.5f) / 8))];
            Assert.Equal(expected, ConversionBench.Halves(parameter));
        }

        return true;
    }

    private static void AssertEncoderIsGolden(ModelPackage package)
    {
        using var golden = GoldenFixture.Open("imagebind_tiny");
        using var network = ImageBind.Load(package.PathOf("encoder"));
        foreach (var (name, tensor) in network.state_dict().Where(named => golden.Model.Tensors.ContainsKey(named.Key)))
        {
            Assert.Equal(ConversionBench.ValuesOf(golden.Model, name), tensor.detach().contiguous().data<float>().ToArray());
        }

        using var stored = SafetensorsFile.Open(package.PathOf("encoder/model.safetensors"));
        Assert.DoesNotContain(stored.Tensors.Keys, name => name.Contains(".depth.", StringComparison.Ordinal));
    }

    private static void AssertLanguageIsGolden(ModelPackage package)
    {
        using var golden = GoldenFixture.Open("llama_untied");
        using var source = SafetensorsFolder.Open(package.PathOf("language"));
        using var network = new LlamaModel(LlamaConfigFile.Read(package.PathOf("language")));
        Assert.Empty(network.Load(source));
        AssertSame(golden.Model, source);
    }

    private string Refusal(params string[] sources) =>
        Assert.Throws<InvalidDataException>(() => ModelConverter.Plan(_bench.Request(sources))).Message;

    private void AssertNothingIsLeft() => Assert.DoesNotContain(
        Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(_bench.Target)!),
        entry => Path.GetFileName(entry).StartsWith("package", StringComparison.Ordinal));

    private sealed class Each(Action<ConversionProgress> act) : IProgress<ConversionProgress>
    {
        public void Report(ConversionProgress value) => act(value);
    }
}
