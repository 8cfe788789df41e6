using System.Globalization;
using NextGpt.Tuning.Optimisation;

namespace NextGpt.Tuning.Alignment;

/// <summary>Trains the parts around a language model on written conversations; every stage of NExT-GPT, and talk alone, is a setting of it.</summary>
/// <remarks>Wu et al. 2023 (NExT-GPT), sections 4 and 5. Not thread-safe.</remarks>
public sealed class AlignmentTrainer
{
    private readonly AlignmentModel _model;
    private readonly AlignmentStage _stage;
    private readonly ITrainingMedia? _media;
    private readonly TrainingSchedule _schedule;
    private readonly string _folder;
    private readonly TrainingJournal _journal;
    private readonly TimeProvider _time;

    /// <summary>Prepares.</summary>
    /// <param name="model">What learns.</param>
    /// <param name="stage">What of it moves, and towards what.</param>
    /// <param name="media">Features and gold captions; null where rows are words alone.</param>
    /// <param name="schedule">How long and how fast.</param>
    /// <param name="folder">Where checkpoint, journal and the parts go.</param>
    /// <param name="output">Takes lines for a person.</param>
    /// <param name="time">The clock.</param>
    public AlignmentTrainer(
        AlignmentModel model, AlignmentStage stage, ITrainingMedia? media, TrainingSchedule schedule, string folder, TextWriter output, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        _model = model;
        _stage = stage;
        _media = media;
        _schedule = schedule;
        _folder = folder;
        _journal = new TrainingJournal(folder, output);
        _time = time;
    }

    /// <summary>Trains and writes the parts; a folder that a run was broken off in keeps its checkpoint.</summary>
    /// <param name="rows">What is learnt from.</param>
    /// <param name="resume">Whether to go on from the checkpoint.</param>
    /// <param name="cancellationToken">Stops the run after a checkpoint.</param>
    /// <exception cref="InvalidOperationException">The losses are no longer numbers, or the stage has nothing to train.</exception>
    public void Train(IRowSource rows, bool resume, CancellationToken cancellationToken = default)
    {
        Directory.CreateDirectory(_folder);
        var moving = _model.Moving(_stage);
        using var optimiser = new FlatAdamW(moving, new FlatAdamWOptions { AverageDecay = 0, SecondMomentum = 0.98 }, RateOf);
        var run = new TrainingRun(optimiser, _schedule, _folder, _journal, _time);
        if (resume)
        {
            run.Resume();
        }

        _journal.Say(string.Create(
            CultureInfo.InvariantCulture,
            $"{_stage.Name}: {moving.Sum(part => part.Parameter.numel()) / 1e6:0.00} M weights move ({string.Join(", ", moving.Select(part => part.Name.Split('.')[0]).Distinct())}), batch {_schedule.BatchSize}."));
        using var loss = new AlignmentLoss(_model, _stage, _media);
        var plan = new BatchPlan(rows, _schedule.BatchSize, _schedule.Seed, begun: Prepare);
        run.Train(
            step =>
            {
                if (step > 0 && step % _schedule.JournalEvery == 0)
                {
                    _journal.Say($"             {loss.ReadParts()}");
                }

                return loss.Of(plan.Rows(step));
            },
            _ => _model.Save(_folder), _model.Language.Network.Device, cancellationToken);
    }

    private double RateOf(string name) => name.Split('.')[0] switch
    {
        "input" or "output" => _stage.ProjectionRate,
        "rows" => _stage.RowRate,
        _ => 1,
    };

    // Captions are encoded many at a time; what is known already costs nothing.
    private void Prepare(IReadOnlyList<TrainingRow> rows)
    {
        foreach (var kind in rows.SelectMany(row => row.Signals).GroupBy(signal => signal.Kind).Where(kind => _model.Outputs.ContainsKey(kind.Key)))
        {
            _media?.Golds(kind.Key, [.. kind.Select(signal => signal.Caption)]);
        }
    }
}
