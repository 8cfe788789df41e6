using Microsoft.Extensions.Time.Testing;
using NextGpt.Model;
using NextGpt.Model.Packages;
using NextGpt.Model.Weights;
using NextGpt.Tuning.Evaluation;

namespace NextGpt.Tuning.Tests.Evaluation;

/// <summary>The model that comes with the program is as good as it was; a damaged one is found out.</summary>
public sealed class QuickEvaluationTests
{
    private static readonly QuickFigures Stored = QuickFigures.Read(ModelEvaluation.StoredFigures);

    [Fact]
    public async Task The_model_that_comes_with_the_program_is_no_worse_than_its_stored_figures()
    {
        var report = await RunAsync(new EvaluationOptions { Quick = true });

        Assert.Empty(Stored.Compare(report));
        Assert.Equal(["english", "open", "refusal", "talk"], report.Rows.Where(row => row.NotRun is null).Select(row => row.Row).Order());
    }

    [Fact]
    public async Task An_adapter_full_of_noise_fails()
    {
        var folder = Directory.CreateTempSubdirectory("nextgpt-damaged-").FullName;
        try
        {
            WriteDamaged(folder);

            var report = await RunAsync(new EvaluationOptions { Quick = true, Model = new ModelOptions { Path = folder, Device = "cpu" }, Rows = ["english"] });

            var failure = Assert.Single(Stored.Compare(report, ["english"]));
            Assert.Matches(@"^english\.perplexity is [\d.]+, it was [\d.]+ and may be at most [\d.]+\.$", failure);
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    [Theory]
    [InlineData(0.50, false, 0.41, true)]
    [InlineData(0.50, false, 0.39, false)]
    [InlineData(0.50, false, 0.99, true)]
    [InlineData(20.0, true, 20.09, true)]
    [InlineData(20.0, true, 20.11, false)]
    [InlineData(20.0, true, double.NaN, false)]
    public void A_figure_may_fall_behind_by_its_margin_and_no_further(double stored, bool lowerIsBetter, double now, bool passes)
    {
        var figures = Holding(new QuickFigure(stored, 0.1, lowerIsBetter));

        Assert.Equal(passes, figures.Compare(Measuring(now)).Count == 0);
    }

    [Fact]
    public void A_stored_figure_that_was_not_measured_fails()
    {
        var failure = Assert.Single(Holding(new QuickFigure(0.5, 0.1, false)).Compare(Measuring(0.5) with { Rows = [] }));

        Assert.Contains("talk.right was not measured", failure, StringComparison.Ordinal);
    }

    private static async Task<EvaluationReport> RunAsync(EvaluationOptions options) =>
        await new ModelEvaluation(options, TextWriter.Null, new FakeTimeProvider()).RunAsync(TestContext.Current.CancellationToken);

    /// <summary>The embedded language model with a correction of noise on one layer in three.</summary>
    private static void WriteDamaged(string folder)
    {
        var language = Directory.EnumerateFiles(Path.GetDirectoryName(ModelEvaluation.StoredFigures)!, "*.gguf").Single();
        File.Copy(language, Path.Combine(folder, "language.gguf"));
        var adapter = Directory.CreateDirectory(Path.Combine(folder, "adapter")).FullName;
        File.WriteAllText(Path.Combine(adapter, "adapter_config.json"), """{ "peft_type": "LORA", "r": 4, "lora_alpha": 4, "target_modules": ["o_proj"], "bias": "none", "task_type": "CAUSAL_LM" }""");
        var random = new Random(3);
        float[] Noise(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() - 0.5) * 1.5f)];
        var writer = new SafetensorsWriter();
        for (var layer = 0; layer < 30; layer += 3)
        {
            var name = $"base_model.model.model.layers.{layer}.self_attn.o_proj";
            writer.Add($"{name}.lora_A.weight", [4, 576], Noise(4 * 576));
            writer.Add($"{name}.lora_B.weight", [576, 4], Noise(576 * 4));
        }

        writer.Save(Path.Combine(adapter, "adapter_model.safetensors"));
        ModelPackage.Save(folder, new PackageManifest { Id = "damaged", Language = new LanguagePart { Path = "language.gguf", Adapter = "adapter" } });
    }

    private static QuickFigures Holding(QuickFigure figure) => new()
    {
        ModelId = "m",
        PackageHash = "h",
        Commit = "c",
        At = DateTimeOffset.UnixEpoch,
        Figures = new Dictionary<string, QuickFigure> { ["talk.right"] = figure },
    };

    private static EvaluationReport Measuring(double value) => new()
    {
        ModelId = "m",
        PackageHash = "h",
        Commit = "c",
        At = DateTimeOffset.UnixEpoch,
        Seed = 1,
        Rows = [new RowResult { Row = "talk", Title = "Talk", Figures = [new Figure { Name = "talk.right", What = "w", Value = value, Count = 1 }] }],
    };
}
