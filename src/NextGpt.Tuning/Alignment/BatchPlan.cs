namespace NextGpt.Tuning.Alignment;

/// <summary>Which rows a step learns from: neighbours by length, so that little of a batch is padding.</summary>
/// <remarks>
/// Rows come in windows of some batches; a window is sorted by length, cut into batches, and its batches are shuffled. Everything
/// follows from seed and step. Not thread-safe.
/// </remarks>
/// <param name="source">Gives rows.</param>
/// <param name="batchSize">Rows of a step.</param>
/// <param name="seed">The same seed makes the same plan.</param>
/// <param name="batches">Batches of a window.</param>
/// <param name="begun">Told the rows of every window before its first step.</param>
internal sealed class BatchPlan(
    IRowSource source, int batchSize, int seed, int batches = 16, Action<IReadOnlyList<TrainingRow>>? begun = null)
{
    private long _window = -1;
    private TrainingRow[][] _batches = [];

    /// <summary>The rows of a step.</summary>
    /// <param name="step">0 and up, in any order; going on to the next one is cheap.</param>
    public IReadOnlyList<TrainingRow> Rows(int step)
    {
        var window = step / batches;
        if (window != _window)
        {
            var first = (long)window * batches * batchSize;
            TrainingRow[] rows = [.. Enumerable.Range(0, batches * batchSize).Select(offset => source.At(first + offset)).OrderBy(row => row.Tokens.Count)];
            _batches = [.. rows.Chunk(batchSize)];
            new Random(unchecked((seed * 486_187_739) + window)).Shuffle(_batches);
            _window = window;
            begun?.Invoke(rows);
        }

        return _batches[step % batches];
    }
}
