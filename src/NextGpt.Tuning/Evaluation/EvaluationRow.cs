using NextGpt.Tuning.Evaluation.Rows;

namespace NextGpt.Tuning.Evaluation;

/// <summary>What a row found.</summary>
/// <param name="Figures">Its numbers.</param>
/// <param name="Items">What they are made of.</param>
internal sealed record RowFindings(IReadOnlyList<Figure> Figures, IReadOnlyList<EvaluationItem> Items)
{
    /// <summary>What could not be measured and why.</summary>
    internal IReadOnlyList<string> Gaps { get; init; } = [];

    /// <summary>Files that were written, relative to the report.</summary>
    internal IReadOnlyList<string> Sheets { get; init; } = [];
}

/// <summary>A row of the table of evaluations.</summary>
/// <param name="Name">As <c>--rows</c> takes it.</param>
/// <param name="Title">For people.</param>
/// <param name="IsQuick">Whether a quick evaluation has it.</param>
/// <param name="Missing">Why it cannot run, or null.</param>
/// <param name="RunAsync">Measures.</param>
internal sealed record EvaluationRow(
    string Name, string Title, bool IsQuick, Func<EvaluationBench, string?> Missing, Func<EvaluationBench, CancellationToken, Task<RowFindings>> RunAsync)
{
    /// <summary>All rows, in the order of the report.</summary>
    internal static IReadOnlyList<EvaluationRow> All { get; } =
    [
        new("naming-pictures", "Naming a picture", false, PictureNaming.Missing, PictureNaming.RunAsync),
        new("naming-sounds", "Naming a sound", false, SoundNaming.Missing, SoundNaming.RunAsync),
        new("naming-clips", "Naming a clip's motion", false, MotionNaming.Missing, MotionNaming.RunAsync),
        new("drawing", "Drawing", false, Drawing.Missing, Drawing.RunAsync),
        new("sounding", "Making sounds", false, Sounding.Missing, Sounding.RunAsync),
        new("filming", "Making clips", false, Filming.Missing, Filming.RunAsync),
        new("switching", "Answering with the media that are asked for", true, Switching.Missing, Switching.RunAsync),
        new("talk", "Everyday talk", true, _ => null, EverydayTalk.RunAsync),
        new("open", "Open requests kept", true, _ => null, OpenRequests.RunAsync),
        new("english", "General English kept", true, GeneralEnglish.Missing, GeneralEnglish.RunAsync),
        new("refusal", "Honest about what it does not know", true, _ => null, Refusal.RunAsync),
    ];
}
