namespace NextGpt.Bots.Discord.Rest;

/// <summary>What the headers of an answer say about limits.</summary>
/// <param name="Bucket">Discord's name for the bucket, or null.</param>
/// <param name="Remaining">Calls left in it, or null.</param>
/// <param name="ResetAfter">Until it is full again, or null.</param>
internal sealed record RateLimitHeaders(string? Bucket, int? Remaining, TimeSpan? ResetAfter)
{
    /// <summary>Reads them; <c>X-RateLimit-Reset</c> is a wall-clock time and not used.</summary>
    public static RateLimitHeaders Of(HttpResponseMessage answer) => new(
        Text(answer, "X-RateLimit-Bucket"),
        int.TryParse(Text(answer, "X-RateLimit-Remaining"), System.Globalization.CultureInfo.InvariantCulture, out var left) ? left : null,
        Seconds(answer, "X-RateLimit-Reset-After"));

    /// <summary>A header of seconds, with or without a fraction.</summary>
    public static TimeSpan? Seconds(HttpResponseMessage answer, string name) =>
        double.TryParse(
            Text(answer, name), System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture, out var seconds)
        && seconds is >= 0 and < 1e6
            ? TimeSpan.FromSeconds(seconds)
            : null;

    /// <summary>A header's text, or null.</summary>
    public static string? Text(HttpResponseMessage answer, string name) =>
        answer.Headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;
}

/// <summary>A bucket: one call at a time, in order, none while it is empty.</summary>
internal sealed class RateLimitBucket(TimeProvider time)
{
    private readonly Lock _gate = new();
    private Task _last = Task.CompletedTask;   // ends with the last call that entered
    private int _remaining = 1;
    private long _fullAt;

    /// <summary>Calls left, as last heard.</summary>
    public int Remaining => _remaining;

    /// <summary>Waits for this call's turn; disposing the result lets the next one go.</summary>
    public async Task<IDisposable> EnterAsync(CancellationToken cancellationToken)
    {
        var mine = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task before;
        lock (_gate)
        {
            (before, _last) = (_last, mine.Task);
        }

        try
        {
            await before.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            _ = before.ContinueWith(_ => mine.TrySetResult(), TaskScheduler.Default);   // gives up its place in the row
            throw;
        }

        return new Turn(mine);
    }

    /// <summary>Waits while the bucket is empty; only for who has entered.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        while (_remaining <= 0 && Left(_fullAt, time) is { } wait)
        {
            await Task.Delay(wait, time, cancellationToken);
        }
    }

    /// <summary>Takes over what an answer said.</summary>
    public void Learn(RateLimitHeaders headers)
    {
        if (headers.Remaining is { } remaining && headers.ResetAfter is { } after)
        {
            (_remaining, _fullAt) = (remaining, time.GetTimestamp() + Ticks(after, time));
        }
    }

    /// <summary>Refused: nothing for this long.</summary>
    public void Block(TimeSpan wait) => (_remaining, _fullAt) = (0, time.GetTimestamp() + Ticks(wait, time));

    internal static long Ticks(TimeSpan span, TimeProvider time) => (long)Math.Ceiling(span.TotalSeconds * time.TimestampFrequency);

    /// <summary>Until a timestamp; null if it has passed.</summary>
    internal static TimeSpan? Left(long until, TimeProvider time)
    {
        var ticks = until - time.GetTimestamp();
        return ticks <= 0 ? null : TimeSpan.FromSeconds(Math.Max(0.001, (double)ticks / time.TimestampFrequency));
    }

    private sealed class Turn(TaskCompletionSource mine) : IDisposable
    {
        public void Dispose() => mine.TrySetResult();
    }
}

/// <summary>All buckets and the limit over all of them (50 calls a second). Thread-safe.</summary>
internal sealed class RateLimits(TimeProvider time, int mostPerSecond = 50)
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, string> _names = [];   // route to Discord's name of its bucket
    private readonly Dictionary<string, RateLimitBucket> _buckets = [];
    private readonly Queue<long> _sent = [];
    private long _blockedUntil;

    /// <summary>Buckets known.</summary>
    public int Count => _buckets.Count;

    /// <summary>The bucket of a call, by Discord's name as soon as that is known.</summary>
    public RateLimitBucket BucketOf(RestRequest request)
    {
        lock (_gate)
        {
            return Bucket(_names.GetValueOrDefault(RouteOf(request), RouteOf(request)), request);
        }
    }

    /// <summary>Takes over what an answer said, into the bucket it was sent through and the one Discord names.</summary>
    public void Learn(RestRequest request, RateLimitBucket sentThrough, RateLimitHeaders headers)
    {
        lock (_gate)
        {
            sentThrough.Learn(headers);
            if (headers.Bucket is { } name && (!_names.TryGetValue(RouteOf(request), out var known) || known != name))
            {
                _names[RouteOf(request)] = name;
                if (_buckets.Count > 10_000)
                {
                    _buckets.Clear();   // of channels long silent; they are learned again
                }

                _buckets.TryAdd($"{name} {request.TopLevel}", sentThrough);   // keeps its queue and its count
            }
        }
    }

    /// <summary>Waits until one more call may be made at all.</summary>
    public async Task WaitForAllAsync(CancellationToken cancellationToken)
    {
        while (TryTake() is { } wait)
        {
            await Task.Delay(wait, time, cancellationToken);
        }
    }

    /// <summary>Refused for all calls: nothing for this long.</summary>
    public void BlockAll(TimeSpan wait)
    {
        lock (_gate)
        {
            _blockedUntil = Math.Max(_blockedUntil, time.GetTimestamp() + RateLimitBucket.Ticks(wait, time));
        }
    }

    private TimeSpan? TryTake()
    {
        lock (_gate)
        {
            if (RateLimitBucket.Left(_blockedUntil, time) is { } blocked)
            {
                return blocked;
            }

            while (_sent.TryPeek(out var oldest) && time.GetElapsedTime(oldest) >= Second)
            {
                _sent.Dequeue();
            }

            if (_sent.Count >= mostPerSecond)
            {
                return RateLimitBucket.Left(_sent.Peek() + RateLimitBucket.Ticks(Second, time), time) ?? TimeSpan.FromMilliseconds(1);
            }

            _sent.Enqueue(time.GetTimestamp());
            return null;
        }
    }

    private RateLimitBucket Bucket(string name, RestRequest request)
    {
        var key = $"{name} {request.TopLevel}";
        if (!_buckets.TryGetValue(key, out var bucket))
        {
            _buckets[key] = bucket = new RateLimitBucket(time);
        }

        return bucket;
    }

    private static string RouteOf(RestRequest request) => $"{request.Method} {request.Route}";
}
