using System.Globalization;
using NextGpt.Model.Weights;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Optimisation;

/// <summary>Steps until the schedule ends: losses, gradients, journal, checkpoints, previews; every stage trains through it.</summary>
/// <remarks>Reads from the device only when the journal is due, so that the host may run ahead. Not thread-safe.</remarks>
/// <param name="optimiser">Holds the weights.</param>
/// <param name="schedule">How long and how fast.</param>
/// <param name="folder">Where the checkpoint goes.</param>
/// <param name="journal">Hears how it goes.</param>
/// <param name="time">The clock.</param>
public sealed class TrainingRun(
    FlatAdamW optimiser, TrainingSchedule schedule, string folder, TrainingJournal journal, TimeProvider time)
{
    private TimeSpan _before;   // spent in earlier parts of a resumed run

    /// <summary>The checkpoint's file.</summary>
    public string CheckpointFile { get; } = Path.Combine(folder, "checkpoint.safetensors");

    /// <summary>Goes back to the checkpoint, if there is one.</summary>
    /// <returns>Whether there was one.</returns>
    public bool Resume()
    {
        if (!File.Exists(CheckpointFile))
        {
            return false;
        }

        using var file = SafetensorsFile.Open(CheckpointFile);
        optimiser.Load(file);
        _before = TimeSpan.FromSeconds(double.Parse(file.Metadata["run.elapsed"], CultureInfo.InvariantCulture));
        journal.Say($"Resumed at step {optimiser.Steps}.");
        return true;
    }

    /// <summary>Trains.</summary>
    /// <param name="lossOf">The mean loss of a step, a scalar with gradients; its tensors belong to the step's scope.</param>
    /// <param name="preview">Called when a preview is due, and at the end; null is never.</param>
    /// <param name="device">Where the losses lie.</param>
    /// <param name="cancellationToken">Looked at before every step; a checkpoint is written when it stops the run.</param>
    /// <exception cref="InvalidOperationException">The losses are no longer numbers.</exception>
    public void Train(Func<int, Tensor> lossOf, Action<int>? preview, Device device, CancellationToken cancellationToken = default)
    {
        if (schedule.TotalSteps is null == schedule.Budget is null)
        {
            throw new ArgumentException("Give either the number of steps or the time of the run.", nameof(lossOf));
        }

        using var losses = zeros(1, device: device).DetachFromDisposeScope();
        var start = time.GetTimestamp();
        var (lastNote, lastCheckpoint, lastPreview) = (start, start, start);
        var noted = optimiser.Steps;
        while (Share(start) < 1)
        {
            if (cancellationToken.IsCancellationRequested)
            {
                SaveCheckpoint(start);
                cancellationToken.ThrowIfCancellationRequested();
            }

            var step = optimiser.Steps;
            using (NewDisposeScope())
            {
                var loss = lossOf(step);
                loss.backward();
                using (no_grad())
                {
                    losses.add_(loss.detach().to(ScalarType.Float32));
                }
            }

            optimiser.Step(schedule.RateAt(step, Share(start)));
            var done = optimiser.Steps;
            if (done % schedule.JournalEvery == 0)
            {
                Note(losses, done - noted, start, ref lastNote);
                noted = done;
            }

            if (time.GetElapsedTime(lastCheckpoint) >= schedule.CheckpointEvery)
            {
                SaveCheckpoint(start);
                lastCheckpoint = time.GetTimestamp();
            }

            if (preview is not null && time.GetElapsedTime(lastPreview) >= schedule.PreviewEvery)
            {
                preview(done);
                journal.DrawCurve();
                lastPreview = time.GetTimestamp();
            }
        }

        SaveCheckpoint(start);
        journal.DrawCurve();
        preview?.Invoke(optimiser.Steps);
    }

    private double Share(long start) => schedule.TotalSteps is { } total
        ? (double)optimiser.Steps / total
        : Elapsed(start) / schedule.Budget.GetValueOrDefault();

    private TimeSpan Elapsed(long start) => _before + time.GetElapsedTime(start);

    private void Note(Tensor losses, int steps, long start, ref long lastNote)
    {
        using var scope = NewDisposeScope();
        var loss = losses.item<float>() / Math.Max(1, steps);
        losses.zero_();
        var (norm, skipped) = optimiser.ReadHealth(steps);
        if (!double.IsFinite(loss) || skipped > steps / 2)
        {
            throw new InvalidOperationException(
                $"The run was stopped at step {optimiser.Steps}: the loss is not a number ({skipped} of the last {steps} steps were "
                + "skipped). Lower the learning rate, or resume from the last checkpoint with float32.");
        }

        if (skipped > 0)
        {
            journal.Say($"{skipped} of the last {steps} steps were skipped: their gradient was not a number.");
        }

        var (elapsed, share) = (Elapsed(start).TotalSeconds, Share(start));
        journal.Note(new TrainingProgress(
            optimiser.Steps, (long)optimiser.Steps * schedule.BatchSize, loss, norm, schedule.RateAt(optimiser.Steps, share),
            steps * schedule.BatchSize / Math.Max(1e-3, time.GetElapsedTime(lastNote).TotalSeconds),
            elapsed, share > 0 ? elapsed * (1 - share) / share : 0));
        lastNote = time.GetTimestamp();
    }

    private void SaveCheckpoint(long start)
    {
        Directory.CreateDirectory(folder);
        var writer = new SafetensorsWriter();
        optimiser.Save(writer);
        writer.Metadata["run.elapsed"] = Elapsed(start).TotalSeconds.ToString("R", CultureInfo.InvariantCulture);
        writer.Save(CheckpointFile);
    }
}
