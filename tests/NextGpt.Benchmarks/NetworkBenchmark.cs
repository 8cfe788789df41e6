using System.Globalization;
using NextGpt.Model;
using TorchSharp;

namespace NextGpt.Benchmarks;

/// <summary>The <c>networks</c> command: U-Net steps, decoding, vocoder, caption and media encoders, beside Python where there is one.</summary>
internal static class NetworkBenchmark
{
    /// <summary>The usage text.</summary>
    public const string Usage = """
        networks: measures the networks that read media and draw, sound and film.

          --threads 1,2         thread counts, one after the other (default: 1 and all cores)
          --rounds 5            rounds; ours and the reference take turns in each (default 5)
          --reference PYTHON    a Python with torch, diffusers, transformers and imagebind to compare with
          --rows TEXT           only rows whose name contains the text
        """;

    private const double RoundMilliseconds = 400;
    private const int MostRepeats = 200;

    /// <summary>Runs it.</summary>
    /// <param name="arguments">After the command's name.</param>
    /// <param name="cpu">The processor's name.</param>
    /// <returns>The exit code.</returns>
    public static int Run(IReadOnlyList<string> arguments, string cpu)
    {
        Options options;
        try
        {
            options = Options.Parse(arguments);
        }
        catch (FormatException problem)
        {
            Console.Error.WriteLine(problem.Message);
            Console.Error.WriteLine(Usage);
            return 2;
        }

        TorchRuntime.Load();
        var lines = new List<string>();
        var reference = "";
        try
        {
            foreach (var threads in options.Threads)
            {
                reference = Measure(options, threads, lines);
            }
        }
        catch (InvalidOperationException problem)
        {
            Console.Error.WriteLine(problem.Message);
            return 1;
        }

        Console.WriteLine();
        Console.WriteLine(
            $"{cpu}, {DateTime.UtcNow:yyyy-MM-dd}, float32, milliseconds per call: best of {options.Rounds} rounds (median); "
            + "processor time is that of all threads in the best round");
        Console.WriteLine();
        var compared = reference.Length > 0;
        Console.WriteLine($"| work | threads | NextGpt.Chat | processor | {(compared ? $"{reference} | ratio of best (median) | " : "")}");
        Console.WriteLine($"| --- | ---: | ---: | ---: | {(compared ? "---: | ---: | " : "")}");
        lines.ForEach(Console.WriteLine);
        return 0;
    }

    private static string Measure(Options options, int threads, List<string> lines)
    {
        torch.set_num_threads(threads);
        using var python = options.Reference is { } path ? new PythonReference(path, threads) : null;
        var rows = NetworkRow.ReadAll();
        for (var index = 0; index < rows.Count; index++)
        {
            var row = rows[index];
            if (!row.Name.Contains(options.Rows, StringComparison.OrdinalIgnoreCase))
            {
                continue;
            }

            Console.Error.WriteLine($"{row.Name}, {threads} thread{(threads == 1 ? "" : "s")}");
            using var work = new NetworkWork(row);
            var repeats = Math.Clamp((int)(RoundMilliseconds / work.Measure(1).Wall), 1, MostRepeats);
            var ours = new List<(double Wall, double Processor)>();
            var theirs = new List<double>();
            for (var round = 0; round < options.Rounds; round++)
            {
                ours.Add(work.Measure(repeats));
                if (python?.Measure(index, repeats) is { } milliseconds)
                {
                    theirs.Add(milliseconds);
                }
            }

            var walls = ours.ConvertAll(time => time.Wall);
            var (best, middle) = (walls.Min(), Median(walls));
            var comparison = python is null ? ""
                : theirs.Count == 0 ? "- | - | "
                : $"{theirs.Min():0.0} ({Median(theirs):0.0}) | {theirs.Min() / best:0.00} ({Median(theirs) / middle:0.00}) | ";
            lines.Add($"| {row.Name} | {threads} | {best:0.0} ({middle:0.0}) | {ours.Min(time => time.Processor):0.0} | {comparison}");
        }

        return python?.Name ?? "";
    }

    private static double Median(List<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private sealed record Options
    {
        internal IReadOnlyList<int> Threads { get; init; } = Environment.ProcessorCount == 1 ? [1] : [1, Environment.ProcessorCount];

        internal int Rounds { get; init; } = 5;

        internal string? Reference { get; init; }

        internal string Rows { get; init; } = "";

        internal static Options Parse(IReadOnlyList<string> arguments)
        {
            var options = new Options();
            for (var index = 0; index < arguments.Count; index++)
            {
                var name = arguments[index];
                var value = ++index < arguments.Count ? arguments[index] : throw new FormatException($"{name} needs a value.");
                options = name switch
                {
                    "--threads" => options with { Threads = [.. value.Split(',').Select(part => Number(name, part))] },
                    "--rounds" => options with { Rounds = Number(name, value) },
                    "--reference" => options with { Reference = value },
                    "--rows" => options with { Rows = value },
                    _ => throw new FormatException($"{name} is not known."),
                };
            }

            return options;
        }

        private static int Number(string name, string value) =>
            int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= 1_024
                ? number
                : throw new FormatException($"{name} takes whole numbers from 1 to 1024, not '{value}'.");
    }
}
