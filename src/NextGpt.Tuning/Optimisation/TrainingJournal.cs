using System.Globalization;
using System.Text.Json;
using NextGpt.Tuning.Data;

namespace NextGpt.Tuning.Optimisation;

/// <summary>One line of a run's journal.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Samples">Samples seen.</param>
/// <param name="Loss">Mean since the last line.</param>
/// <param name="GradientNorm">Mean length before clipping since the last line.</param>
/// <param name="Rate">Learning rate.</param>
/// <param name="SamplesPerSecond">Since the last line.</param>
/// <param name="ElapsedSeconds">Of the whole run.</param>
/// <param name="RemainingSeconds">Estimate.</param>
public sealed record TrainingProgress(
    int Step, long Samples, double Loss, double GradientNorm, double Rate, double SamplesPerSecond, double ElapsedSeconds, double RemainingSeconds);

/// <summary>Tells how a run goes: lines for a person, a file for a machine, a curve for the eye.</summary>
/// <param name="folder">Where <c>progress.jsonl</c> and <c>loss.png</c> go.</param>
/// <param name="output">Takes the lines for a person.</param>
public sealed class TrainingJournal(string folder, TextWriter output)
{
    private readonly string _file = Path.Combine(folder, "progress.jsonl");

    /// <summary>Writes a sentence for a person.</summary>
    /// <param name="sentence">The sentence.</param>
    public void Say(string sentence)
    {
        output.WriteLine(sentence);
        output.Flush();
    }

    /// <summary>Notes a line.</summary>
    /// <param name="progress">The line.</param>
    public void Note(TrainingProgress progress)
    {
        Directory.CreateDirectory(folder);
        File.AppendAllText(_file, JsonSerializer.Serialize(progress) + "\n");
        Say(string.Create(
            CultureInfo.InvariantCulture,
            $"step {progress.Step,7}  {progress.Samples,9} samples  loss {progress.Loss:0.0000}  gradient {progress.GradientNorm:0.00}  rate {progress.Rate:0.0e+0}  "
            + $"{progress.SamplesPerSecond,6:0} samples/s  {Clock(progress.ElapsedSeconds)} done, {Clock(progress.RemainingSeconds)} left"));
    }

    /// <summary>Draws the losses so far, logarithmic upwards.</summary>
    public void DrawCurve()
    {
        const int Width = 640, Height = 320, Margin = 8;
        if (!File.Exists(_file))
        {
            return;
        }

        var points = File.ReadLines(_file).Select(line => JsonSerializer.Deserialize<TrainingProgress>(line))
            .Where(point => point is { Loss: > 0 }).Select(point => (point!.Step, Loss: Math.Log(point.Loss))).ToList();
        if (points.Count < 2)
        {
            return;
        }

        var pixels = new byte[Width * Height * 3];
        Array.Fill(pixels, (byte)255);
        var (low, high, last) = (points.Min(point => point.Loss), points.Max(point => point.Loss), points.Max(point => point.Step));
        for (var column = Margin; column < Width - Margin; column++)
        {
            var wanted = (double)(column - Margin) / (Width - (2 * Margin)) * last;
            var nearest = points.MinBy(point => Math.Abs(point.Step - wanted));
            var row = Margin + (int)((high - nearest.Loss) / Math.Max(high - low, 1e-9) * (Height - (2 * Margin) - 1));
            for (var thick = 0; thick < 2; thick++)
            {
                var at = (((row + thick) * Width) + column) * 3;
                (pixels[at], pixels[at + 1], pixels[at + 2]) = (40, 90, 200);
            }
        }

        PngPicture.Write(Path.Combine(folder, "loss.png"), Width, Height, pixels);
    }

    private static string Clock(double seconds) => TimeSpan.FromSeconds(Math.Max(0, seconds)).ToString(@"h\:mm\:ss", CultureInfo.InvariantCulture);
}
