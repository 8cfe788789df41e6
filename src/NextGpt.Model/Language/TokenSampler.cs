namespace NextGpt.Model.Language;

/// <summary>Chooses the tokens of one reply.</summary>
/// <remarks>
/// Order: repetition, frequency and presence penalty, constraint, temperature, top-k, top-p, min-p, one draw. End tokens
/// are never penalised: a penalty on them makes a reply ramble. Of equal logits the lower id counts as likelier. Nothing
/// sorts the whole vocabulary: what is cut off is taken from a heap, likeliest first. One instance serves one reply.
/// </remarks>
internal sealed class TokenSampler
{
    /// <summary>Beyond this many temperatures below the likeliest a token's share is under 1e-13: never drawn.</summary>
    private const float Negligible = 30;

    private readonly SamplingSettings _settings;
    private readonly IReadOnlySet<int> _endTokens;
    private readonly ITokenConstraint? _constraint;
    private readonly SeededDraws _draws;
    private readonly List<int> _generated = [];
    private readonly Dictionary<int, int> _replyCounts = [];
    private readonly HashSet<int> _present;
    private int[] _candidates = [];
    private float[] _shares = [];

    /// <summary>A sampler at the begin of a reply.</summary>
    /// <param name="settings">How to choose.</param>
    /// <param name="seed">Where the draws come from.</param>
    /// <param name="prompt">The prompt's tokens, for the repetition penalty.</param>
    /// <param name="endTokens">Tokens that are never penalised.</param>
    /// <param name="constraint">What may come next, or null.</param>
    public TokenSampler(
        SamplingSettings settings, long seed, IEnumerable<int> prompt, IReadOnlySet<int> endTokens,
        ITokenConstraint? constraint = null)
    {
        _settings = settings;
        _endTokens = endTokens;
        _constraint = constraint;
        _draws = new SeededDraws(seed);
        _present = settings.RepetitionPenalty == 1 ? [] : [.. prompt];
    }

    /// <summary>The reply's tokens so far.</summary>
    public IReadOnlyList<int> Generated => _generated;

    /// <summary>Chooses the next token and remembers it.</summary>
    /// <param name="logits">[vocab], changed in place.</param>
    /// <exception cref="InvalidOperationException">No token is possible: all are forbidden, or the logits are not numbers.</exception>
    public int Next(Span<float> logits)
    {
        Penalise(logits);
        _constraint?.Apply(_generated, logits);
        var best = Likeliest(logits);
        var token = _settings.Temperature == 0 ? best : Draw(logits, logits[best]);
        _generated.Add(token);
        _present.Add(token);
        _replyCounts[token] = _replyCounts.GetValueOrDefault(token) + 1;
        return token;
    }

    /// <summary>Takes the last tokens back.</summary>
    /// <param name="count">Tokens that stay.</param>
    public void Truncate(int count)
    {
        for (; _generated.Count > count; _generated.RemoveAt(_generated.Count - 1))
        {
            _replyCounts[_generated[^1]]--;
        }
    }

    private void Penalise(Span<float> logits)
    {
        if (_settings.RepetitionPenalty != 1)
        {
            var penalty = (float)_settings.RepetitionPenalty;
            foreach (var token in _present)
            {
                if ((uint)token < (uint)logits.Length && !_endTokens.Contains(token))
                {
                    logits[token] = logits[token] > 0 ? logits[token] / penalty : logits[token] * penalty;
                }
            }
        }

        if (_settings.FrequencyPenalty != 0 || _settings.PresencePenalty != 0)
        {
            foreach (var (token, count) in _replyCounts)
            {
                if (!_endTokens.Contains(token))
                {
                    logits[token] -= (float)(count * _settings.FrequencyPenalty + _settings.PresencePenalty);
                }
            }
        }
    }

    private static int Likeliest(ReadOnlySpan<float> logits)
    {
        var (best, most) = (-1, float.NegativeInfinity);
        for (var token = 0; token < logits.Length; token++)
        {
            if (logits[token] > most)   // false for what is not a number
            {
                (best, most) = (token, logits[token]);
            }
        }

        return best >= 0 && float.IsFinite(most)
            ? best
            : throw new InvalidOperationException(
                "No token is possible: the network gave no usable numbers, or everything was forbidden. The weights may be "
                + "damaged; check them with `model verify`.");
    }

    private int Draw(ReadOnlySpan<float> logits, float most)
    {
        if (_candidates.Length < logits.Length)
        {
            _candidates = new int[logits.Length];
            _shares = new float[logits.Length];
        }

        var (count, total) = Collect(logits, most);
        if (_settings.TopK > 0 || _settings.TopP < 1 || _settings.MinP > 0)
        {
            (count, total) = KeepLikeliest(logits, count, total);
        }

        // Tokens in the order they stand; rounding at the end of the walk falls to the last one.
        var point = _draws.Next() * total;
        for (var i = 0; i < count - 1; i++)
        {
            point -= _shares[i];
            if (point < 0)
            {
                return _candidates[i];
            }
        }

        return _candidates[count - 1];
    }

    /// <summary>Every token with a share worth drawing, in order of ids, and the sum of the shares.</summary>
    private (int Count, double Total) Collect(ReadOnlySpan<float> logits, float most)
    {
        var scale = (float)(1 / _settings.Temperature);
        var least = most - Negligible / scale;
        var (count, total) = (0, 0d);
        for (var token = 0; token < logits.Length; token++)
        {
            if (logits[token] >= least)
            {
                var share = MathF.Exp((logits[token] - most) * scale);
                _candidates[count] = token;
                _shares[count++] = share;
                total += share;
            }
        }

        return (count, total);
    }

    /// <summary>Takes the likeliest from a heap until k, p or the least share is reached; they then stand at the front.</summary>
    private (int Count, double Total) KeepLikeliest(ReadOnlySpan<float> logits, int count, double total)
    {
        for (var root = count / 2 - 1; root >= 0; root--)
        {
            SiftDown(logits, root, count);
        }

        // Popping moves the best behind the shrinking heap, so that the kept ones end up at the back, best last.
        var limit = _settings.TopK > 0 ? Math.Min(_settings.TopK, count) : count;
        if (limit < count)
        {
            total = PopTo(logits, count, limit);
            return Narrow(count, limit, total);
        }

        var enough = _settings.TopP * total;
        var (kept, sum) = (0, 0d);
        while (kept < count && sum < enough)
        {
            var share = _shares[0];
            if (kept > 0 && share < _settings.MinP)   // the likeliest has the share 1
            {
                break;
            }

            Pop(logits, count - kept);
            kept++;
            sum += share;
        }

        MoveToFront(count, kept);
        return (kept, sum);
    }

    /// <summary>Top-p and min-p among the k likeliest, whose shares are renormalised.</summary>
    private (int Count, double Total) Narrow(int count, int limit, double total)
    {
        MoveToFront(count, limit);
        var enough = _settings.TopP * total;
        var (kept, sum) = (0, 0d);
        while (kept < limit && sum < enough && (kept == 0 || _shares[kept] >= _settings.MinP))
        {
            sum += _shares[kept++];
        }

        return (kept, sum);
    }

    private double PopTo(ReadOnlySpan<float> logits, int count, int limit)
    {
        var total = 0d;
        for (var kept = 0; kept < limit; kept++)
        {
            total += _shares[0];
            Pop(logits, count - kept);
        }

        return total;
    }

    private void Pop(ReadOnlySpan<float> logits, int size)
    {
        Swap(0, size - 1);
        SiftDown(logits, 0, size - 1);
    }

    /// <summary>The popped ones stand at the back, best last: turns them to the front, best first.</summary>
    private void MoveToFront(int count, int kept)
    {
        Array.Reverse(_candidates, count - kept, kept);
        Array.Reverse(_shares, count - kept, kept);
        Array.Copy(_candidates, count - kept, _candidates, 0, kept);
        Array.Copy(_shares, count - kept, _shares, 0, kept);
    }

    private void SiftDown(ReadOnlySpan<float> logits, int root, int size)
    {
        while (true)
        {
            var child = 2 * root + 1;
            if (child >= size)
            {
                return;
            }

            if (child + 1 < size && Before(logits, child + 1, child))
            {
                child++;
            }

            if (!Before(logits, child, root))
            {
                return;
            }

            Swap(root, child);
            root = child;
        }
    }

    private bool Before(ReadOnlySpan<float> logits, int one, int other)
    {
        var (a, b) = (_candidates[one], _candidates[other]);
        return logits[a] > logits[b] || (logits[a] == logits[b] && a < b);
    }

    private void Swap(int one, int other)
    {
        (_candidates[one], _candidates[other]) = (_candidates[other], _candidates[one]);
        (_shares[one], _shares[other]) = (_shares[other], _shares[one]);
    }
}
