using System.Diagnostics;

namespace NextGpt.Benchmarks;

/// <summary>One kind of work, measured for one engine over several rounds.</summary>
/// <param name="Engine">Whose.</param>
/// <param name="Threads">With how many threads.</param>
/// <param name="Work">Which work.</param>
internal sealed record Measurement(string Engine, int Threads, Work Work)
{
    private readonly List<double> _rates = [];

    /// <summary>Tokens per second of the quickest round.</summary>
    public double Best => _rates.Max();

    /// <summary>Tokens per second of the middle round.</summary>
    public double Median
    {
        get
        {
            double[] sorted = [.. _rates.Order()];
            return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
        }
    }

    /// <summary>Measures one round.</summary>
    public void Measure(IEngine engine)
    {
        engine.Reset();
        if (Work.Decoded == 0)
        {
            var begin = Stopwatch.GetTimestamp();
            engine.Read(Tokens(Work.Prompt));
            _rates.Add(Work.Prompt / Stopwatch.GetElapsedTime(begin).TotalSeconds);
            return;
        }

        engine.Read(Tokens(Work.Prompt));
        int[][] singles = [.. Tokens(Work.Decoded).Select(token => new[] { token })];
        engine.Read([7]);   // whatever a first step still sets up
        var since = Stopwatch.GetTimestamp();
        foreach (var single in singles)
        {
            engine.Read(single);
        }

        _rates.Add(Work.Decoded / Stopwatch.GetElapsedTime(since).TotalSeconds);
    }

    /// <summary>Ids of ordinary tokens, the same for every engine.</summary>
    private static int[] Tokens(int count) => [.. Enumerable.Range(0, count).Select(index => 100 + (index * 37 % 4_000))];
}

/// <summary>What is measured.</summary>
/// <param name="Name">For the table.</param>
/// <param name="Prompt">Tokens read at once.</param>
/// <param name="Decoded">Tokens decoded one by one after them; 0 measures the reading of the prompt.</param>
internal sealed record Work(string Name, int Prompt, int Decoded);
