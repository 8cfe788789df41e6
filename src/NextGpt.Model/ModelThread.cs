using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace NextGpt.Model;

/// <summary>Owns the network: one thread on which everything is computed, and the queue before it (rule 11).</summary>
/// <remarks>
/// The model is loaded by the first request, or by <see cref="LoadAsync"/>. All members are thread-safe. Requests are
/// answered in the order in which they came; fairness between people is for whoever asks.
/// </remarks>
public sealed partial class ModelThread : IGenerator, IMediaEmbedder, IAsyncDisposable, IDisposable
{
    private readonly string _baseId;
    private readonly ModelOptions _options;
    private readonly ModelLoading _load;
    private readonly TimeProvider _time;
    private readonly ILogger<ModelThread> _logger;
    private readonly WorkQueue _queue;
    private readonly PrefixCache _prefixes;
    private readonly CancellationTokenSource _closing = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lazy<ModelAbilities> _abilities;
    private readonly Lock _gate = new();
    private readonly List<IProgress<ModelStatus>> _watchers = [];
    private Thread? _thread;
    private volatile ModelStatus _status;
    private volatile LoadedModel? _model;
    private ITimer? _rest;
    private bool _disposed;

    internal ModelThread(
        string modelId, string source, ModelOptions options, ModelLoading load, TimeProvider time, ILogger<ModelThread> logger,
        Func<ModelAbilities>? abilities = null)
    {
        _abilities = new Lazy<ModelAbilities>(abilities ?? (() => ModelAbilities.TextOnly));
        _baseId = modelId;
        _options = options;
        _load = load;
        _time = time;
        _logger = logger;
        _queue = new WorkQueue(options.MaxQueuedRequests);
        _prefixes = new PrefixCache(options.PrefixCacheMegabytes * 1_048_576L);
        _status = new ModelStatus { State = ModelState.NotLoaded, ModelId = modelId, Source = source };
    }

    /// <inheritdoc/>
    public string ModelId => _status.ModelId;

    /// <inheritdoc/>
    public ModelAbilities Abilities => _model is { } model ? model.Media?.Abilities ?? ModelAbilities.TextOnly : _abilities.Value;

    /// <summary>Where the model stands now: state, percent, source, time, or what went wrong.</summary>
    public ModelStatus Status => _status;

    /// <summary>Requests that wait, the one being answered not counted.</summary>
    public int QueuedRequests => _queue.Count;

    /// <summary>A thread for the model that settings name; nothing is loaded yet.</summary>
    /// <param name="options">Which model, on which device.</param>
    /// <param name="time">The clock; null is the machine's.</param>
    /// <param name="logger">Hears what happens; null is nobody.</param>
    public static ModelThread Of(ModelOptions options, TimeProvider? time = null, ILogger<ModelThread>? logger = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        var clock = time ?? TimeProvider.System;
        return new ModelThread(
            LanguageModelLoader.IdOf(options), LanguageModelLoader.SourceOf(options), options,
            (progress, cancellationToken) => LanguageModelLoader.Load(options, clock, progress, cancellationToken),
            clock, logger ?? NullLogger<ModelThread>.Instance, () => LanguageModelLoader.AbilitiesOf(options));
    }

    /// <summary>Loads the model unless it is loaded; tries again after a failure.</summary>
    /// <param name="progress">Gets every change of <see cref="Status"/> until the model is ready or failed.</param>
    /// <param name="cancellationToken">Stops waiting, not the loading: others may wait for it too.</param>
    /// <exception cref="GenerationRefusedException">It could not be loaded; the sentence says why and what to do.</exception>
    public async Task LoadAsync(IProgress<ModelStatus>? progress = null, CancellationToken cancellationToken = default)
    {
        var work = new ChangeWork(this, change: null);
        if (progress is not null)
        {
            lock (_gate)
            {
                _watchers.Add(progress);
            }

            progress.Report(_status);
        }

        try
        {
            Enqueue(work, bounded: false);
            await work.Done.WaitAsync(cancellationToken);
        }
        finally
        {
            if (progress is not null)
            {
                lock (_gate)
                {
                    _watchers.Remove(progress);
                }
            }
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<GenerationEvent> GenerateAsync(
        GenerationRequest request, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        cancellationToken.ThrowIfCancellationRequested();
        ReplyPlan.Check(request);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _closing.Token);
        using var work = new ReplyWork(this, request, stop.Token);
        ThrowIfFull(Enqueue(work, bounded: true));
        if (stop.IsCancellationRequested)
        {
            _queue.Remove(work);   // cancelled just before it got its place
        }

        try
        {
            await foreach (var generationEvent in work.Events.ReadAllAsync(cancellationToken))
            {
                yield return generationEvent;
            }
        }
        finally
        {
            await stop.CancelAsync();   // the reader may have broken off: give the network to the next request
        }
    }

    /// <summary>Stops the reply in progress, gives waiting requests back as cancelled, and frees the network.</summary>
    public async ValueTask DisposeAsync()
    {
        bool started;
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            started = _thread is not null;
        }

        await _closing.CancelAsync();
        foreach (var work in _queue.Close())
        {
            work.Fail(new OperationCanceledException("The model is shutting down."));
        }

        if (started)
        {
            await _ended.Task;
        }

        _closing.Dispose();
    }

    /// <summary>As <see cref="DisposeAsync"/>, waiting for the step in progress to end.</summary>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    /// <summary>Changes the loaded model between two requests (another adapter, other weights); kept prefixes are given up.</summary>
    /// <param name="change">Runs on the model thread; gives the model that speaks from then on.</param>
    /// <param name="cancellationToken">Stops waiting; a change that has begun is finished.</param>
    internal Task ChangeAsync(Func<LoadedModel, LoadedModel> change, CancellationToken cancellationToken = default)
    {
        var work = new ChangeWork(this, change);
        Enqueue(work, bounded: false);
        return work.Done.WaitAsync(cancellationToken);
    }

    private void ThrowIfFull(bool queued)
    {
        if (!queued)
        {
            throw new GenerationRefusedException(
                GenerationRefusal.QueueFull,
                $"{_options.MaxQueuedRequests} requests are waiting for the model; try again in a moment.");
        }
    }

    private bool Enqueue(ModelWork work, bool bounded)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_thread is null)
            {
                _thread = new Thread(Run) { IsBackground = true, Name = "Model" };
                _thread.Start();
            }
        }

        return _queue.TryAdd(work, bounded);
    }

    private void Run()
    {
        while (_queue.Take() is { } work)
        {
            try
            {
                work.Run();
            }
            catch (OperationCanceledException cancelled)
            {
                work.Fail(cancelled);
            }
            catch (GenerationRefusedException refused)
            {
                work.Fail(refused);
            }
            catch (Exception failure)   // an edge (rule 21): the thread outlives whatever one request does
            {
                LogWorkFailed(failure);
                work.Fail(failure);
            }
        }

        _rest?.Dispose();
        _prefixes.Dispose();
        _model?.Media?.Dispose();
        _model?.Engine.Dispose();
        _ended.SetResult();
    }

    /// <summary>The model, loaded now if it is not; on the model thread.</summary>
    private LoadedModel Loaded(bool again)
    {
        if (_model is { } ready)
        {
            return ready;
        }

        if (_status is { State: ModelState.Failed, Failure: { } earlier } && !again)
        {
            throw new GenerationRefusedException(GenerationRefusal.ModelUnavailable, earlier);
        }

        var started = _time.GetTimestamp();
        Publish(_status with { State = ModelState.Loading, Percent = 0, Failure = null });
        LogLoading(_baseId);
        try
        {
            var model = _load(new LoadProgress(this), _closing.Token);
            _model = model;
            var took = _time.GetElapsedTime(started);
            Publish(_status with
            {
                State = ModelState.Ready,
                ModelId = IdWith(model.Adapter),
                Percent = 100,
                LoadTime = took,
                Engine = model.Engine.Description,
                Lost = model.Lost,
            });
            foreach (var lost in model.Lost)
            {
                LogLost(_baseId, lost);
            }

            LogLoaded(_baseId, model.Engine.Description, took.TotalSeconds);
            return model;
        }
        catch (OperationCanceledException)
        {
            Publish(_status with { State = ModelState.NotLoaded, Percent = 0 });
            throw;
        }
        catch (Exception failure)   // whatever is wrong with the files or the device is said in a sentence
        {
            var sentence = failure is InvalidDataException or IOException or InvalidOperationException
                    or UnauthorizedAccessException or GenerationRefusedException or NotSupportedException
                ? failure.Message
                : $"The model {_baseId} could not be loaded ({failure.GetType().Name}); the log says more. Check its files.";
            LogLoadFailed(failure, _baseId);
            Publish(_status with { State = ModelState.Failed, Failure = sentence });
            throw new GenerationRefusedException(GenerationRefusal.ModelUnavailable, sentence);
        }
    }

    /// <summary>Lets decoders go that have rested long enough, and sees to the others later; on the model thread.</summary>
    private void LetDecodersRest()
    {
        if (_model?.Media?.OffLoadIdle(_options.DecoderRest) is not { } next)
        {
            return;
        }

        _rest ??= _time.CreateTimer(_ => Rest(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _rest.Change(next, Timeout.InfiniteTimeSpan);
    }

    private void Rest()
    {
        try
        {
            Enqueue(new RestWork(this), bounded: false);
        }
        catch (ObjectDisposedException)
        {
            // The thread is ending and takes the decoders with it.
        }
    }

    private void LogMediaFailed(Media.MediaKind kind, Exception failure) => LogMediumFailed(failure, kind);

    private string IdWith(string? adapter) => adapter is null ? _baseId : $"{_baseId}+{adapter}";

    private void Publish(ModelStatus status)
    {
        _status = status;
        List<IProgress<ModelStatus>> watchers;
        lock (_gate)
        {
            watchers = [.. _watchers];
        }

        foreach (var watcher in watchers)
        {
            watcher.Report(status);
        }
    }

    [LoggerMessage(100, LogLevel.Information, "Loading model {ModelId}")]
    private partial void LogLoading(string modelId);

    [LoggerMessage(101, LogLevel.Information, "Model {ModelId} is ready ({Engine}) after {Seconds:F1} s")]
    private partial void LogLoaded(string modelId, string engine, double seconds);

    [LoggerMessage(102, LogLevel.Error, "Model {ModelId} could not be loaded")]
    private partial void LogLoadFailed(Exception failure, string modelId);

    [LoggerMessage(104, LogLevel.Warning, "Model {ModelId} goes without a part: {Sentence}")]
    private partial void LogLost(string modelId, string sentence);

    [LoggerMessage(105, LogLevel.Error, "A medium of kind {Kind} could not be made")]
    private partial void LogMediumFailed(Exception failure, Media.MediaKind kind);

    [LoggerMessage(103, LogLevel.Error, "A request failed inside the model")]
    private partial void LogWorkFailed(Exception failure);

    private sealed class LoadProgress(ModelThread owner) : IProgress<double>
    {
        public void Report(double value)
        {
            var percent = (int)Math.Clamp(value * 100, 0, 99);
            if (percent != owner._status.Percent)
            {
                owner.Publish(owner._status with { Percent = percent });
            }
        }
    }
}
