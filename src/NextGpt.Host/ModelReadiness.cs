namespace NextGpt.Host;

/// <summary>Whether the model can answer: said by whoever loads it, asked at admission and by <c>/readyz</c>. Thread-safe.</summary>
/// <param name="time">The clock that estimates the rest of loading.</param>
public sealed class ModelReadiness(TimeProvider time)
{
    private readonly Lock _gate = new();
    private string? _failure;
    private double _progress = 1;
    private long _loadingSince;

    /// <summary>Whether turns are admitted. True until somebody says otherwise.</summary>
    public bool IsReady => Cause is null;

    /// <summary>One word for why not: <c>model_loading</c> or <c>model_failed</c>; null when ready.</summary>
    public string? Cause
    {
        get
        {
            lock (_gate)
            {
                return _failure is not null ? "model_failed" : _progress < 1 ? "model_loading" : null;
            }
        }
    }

    /// <summary>Share that is loaded, 0 to 1.</summary>
    public double Progress
    {
        get
        {
            lock (_gate)
            {
                return _progress;
            }
        }
    }

    /// <summary>Says how much is loaded; 1 is ready.</summary>
    /// <param name="progress">0 to 1.</param>
    public void Loading(double progress)
    {
        lock (_gate)
        {
            if (_progress >= 1 || _failure is not null)
            {
                _loadingSince = time.GetTimestamp();
            }

            _failure = null;
            _progress = Math.Clamp(progress, 0, 1);
        }
    }

    /// <summary>Says that the model can answer.</summary>
    public void Ready() => Loading(1);

    /// <summary>Says that the model cannot answer, in a sentence for the person.</summary>
    /// <param name="because">Without paths.</param>
    public void Failed(string because)
    {
        lock (_gate)
        {
            _failure = because;
        }
    }

    /// <summary>The error that a turn gets now, or null when it can be answered.</summary>
    public TurnError? Refusal()
    {
        lock (_gate)
        {
            if (_failure is not null)
            {
                return ErrorCatalogue.ModelUnavailable.RetryIn(TimeSpan.FromMinutes(1), _failure);
            }

            if (_progress >= 1)
            {
                return null;
            }

            var elapsed = time.GetElapsedTime(_loadingSince);
            var left = _progress <= 0.01
                ? TimeSpan.FromSeconds(10)
                : TimeSpan.FromSeconds(Math.Max(1, Math.Ceiling(elapsed.TotalSeconds * (1 - _progress) / _progress)));
            return ErrorCatalogue.ModelLoading.RetryIn(left, Math.Floor(_progress * 100), left.TotalSeconds);
        }
    }
}
