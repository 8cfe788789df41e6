using NextGpt.Model.Language;
using NextGpt.Model.Lora;
using NextGpt.Model.Tests.Language;
using NextGpt.Model.Weights;
using static TorchSharp.torch;

namespace NextGpt.Model.Tests.Lora;

/// <summary>Numbers are those of peft on transformers in float32 (<c>Goldens/llama_lora*/fixture.json</c>).</summary>
public sealed class LoraAdapterTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("adapter-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void An_adapter_on_all_layers_unmerged_merged_and_taken_off_gives_the_reference_s_logits()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var golden = GoldenFixture.Open("llama_lora");
        using var model = LlamaModelTests.Loaded(golden);
        using var adapter = LoraAdapter.Load(golden.Folder, model);
        var before = Weights(model);

        golden.AssertClose("out.base_logits", Logits(model, golden));
        adapter.Attach(model);
        using (golden.Watch(model, "model."))
        {
            golden.AssertClose("out.logits", Logits(model, golden));
        }

        LoraAdapter.Merge(model);
        golden.AssertClose("out.merged_logits", Logits(model, golden));
        foreach (var name in golden.Io.Tensors.Keys.Where(name => name.StartsWith("out.merged_weight.", StringComparison.Ordinal)))
        {
            golden.AssertClose(name, model.state_dict()[name["out.merged_weight.".Length..]]);
        }

        LoraAdapter.Unmerge(model);
        golden.AssertClose("out.logits", Logits(model, golden));
        LoraAdapter.Detach(model);
        golden.AssertClose("out.base_logits", Logits(model, golden));
        Assert.Equal(before, Weights(model));
    }

    [Fact]
    public void Intermediates_agree_when_layers_are_applied_one_by_one()
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenFixture.Open("llama_lora");
        using var model = LlamaModelTests.Loaded(golden);
        using var adapter = LoraAdapter.Load(golden.Folder, model);
        adapter.Attach(model);
        foreach (var parameter in model.parameters())
        {
            parameter.requires_grad = true;
        }

        using var watch = golden.Watch(model, "model.");
        golden.AssertClose("out.logits", Logits(model, golden));
        golden.AssertRecordedClose();
    }

    [Fact]
    public void A_rank_stabilised_adapter_on_two_kinds_of_layers_gives_the_reference_s_logits()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var golden = GoldenFixture.Open("llama_lora_qv");
        using var model = LlamaModelTests.Loaded(golden);
        using var adapter = LoraAdapter.Load(golden.Folder, model);
        adapter.Attach(model);

        golden.AssertClose("out.logits", Logits(model, golden));
        Assert.Equal(["q_proj", "v_proj"], adapter.Settings.TargetModules);
        Assert.Equal(8, adapter.NamedParameters.Count());
    }

    [Fact]
    public void What_is_saved_loads_again_bit_for_bit_and_reads_as_peft_s_files()
    {
        using var golden = GoldenFixture.Open("llama_lora");
        using var model = LlamaModelTests.Loaded(golden);
        using var adapter = LoraAdapter.Load(golden.Folder, model);
        var saved = Path.Combine(_folder, "saved");
        adapter.Save(saved);
        using var again = LoraAdapter.Load(saved, model);
        using var mine = SafetensorsFile.Open(Path.Combine(saved, "adapter_model.safetensors"));
        using var theirs = SafetensorsFile.Open(golden.PathOf("adapter_model.safetensors"));

        Assert.Equal(theirs.Tensors.Keys.Order(), mine.Tensors.Keys.Order());
        Assert.Equal(adapter.Settings with { TargetModules = [] }, again.Settings with { TargetModules = [] });
        Assert.Equal(adapter.Settings.TargetModules.Order(), again.Settings.TargetModules);
        foreach (var ((name, was), (_, now)) in adapter.NamedParameters.Zip(again.NamedParameters))
        {
            Assert.True(Same(was, now), name);
        }

        Assert.Contains("exists", Assert.Throws<IOException>(() => adapter.Save(saved)).Message);
        Assert.Equal(["saved"], Directory.GetFileSystemEntries(_folder).Select(Path.GetFileName));
    }

    [Fact]
    public void Peft_s_adapter_name_in_the_tensor_names_makes_no_difference()
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenFixture.Open("llama_lora_qv");
        using var model = LlamaModelTests.Loaded(golden);
        Rewrite(golden, name => name.Replace(".weight", ".default.weight", StringComparison.Ordinal));
        using var adapter = LoraAdapter.Load(_folder, model);
        adapter.Attach(model);

        golden.AssertClose("out.logits", Logits(model, golden));
    }

    [Fact]
    public void A_new_adapter_changes_nothing_and_the_same_seed_makes_the_same_one()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var golden = GoldenFixture.Open("llama_lora");
        using var model = LlamaModelTests.Loaded(golden);
        var settings = new LoraSettings { Rank = 4, Alpha = 8, TargetModules = ["q_proj", "down_proj"] };
        using var one = LoraAdapter.Create(model, settings, seed: 7);
        using var two = LoraAdapter.Create(model, settings, seed: 7);
        using var three = LoraAdapter.Create(model, settings, seed: 8);
        one.Attach(model);

        golden.AssertClose("out.base_logits", Logits(model, golden));
        Assert.Equal(8, one.NamedParameters.Count());
        Assert.All(one.NamedParameters, named => Assert.True(named.Parameter.requires_grad));
        Assert.All(one.NamedParameters.Zip(two.NamedParameters), pair =>
            Assert.True(Same(pair.First.Parameter, pair.Second.Parameter)));
        Assert.False(Same(one.NamedParameters.First().Parameter, three.NamedParameters.First().Parameter));
        var down = one.NamedParameters.First(named => named.Name.EndsWith("q_proj.lora_A.weight", StringComparison.Ordinal)).Parameter;
        Assert.InRange(down.abs().max().item<float>(), 0.1f, 0.125f);   // uniform up to 1 / sqrt(64)
    }

    [Fact]
    public void Another_adapter_replaces_the_first_one_entirely()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var golden = GoldenFixture.Open("llama_lora");
        using var model = LlamaModelTests.Loaded(golden);
        using var first = LoraAdapter.Load(golden.Folder, model);
        using var second = LoraAdapter.Create(model, new LoraSettings { Rank = 1, Alpha = 1, TargetModules = ["v_proj"] }, 1);
        first.Attach(model);
        LoraAdapter.Merge(model);
        second.Attach(model);

        golden.AssertClose("out.base_logits", Logits(model, golden));
    }

    [Fact]
    public void Dropout_acts_only_while_training()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var golden = GoldenFixture.Open("llama_lora");
        using var model = LlamaModelTests.Loaded(golden);
        Directory.CreateDirectory(Path.Combine(_folder, "d"));
        File.Copy(golden.PathOf("adapter_model.safetensors"), Path.Combine(_folder, "adapter_model.safetensors"));
        File.WriteAllText(
            Path.Combine(_folder, "adapter_config.json"),
            File.ReadAllText(golden.PathOf("adapter_config.json")).Replace("\"lora_dropout\": 0.0", "\"lora_dropout\": 0.5", StringComparison.Ordinal));
        using var adapter = LoraAdapter.Load(_folder, model);
        adapter.Attach(model);

        model.eval();
        var calm = Logits(model, golden);
        golden.AssertClose("out.logits", calm);
        model.train();
        Assert.True((Logits(model, golden) - calm).abs().max().item<float>() > 0.01f);
    }

    [Theory]
    [InlineData("\"use_dora\": false", "\"use_dora\": true", "use_dora is set")]
    [InlineData("\"bias\": \"none\"", "\"bias\": \"all\"", "bias is all")]
    [InlineData("\"modules_to_save\": null", "\"modules_to_save\": [\"lm_head\"]", "modules_to_save is set")]
    [InlineData("\"rank_pattern\": {}", "\"rank_pattern\": {\"q_proj\": 8}", "rank_pattern is set")]
    [InlineData("\"peft_type\": \"LORA\"", "\"peft_type\": \"IA3\"", "peft_type is IA3")]
    [InlineData("\"r\": 4", "\"r\": 0", "r is 0")]
    [InlineData("\"r\": 4", "\"r\": 5", "[5, 48] was expected")]
    [InlineData("\"lora_alpha\": 8", "\"lora_alpha\": -8", "lora_alpha is -8")]
    [InlineData("\"lora_alpha\": 8", "\"lora_alpha\": \"8\"", "not the config")]
    [InlineData("\"lora_dropout\": 0.0", "\"lora_dropout\": 1.0", "lora_dropout is 1")]
    [InlineData("\"q_proj\",", "", "target_modules does not name")]
    [InlineData("\"q_proj\",", "\"q_proj\", \"o_proj\",", "2 corrections are missing")]
    public void A_config_that_means_something_else_is_refused(string was, string becomes, string problem)
    {
        using var golden = GoldenFixture.Open("llama_lora_qv");
        using var model = LlamaModelTests.Loaded(golden);
        Rewrite(golden, name => name);
        var config = Path.Combine(_folder, "adapter_config.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace(was, becomes, StringComparison.Ordinal));

        Assert.Contains(problem, Assert.Throws<InvalidDataException>(() => LoraAdapter.Load(_folder, model)).Message);
    }

    [Theory]
    [InlineData("base_model.model.", "", "is unexpected")]
    [InlineData("layers.1", "layers.2", "which the network does not have")]
    [InlineData("layers.1.self_attn.v_proj.lora_A", "layers.1.self_attn.v_proj.lora_C", "is unexpected")]
    public void Corrections_that_do_not_fit_the_network_are_refused(string was, string becomes, string problem)
    {
        using var golden = GoldenFixture.Open("llama_lora_qv");
        using var model = LlamaModelTests.Loaded(golden);
        Rewrite(golden, name => name.Replace(was, becomes, StringComparison.Ordinal));

        Assert.Contains(problem, Assert.Throws<InvalidDataException>(() => LoraAdapter.Load(_folder, model)).Message);
    }

    [Fact]
    public void Half_a_correction_is_refused()
    {
        using var golden = GoldenFixture.Open("llama_lora_qv");
        using var model = LlamaModelTests.Loaded(golden);
        Rewrite(golden, name => name, leaveOut: "base_model.model.model.layers.1.self_attn.v_proj.lora_B.weight");

        Assert.Contains("lacks lora_B", Assert.Throws<InvalidDataException>(() => LoraAdapter.Load(_folder, model)).Message);
    }

    [Fact]
    public void A_pattern_as_target_means_the_layers_of_the_file()
    {
        using var golden = GoldenFixture.Open("llama_lora_qv");
        using var model = LlamaModelTests.Loaded(golden);
        Rewrite(golden, name => name);
        var config = Path.Combine(_folder, "adapter_config.json");
        var text = File.ReadAllText(config);
        var start = text.IndexOf('[', text.IndexOf("target_modules", StringComparison.Ordinal));
        File.WriteAllText(config, text[..start] + "\".*(q|v)_proj\"" + text[(text.IndexOf(']', start) + 1)..]);

        using var adapter = LoraAdapter.Load(_folder, model);

        Assert.Equal(["q_proj", "v_proj"], adapter.Settings.TargetModules);
    }

    private static bool Same(Tensor one, Tensor other) =>
        one.shape.SequenceEqual(other.shape) && one.data<float>().ToArray().AsSpan().SequenceEqual(other.data<float>().ToArray());

    private static Tensor Logits(LlamaModel model, GoldenFixture golden) =>
        model.Head(model.call(model.Embed(golden.Tensor("in.input_ids")), null, null));

    private static float[] Weights(LlamaModel model) =>
        [.. model.parameters().SelectMany(parameter => parameter.data<float>().ToArray())];

    private void Rewrite(GoldenFixture golden, Func<string, string> rename, string? leaveOut = null)
    {
        using var file = SafetensorsFile.Open(golden.PathOf("adapter_model.safetensors"));
        var writer = new SafetensorsWriter();
        foreach (var (name, info) in file.Tensors.Where(pair => pair.Key != leaveOut))
        {
            var values = new float[info.Count];
            file.Read(name, values);
            writer.Add(rename(name), info.Shape, values);
        }

        writer.Save(Path.Combine(_folder, "adapter_model.safetensors"));
        File.Copy(golden.PathOf("adapter_config.json"), Path.Combine(_folder, "adapter_config.json"));
    }
}
