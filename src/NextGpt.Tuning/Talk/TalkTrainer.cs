using System.Globalization;
using NextGpt.Model;
using NextGpt.Model.Language;
using NextGpt.Model.Lora;
using NextGpt.Tuning.Optimisation;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Talk;

/// <summary>Teaches everyday talk to a frozen language model through a low-rank adapter.</summary>
/// <remarks>
/// LoRA (Hu et al. 2021) on the named layers; the loss covers the model's own words only. Open requests with the untouched model's
/// answers are drawn for a fixed share of every batch, so that narrow talk does not eat the rest.
/// </remarks>
public sealed class TalkTrainer
{
    // Rows of a batch come from neighbours by length, so that little of it is padding.
    private const int Neighbours = 8;

    private readonly TrainableLanguage _language;
    private readonly TrainingSchedule _schedule;
    private readonly string _folder;
    private readonly TrainingJournal _journal;
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
        _journal = new TrainingJournal(folder, output);
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
        Directory.CreateDirectory(_folder);
        var network = _language.Network;
        using var random = new StepRandom(CPU, _schedule.Seed);
        using var adapter = LoraAdapter.Create(network, Adapter, _schedule.Seed);
        adapter.Attach(network);
        using var optimiser = new FlatAdamW(adapter.NamedParameters, new FlatAdamWOptions { AverageDecay = 0, SecondMomentum = 0.98 });
        var run = new TrainingRun(optimiser, _schedule, _folder, _journal, _time);
        if (resume)
        {
            run.Resume();
        }

        var narrow = Written(TalkComposer.ForTraining(Dialogues, _schedule.Seed).Select(MessagesOf));
        var open = Written(Open.Select(answer => MessagesOf(new Dialogue("open", [new TalkTurn(answer.Request, answer.Answer)]))));
        _journal.Say(string.Create(
            CultureInfo.InvariantCulture,
            $"{narrow.Count} conversations and {open.Count} open answers, {adapter.NamedParameters.Sum(named => named.Parameter.numel()) / 1e6:0.0} M weights of rank {Adapter.Rank}."));
        var openRows = open.Count == 0 ? 0 : (int)Math.Round(_schedule.BatchSize * OpenShare);
        try
        {
            run.Train(
                step =>
                {
                    random.Begin(step);
                    return Loss([.. Rows(narrow, _schedule.BatchSize - openRows, random), .. Rows(open, openRows, random)]);
                },
                null, network.Device, cancellationToken);
        }
        finally
        {
            LoraAdapter.Detach(network);
        }

        var target = Path.Combine(_folder, "adapter");
        if (Directory.Exists(target))
        {
            Directory.Delete(target, recursive: true);
        }

        adapter.Save(target);
    }

    /// <summary>A conversation as messages.</summary>
    /// <param name="dialogue">The conversation.</param>
    internal static IReadOnlyList<PromptMessage> MessagesOf(Dialogue dialogue) =>
        [.. dialogue.Turns.SelectMany(turn => new[]
        {
            PromptMessage.Of(PromptRole.User, turn.Question),
            PromptMessage.Of(PromptRole.Assistant, turn.Answer),
        })];

    private static IEnumerable<Row> Rows(IReadOnlyList<Row> sorted, int count, StepRandom random)
    {
        if (count == 0)
        {
            return [];
        }

        using var scope = NewDisposeScope();
        var window = Math.Min(sorted.Count, count * Neighbours);
        var start = random.Whole(sorted.Count - window + 1, 1).item<long>();
        return [.. random.Whole(window, count).data<long>().ToArray().Select(offset => sorted[(int)(start + offset)])];
    }

    private IReadOnlyList<Row> Written(IEnumerable<IReadOnlyList<PromptMessage>> conversations) =>
        [.. conversations.Select(messages => _language.Write(messages))
            .Where(written => written.Tokens.Count <= MaxTokens)
            .Select(written => new Row(
                [.. written.Tokens.Select(token => (long)token)],
                [.. written.Tokens.Select((token, at) => written.Trained[at] ? token : NextTokenLoss.Unlabelled)]))
            .OrderBy(row => row.Tokens.Length)];

    private Tensor Loss(IReadOnlyList<Row> rows)
    {
        using var scope = NewDisposeScope();
        var length = rows.Max(row => row.Tokens.Length);
        var (tokens, labels) = (new long[rows.Count * length], new long[rows.Count * length]);
        Array.Fill(tokens, _language.Tokenizer.PadToken);
        Array.Fill(labels, NextTokenLoss.Unlabelled);
        for (var index = 0; index < rows.Count; index++)
        {
            rows[index].Tokens.CopyTo(tokens, index * length);
            rows[index].Labels.CopyTo(labels, index * length);
        }

        // Padding stands behind: a causal network does not see it, and nothing of it is learnt.
        var network = _language.Network;
        var hidden = network.call(network.Embed(tensor(tokens, [rows.Count, length], device: network.Device)), null, null);
        return NextTokenLoss.MeanOfLabelled(hidden, tensor(labels, [rows.Count, length], device: network.Device), network.Head)
            .MoveToOuterDisposeScope();
    }

    private sealed record Row(long[] Tokens, long[] Labels);
}
