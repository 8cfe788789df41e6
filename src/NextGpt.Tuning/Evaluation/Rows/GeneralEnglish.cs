namespace NextGpt.Tuning.Evaluation.Rows;

/// <summary>How well prose that nobody trains on is foreseen, against the untouched language model.</summary>
internal static class GeneralEnglish
{
    /// <summary>The passages, each scored by itself.</summary>
    internal static IReadOnlyList<string> Passages { get; } = Read();

    internal static string? Missing(EvaluationBench bench) => bench.Examinee.Scorer is null ? "This model does not tell how likely a text is." : null;

    internal static async Task<RowFindings> RunAsync(EvaluationBench bench, CancellationToken cancellationToken)
    {
        var passages = Passages.Take(bench.Count(Passages.Count, 4)).ToList();
        var (own, tokens) = await PerplexityAsync(bench, bench.Examinee, passages, cancellationToken);
        var untouched = bench.Options.Quick || bench.IsUntouched ? null : bench.Untouched;
        var figures = new List<Figure>
        {
            new()
            {
                Name = "english.perplexity", What = "perplexity of general English (lower is better)", IsShare = false, LowerIsBetter = true,
                Value = own, Count = tokens, Note = $"{passages.Count} passages, {tokens} tokens; each token given those before it in its passage.",
            },
        };
        if (!bench.Options.Quick)
        {
            var before = untouched is null ? own : (await PerplexityAsync(bench, untouched, passages, cancellationToken)).Perplexity;
            figures.Add(new Figure
            {
                Name = "english.ratio",
                What = "perplexity against the untouched language model",
                IsShare = false,
                LowerIsBetter = true,
                Value = own / before,
                Count = tokens,
                Floor = 1,
                Aim = 1.05,
                Note = untouched is null ? "This model is an untouched one." : FormattableString.Invariant($"Untouched: {before:0.00}."),
            });
        }

        return new RowFindings(figures, []);
    }

    private static async Task<(double Perplexity, int Tokens)> PerplexityAsync(
        EvaluationBench bench, Examinee model, List<string> passages, CancellationToken cancellationToken)
    {
        var scorer = model.Scorer ?? throw new InvalidOperationException("A model that cannot score texts has no perplexity.");
        var (sum, count) = (0.0, 0);
        for (var at = 0; at < passages.Count; at++)
        {
            var scores = await scorer.ScoreAsync(passages[at], cancellationToken);
            sum -= scores.Sum();
            count += scores.Count;
            bench.Progress(at + 1, passages.Count);
        }

        return (Math.Exp(sum / Math.Max(1, count)), count);
    }

    private static string[] Read()
    {
        using var stream = typeof(GeneralEnglish).Assembly.GetManifestResourceStream("evaluation/general-english.txt")
            ?? throw new InvalidOperationException("The program was built without its text of general English.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().Split("\n\n", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    }
}
