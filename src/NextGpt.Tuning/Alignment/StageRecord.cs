using System.Text.Json;
using System.Text.Json.Nodes;
using NextGpt.Tuning.Optimisation;

namespace NextGpt.Tuning.Alignment;

/// <summary>Keeps in a stage's folder how it and the stages before it were trained; a package carries it as its provenance.</summary>
internal static class StageRecord
{
    internal const string FileName = "stages.json";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n" };

    /// <summary>Adds a stage to those of the folder that it began from.</summary>
    /// <param name="folder">The stage's own folder.</param>
    /// <param name="from">The earlier stage's folder, or null.</param>
    /// <param name="stage">What was trained.</param>
    /// <param name="schedule">How.</param>
    internal static void Write(string folder, string? from, AlignmentStage stage, TrainingSchedule schedule)
    {
        var earlier = from is null ? null : Path.Combine(from, FileName);
        var stages = earlier is not null && File.Exists(earlier) && JsonNode.Parse(File.ReadAllBytes(earlier)) is JsonArray known ? known : [];
        stages.Add(new JsonObject
        {
            ["stage"] = stage.Name,
            ["batch"] = schedule.BatchSize,
            ["learningRate"] = schedule.LearningRate,
            ["steps"] = schedule.TotalSteps,
            ["minutes"] = schedule.Budget?.TotalMinutes,
            ["warmUpSteps"] = schedule.WarmUpSteps,
            ["seed"] = schedule.Seed,
            ["textWeight"] = stage.TextWeight,
            ["captionWeight"] = stage.CaptionWeight,
            ["adapterRank"] = stage.Adapter?.Rank,
        });
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, FileName), stages.ToJsonString(Indented) + "\n");
    }
}
