namespace NextGpt.Model.Language;

/// <summary>The merges of a byte-pair vocabulary: which neighbours become one token, and which first.</summary>
internal sealed class BytePairs
{
    // Below this a scan for the best pair is faster than a heap; both give the same ids.
    private const int ScanLimit = 48;
    private readonly Dictionary<long, (int Rank, int Token)> _merges;

    public BytePairs(int capacity) => _merges = new Dictionary<long, (int, int)>(capacity);

    /// <summary>Adds a merge; of the same pair only the first counts.</summary>
    public void Add(int left, int right, int token) => _merges.TryAdd(Key(left, right), (_merges.Count, token));

    /// <summary>Merges in place until nothing is left to merge: lowest rank first, leftmost of equals.</summary>
    /// <returns>The number of tokens left at the front of the span.</returns>
    public int Merge(Span<int> tokens) => tokens.Length <= ScanLimit ? MergeByScan(tokens) : MergeByHeap(tokens);

    internal int MergeByScan(Span<int> tokens)
    {
        var count = tokens.Length;
        while (count > 1)
        {
            var (bestRank, bestAt, bestToken) = (int.MaxValue, -1, 0);
            for (var i = 0; i + 1 < count; i++)
            {
                if (_merges.TryGetValue(Key(tokens[i], tokens[i + 1]), out var merge) && merge.Rank < bestRank)
                {
                    (bestRank, bestAt, bestToken) = (merge.Rank, i, merge.Token);
                }
            }

            if (bestAt < 0)
            {
                break;
            }

            tokens[bestAt] = bestToken;
            tokens[(bestAt + 2)..count].CopyTo(tokens[(bestAt + 1)..]);
            count--;
        }

        return count;
    }

    internal int MergeByHeap(Span<int> tokens)
    {
        var next = new int[tokens.Length];
        var previous = new int[tokens.Length];
        var heap = new PriorityQueue<(int At, long Pair, int Token), long>(tokens.Length);
        for (var i = 0; i < tokens.Length; i++)
        {
            next[i] = i + 1;
            previous[i] = i - 1;
            if (i + 1 < tokens.Length)
            {
                Offer(heap, i, Key(tokens[i], tokens[i + 1]));
            }
        }

        while (heap.TryDequeue(out var best, out _))
        {
            var (at, after) = (best.At, next[best.At]);
            if (tokens[at] < 0 || after >= tokens.Length || Key(tokens[at], tokens[after]) != best.Pair)
            {
                continue;   // one of the two was merged away since
            }

            tokens[at] = best.Token;
            tokens[after] = -1;
            next[at] = next[after];
            if (next[at] < tokens.Length)
            {
                previous[next[at]] = at;
                Offer(heap, at, Key(tokens[at], tokens[next[at]]));
            }

            if (previous[at] >= 0)
            {
                Offer(heap, previous[at], Key(tokens[previous[at]], tokens[at]));
            }
        }

        var count = 0;
        for (var i = 0; i < tokens.Length; i = next[i])
        {
            tokens[count++] = tokens[i];
        }

        return count;
    }

    private void Offer(PriorityQueue<(int At, long Pair, int Token), long> heap, int at, long pair)
    {
        if (_merges.TryGetValue(pair, out var merge))
        {
            heap.Enqueue((at, pair, merge.Token), ((long)merge.Rank << 32) | (uint)at);
        }
    }

    private static long Key(int left, int right) => ((long)left << 32) | (uint)right;
}
