using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;

namespace NextGpt.Model.Tests.Language;

/// <summary>
/// Measures which defaults the embedded model answers best with: 60 plain questions of our own, an answer counts as right
/// when it holds one of the accepted words. Run by hand (several minutes); the figures stand in EmbeddedModelAnswers.md.
/// </summary>
public sealed class EmbeddedModelAnswersTests(ITestOutputHelper output)
{
    private static readonly (string Name, string System, SamplingOptions Sampling)[] Settings =
    [
        ("none, greedy", "", new() { Temperature = 0 }),
        ("none, greedy, repetition 1.05", "", new() { Temperature = 0, RepetitionPenalty = 1.05 }),
        ("none, greedy, repetition 1.1", "", new() { Temperature = 0, RepetitionPenalty = 1.1 }),
        ("none, temperature 0.3, top-p 0.9", "", new() { Temperature = 0.3, TopP = 0.9 }),
        ("none, temperature 0.7, min-p 0.05", "", new() { Temperature = 0.7, MinP = 0.05 }),
        ("\"Answer in one short sentence.\", greedy", "Answer in one short sentence.", new() { Temperature = 0 }),
        ("\"Answer in one short sentence.\", greedy, repetition 1.1", "Answer in one short sentence.",
            new() { Temperature = 0, RepetitionPenalty = 1.1 }),
        ("\"Answer briefly.\", greedy", "Answer briefly.", new() { Temperature = 0 }),
        ("\"You are a helpful assistant.\", greedy", "You are a helpful assistant.", new() { Temperature = 0 }),
        ("the published template's, greedy",
            "You are a helpful AI assistant named SmolLM, trained by Hugging Face", new() { Temperature = 0 }),
    ];

    [Fact(Explicit = true)]
    public async Task The_defaults_are_those_that_answer_best()
    {
        var questions = File.ReadAllLines(
            Path.Combine(AppContext.BaseDirectory, "Language", "EmbeddedModelQuestions.tsv")).Skip(1)
            .Select(line => line.Split('\t')).ToList();
        var table = new StringBuilder("| system text, sampling | right of 60 | by kind | ended by itself | mean tokens | s |\n|---|---|---|---|---|---|\n");
        foreach (var (name, system, sampling) in Settings)
        {
            await using var services = new ServiceCollection()
                .AddNextGptModel(new ModelOptions { Device = "cpu", SystemText = system }).BuildServiceProvider();
            var thread = services.GetRequiredService<ModelThread>();
            var answers = new List<(string Kind, bool Right, GenerationFinished End)>();
            var watch = Stopwatch.StartNew();
            foreach (var question in questions)
            {
                var (text, end) = await Answer(thread, question[1].Split("||"), sampling);
                var right = Regex.IsMatch(text, $@"\b({question[2]})\b", RegexOptions.IgnoreCase);
                answers.Add((question[0], right, end));
                output.WriteLine($"{name} | {(right ? "right" : "wrong")} | {question[1]} | {text.ReplaceLineEndings(" / ")}");
            }

            var byKind = string.Join(", ", answers.GroupBy(answer => answer.Kind)
                .Select(group => $"{group.Key} {group.Count(answer => answer.Right)}/{group.Count()}"));
            table.AppendLine(CultureInfo.InvariantCulture,
                $"| {name} | {answers.Count(answer => answer.Right)} | {byKind} | "
                + $"{answers.Count(answer => answer.End.Reason == GenerationFinishReason.Stop)} | "
                + $"{answers.Average(answer => answer.End.ReplyTokens):F0} | {watch.Elapsed.TotalSeconds:F0} |");
        }

        output.WriteLine(table.ToString());
        Assert.Equal(60, questions.Count);
    }

    private static async Task<(string Text, GenerationFinished End)> Answer(
        ModelThread thread, string[] turns, SamplingOptions sampling)
    {
        var text = new StringBuilder();
        GenerationFinished? end = null;
        var request = new GenerationRequest
        {
            Messages = [.. turns.Select((turn, i) => PromptMessage.Of(i % 2 == 0 ? PromptRole.User : PromptRole.Assistant, turn))],
            Sampling = sampling,
            MaxTokens = 96,
            Seed = 1,
        };
        await foreach (var generationEvent in thread.GenerateAsync(request))
        {
            text.Append((generationEvent as TextGenerated)?.Text);
            end = generationEvent as GenerationFinished ?? end;
        }

        return (text.ToString(), end ?? throw new InvalidOperationException("A reply without an end."));
    }
}
