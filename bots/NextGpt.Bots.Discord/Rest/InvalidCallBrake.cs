namespace NextGpt.Bots.Discord.Rest;

/// <summary>
/// Counts calls that Discord refused as invalid: 10,000 in ten minutes ban the address. From 1,000 on calls are slowed
/// down, from 5,000 on none is made; a refused token ends all calls. Thread-safe.
/// </summary>
internal sealed class InvalidCallBrake(TimeProvider time, int slowFrom = 1_000, int stopFrom = 5_000)
{
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Slow = TimeSpan.FromSeconds(1);
    private readonly Lock _gate = new();
    private readonly Queue<long> _invalid = [];
    private bool _tokenRefused;

    /// <summary>Invalid calls of the last ten minutes.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                Forget();
                return _invalid.Count;
            }
        }
    }

    /// <summary>True once Discord refused the token.</summary>
    public bool IsTokenRefused => _tokenRefused;

    /// <summary>Counts an answer if it is of the kind that bans.</summary>
    /// <param name="status">The HTTP status.</param>
    /// <param name="scope">Of a 429; <c>shared</c> does not count.</param>
    public void Count429Or4xx(int status, string? scope)
    {
        if (status is 401 or 403 || (status == 429 && scope != "shared"))
        {
            lock (_gate)
            {
                _invalid.Enqueue(time.GetTimestamp());
                _tokenRefused |= status == 401;
            }
        }
    }

    /// <summary>Waits as long as the count asks for.</summary>
    /// <exception cref="RestException">The token was refused; nothing is sent any more.</exception>
    public async Task PassAsync(CancellationToken cancellationToken)
    {
        if (_tokenRefused)
        {
            throw new RestException(401, 0, "the token was refused, so nothing more is sent; make a new one and restart.");
        }

        var count = Count;
        if (count >= slowFrom && count < stopFrom)
        {
            await Task.Delay(Slow, time, cancellationToken);
        }

        while (Count >= stopFrom)
        {
            await Task.Delay(TimeSpan.FromSeconds(10), time, cancellationToken);
        }
    }

    private void Forget()
    {
        while (_invalid.TryPeek(out var oldest) && time.GetElapsedTime(oldest) >= Window)
        {
            _invalid.Dequeue();
        }
    }
}
