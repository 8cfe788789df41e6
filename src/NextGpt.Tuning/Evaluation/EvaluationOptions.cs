using NextGpt.Model;

namespace NextGpt.Tuning.Evaluation;

/// <summary>What is evaluated, with what.</summary>
public sealed record EvaluationOptions
{
    /// <summary>The model, as people's requests would find it.</summary>
    public ModelOptions Model { get; init; } = new();

    /// <summary>Folder with an independent encoder (<c>config.json</c> and weights); null leaves out what needs one.</summary>
    public string? Judge { get; init; }

    /// <summary>Folder of the world; null leaves out what needs one.</summary>
    public string? World { get; init; }

    /// <summary>Where rows and report are written; null writes nothing.</summary>
    public string? Out { get; init; }

    /// <summary>Names of the rows to measure, anew where they are stored; empty is all that are not stored.</summary>
    public IReadOnlyList<string> Rows { get; init; } = [];

    /// <summary>Whether only a small fixed part is measured.</summary>
    public bool Quick { get; init; }

    /// <summary>At most so many requests per figure; null is as many as the row says. For trying things out.</summary>
    public int? Most { get; init; }

    /// <summary>Seed of everything drawn by chance.</summary>
    public int Seed { get; init; } = 20_261;
}
