using System.Text.Json.Nodes;
using NextGpt.Model;
using NextGpt.Model.Language;
using NextGpt.Model.Weights;
using NextGpt.Server.Commands;
using static TorchSharp.torch;

namespace NextGpt.Server.Tests.Commands;

/// <summary>CLI-1: <c>model convert</c>, <c>verify</c> and <c>fit</c> as a person types them.</summary>
public sealed class ModelCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nextgpt-model-").FullName;

    private string Package => Path.Combine(_folder, "package");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task CLI_1_a_language_model_is_converted_verified_and_fitted()
    {
        var source = Language();

        var planned = await RunAsync("model", "convert", source, "--to", Package, "--licence", "language=MIT", "--dry-run");
        var written = Directory.Exists(Package);
        var made = await RunAsync("model", "convert", source, "--to", Package, "--licence", "language=MIT", "--json");
        var whole = await RunAsync("model", "verify", Package);
        var fit = await RunAsync("model", "fit", Package, "--device", "cpu", "--json");
        var small = await RunAsync("model", "fit", Package, "--memory", "0.00001");

        Assert.Equal((ExitCode.Done, false), (planned.Code, written));
        Assert.Contains("would be written", planned.Output, StringComparison.Ordinal);
        Assert.Equal((ExitCode.Done, true), (made.Code, (bool?)JsonNode.Parse(made.Output)?["written"] ?? false));
        Assert.Equal((ExitCode.Done, ""), (whole.Code, whole.Error));
        Assert.Contains("is whole", whole.Output, StringComparison.Ordinal);
        Assert.Equal((ExitCode.Done, "whole"), (fit.Code, (string?)JsonNode.Parse(fit.Output)?["verdict"]));
        Assert.Equal(ExitCode.Failed, small.Code);
        Assert.Contains("It does not fit cuda:0", small.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CLI_1_a_damaged_package_is_exit_code_1_with_a_sentence_for_each_problem()
    {
        await RunAsync("model", "convert", Language(), "--to", Package, "--licence", "language=MIT");
        var weights = Path.Combine(Package, "language", "model.safetensors");
        var bytes = File.ReadAllBytes(weights);
        bytes[^1] ^= 1;
        File.WriteAllBytes(weights, bytes);

        var damaged = await RunAsync("model", "verify", Package);
        var asJson = await RunAsync("model", "verify", Package, "--json");
        File.Delete(weights);
        var missing = await RunAsync("model", "verify", Package);

        Assert.Equal((ExitCode.Failed, ExitCode.Failed, ExitCode.Failed), (damaged.Code, asJson.Code, missing.Code));
        Assert.Contains("language/model.safetensors is damaged", damaged.Output, StringComparison.Ordinal);
        Assert.False((bool?)JsonNode.Parse(asJson.Output)?["ok"]);
        Assert.Contains("language/model.safetensors is missing; fetch it.", missing.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CLI_1_terms_that_are_not_stated_are_asked_for()
    {
        var (_, error, code) = await RunAsync("model", "convert", Language(), "--to", Package);

        Assert.Equal(ExitCode.Failed, code);
        Assert.Contains("--licence language=SPDX. Known: Vicuna v0", error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Package));
    }

    [Theory]
    [InlineData("model")]
    [InlineData("model convert x")]
    [InlineData("model convert --to x")]
    [InlineData("model convert x --to y --licence MIT")]
    [InlineData("model convert x --to y --licence wheels=MIT")]
    [InlineData("model convert x --to y --licence video=MIT video=MIT")]
    [InlineData("model verify")]
    [InlineData("model fit x --memory 0")]
    public async Task CLI_2_what_is_asked_wrongly_is_exit_code_2(string line) =>
        Assert.Equal(ExitCode.Usage, (await RunAsync(line.Split(' '))).Code);

    /// <summary>A folder in Hugging Face layout with one small layer.</summary>
    private string Language()
    {
        TorchRuntime.Load();
        var folder = Directory.CreateDirectory(Path.Combine(_folder, "language")).FullName;
        File.WriteAllText(Path.Combine(folder, "config.json"), """
            {"model_type": "llama", "vocab_size": 16, "hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 1,
             "num_attention_heads": 2, "num_key_value_heads": 2, "rms_norm_eps": 1e-6, "max_position_embeddings": 64}
            """);
        using var network = new LlamaModel(LlamaConfigFile.Read(folder));
        var writer = new SafetensorsWriter();
        using var scope = NewDisposeScope();
        foreach (var (name, tensor) in network.state_dict())
        {
            writer.Add(name, zeros(tensor.shape));
        }

        writer.Save(Path.Combine(folder, "model.safetensors"));
        return folder;
    }

    private static async Task<(string Output, string Error, int Code)> RunAsync(params string[] arguments)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = await CommandLine.RunAsync(arguments, new Surroundings { Input = Stream.Null, Output = output, Error = error });
        return (output.ToString(), error.ToString(), code);
    }
}
