using NextGpt.Model;
using NextGpt.Model.Language;
using NextGpt.Model.Lora;
using NextGpt.Tuning.Alignment;
using NextGpt.Tuning.Optimisation;

namespace NextGpt.Tuning.Talk;

/// <summary>Teaches everyday talk to a frozen language model through a low-rank adapter.</summary>
/// <remarks>
/// A setting of <see cref="AlignmentTrainer"/>: LoRA (Hu et al. 2021) on the named layers, no media. The loss covers the model's own words only. Open requests with
/// the untouched model's answers are drawn for a share of the places, so that narrow talk does not eat the rest.
/// </remarks>
public sealed class TalkTrainer
{
    private readonly TrainableLanguage _language;
    private readonly TrainingSchedule _schedule;
    private readonly string _folder;
    private readonly TextWriter _output;
    private readonly TimeProvider _time;

    /// <summary>Prepares.</summary>
    /// <param name="language">What learns; its weights stay as they are.</param>
    /// <param name="schedule">How long and how fast.</param>
    /// <param name="folder">Where checkpoint, journal and <c>adapter/</c> go.</param>
    /// <param name="output">Takes lines for a person.</param>
    /// <param name="time">The clock.</param>
    public TalkTrainer(TrainableLanguage language, TrainingSchedule schedule, string folder, TextWriter output, TimeProvider time)
    {
        _language = language;
        _schedule = schedule;
        _folder = folder;
        _output = output;
        _time = time;
    }

    /// <summary>The adapter's size and place.</summary>
    public LoraSettings Adapter { get; init; } = AdapterOfRank(32);

    /// <summary>Conversations made before the first step.</summary>
    public int Dialogues { get; init; } = 20_000;

    /// <summary>Open requests with the untouched model's answers; empty trains on narrow talk alone, which is known to harm.</summary>
    public IReadOnlyList<OpenAnswer> Open { get; init; } = [];

    /// <summary>Share of a batch that is open requests.</summary>
    public double OpenShare { get; init; } = 0.3;

    /// <summary>Longest conversation in tokens; longer ones are left out.</summary>
    public int MaxTokens { get; init; } = 320;

    /// <summary>An adapter on all seven matrices of every layer.</summary>
    /// <param name="rank">Its rank.</param>
    public static LoraSettings AdapterOfRank(int rank) => new()
    {
        Rank = rank,
        Alpha = 2.0 * rank,
        TargetModules = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
    };

    /// <summary>Trains and writes <c>adapter/</c>.</summary>
    /// <param name="resume">Whether to go on from the checkpoint.</param>
    /// <param name="cancellationToken">Stops the run after a checkpoint.</param>
    public void Train(bool resume, CancellationToken cancellationToken = default)
    {
        var stage = AlignmentStage.Talk(Adapter);
        using var model = new AlignmentModel(_language, new AlignmentParts { Seed = _schedule.Seed }, stage);
        var writer = new RowWriter(_language, signals: null);
        var narrow = Written(writer, TalkComposer.ForTraining(Dialogues, _schedule.Seed).Select(MessagesOf));
        var open = Written(writer, Open.Select(answer => MessagesOf(new Dialogue("open", [new TalkTurn(answer.Request, answer.Answer)]))));
        _output.WriteLine($"{narrow.Count} conversations and {open.Count} open answers, rank {Adapter.Rank}.");
        new AlignmentTrainer(model, stage, media: null, _schedule, _folder, _output, _time)
            .Train(new Drawn(narrow, open, OpenShare, _schedule.Seed), resume, cancellationToken);
    }

    /// <summary>A conversation as messages.</summary>
    /// <param name="dialogue">The conversation.</param>
    internal static IReadOnlyList<PromptMessage> MessagesOf(Dialogue dialogue) =>
        [.. dialogue.Turns.SelectMany(turn => new[]
        {
            PromptMessage.Of(PromptRole.User, turn.Question),
            PromptMessage.Of(PromptRole.Assistant, turn.Answer),
        })];

    private List<TrainingRow> Written(RowWriter writer, IEnumerable<IReadOnlyList<PromptMessage>> conversations) =>
        [.. conversations.Select(messages => writer.Write(messages)).Where(row => row.Tokens.Count <= MaxTokens)];

    /// <summary>Conversations, with open answers for a share of the places.</summary>
    private sealed class Drawn(List<TrainingRow> narrow, List<TrainingRow> open, double openShare, int seed) : IRowSource
    {
        public TrainingRow At(long place)
        {
            var draw = new Random(unchecked((int)(((ulong)place + 1) * 0x9E3779B97F4A7C15UL >> 33) ^ (seed * 486_187_739)));
            var rows = open.Count > 0 && draw.NextDouble() < openShare ? open : narrow;
            return rows[draw.Next(rows.Count)];
        }
    }
}
