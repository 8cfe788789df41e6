using NextGpt.Media;
using NextGpt.Model.Lora;

namespace NextGpt.Tuning.Alignment;

/// <summary>A stage of NExT-GPT's training as settings: what moves, and what it is pulled towards.</summary>
/// <remarks>
/// Wu et al. 2023 (NExT-GPT), sections 4.1, 4.2 and 5.1. The repository moves both whole vocabulary matrices in every stage because
/// it makes them after freezing; here only the rows of the added tokens move, and only where a stage says so.
/// </remarks>
public sealed record AlignmentStage
{
    /// <summary>Short name, for people.</summary>
    public required string Name { get; init; }

    /// <summary>Whether the input projection moves.</summary>
    public bool Input { get; init; }

    /// <summary>Whether the output projections move.</summary>
    public bool Outputs { get; init; }

    /// <summary>Whether the rows of the added tokens move.</summary>
    public bool Rows { get; init; }

    /// <summary>The adapter that moves; null leaves the language model as it is, with an adapter of an earlier stage where there is one.</summary>
    public LoraSettings? Adapter { get; init; }

    /// <summary>Weight of the next-token loss.</summary>
    public double TextWeight { get; init; } = 1;

    /// <summary>Weight of the distance between projected signals and gold captions.</summary>
    public double CaptionWeight { get; init; } = 1;

    /// <summary>How much the caption distance of a kind counts, 1 where it is not named (v0, stage 3: 2 for clips).</summary>
    public IReadOnlyDictionary<MediaKind, double> KindWeights { get; init; } = new Dictionary<MediaKind, double>();

    /// <summary>Learning rate of the projections as a share of the run's; v2's third stage has a tenth.</summary>
    public double ProjectionRate { get; init; } = 1;

    /// <summary>Learning rate of the added rows as a share of the run's.</summary>
    public double RowRate { get; init; } = 1;

    /// <summary>Encoding-side alignment: a medium's caption, through the input projection alone.</summary>
    public static AlignmentStage EncodingSide { get; } = new() { Name = "align-input", Input = true };

    /// <summary>Decoding-side alignment: a caption's signal, through output projections and added rows.</summary>
    public static AlignmentStage DecodingSide { get; } = new() { Name = "align-output", Outputs = true, Rows = true };

    /// <summary>Modality-switching instruction tuning: adapter, both projections and added rows together.</summary>
    /// <param name="adapter">Its size and place.</param>
    public static AlignmentStage Instruction(LoraSettings adapter) => new()
    {
        Name = "instruct",
        Input = true,
        Outputs = true,
        Rows = true,
        Adapter = adapter,
    };

    /// <summary>Talk alone: the adapter.</summary>
    /// <param name="adapter">Its size and place.</param>
    public static AlignmentStage Talk(LoraSettings adapter) => new() { Name = "talk", Adapter = adapter };
}
