using System.Threading.Channels;

namespace NextGpt.Model;

/// <content>What waits in the queue: requests, loading, changes.</content>
public sealed partial class ModelThread
{
    /// <summary>One request: planned where it was asked if the model is there, else on the model thread.</summary>
    private sealed class ReplyWork : ModelWork, IDisposable
    {
        private readonly ModelThread _owner;
        private readonly GenerationRequest _request;
        private readonly CancellationToken _stop;
        private readonly Channel<GenerationEvent> _events = Channel.CreateUnbounded<GenerationEvent>();
        private readonly CancellationTokenRegistration _leaving;
        private readonly (LoadedModel Model, ReplyPlan Plan)? _planned;

        public ReplyWork(ModelThread owner, GenerationRequest request, CancellationToken stop)
        {
            _owner = owner;
            _request = request;
            _stop = stop;
            if (owner._model is { } model)
            {
                _planned = (model, ReplyPlan.Make(request, model, owner._options));   // refused without waiting
            }

            _leaving = stop.Register(() =>
            {
                owner._queue.Remove(this);
                Fail(new OperationCanceledException(stop));
            });
        }

        public ChannelReader<GenerationEvent> Events => _events.Reader;

        public override void Run()
        {
            _stop.ThrowIfCancellationRequested();
            var model = _owner.Loaded(again: false);
            _stop.ThrowIfCancellationRequested();
            var plan = _planned is { } planned && ReferenceEquals(planned.Model, model)
                ? planned.Plan
                : ReplyPlan.Make(_request, model, _owner._options);
            try
            {
                new ReplyWriter(
                    model, _owner._prefixes, _owner._time, generationEvent => _events.Writer.TryWrite(generationEvent), _owner.LogMediaFailed)
                    .Write(_owner.IdWith(model.Adapter), _request, plan, _stop);
            }
            finally
            {
                _owner.LetDecodersRest();
            }

            _events.Writer.TryComplete();
        }

        public override void Fail(Exception failure) => _events.Writer.TryComplete(failure);

        public void Dispose() => _leaving.Dispose();
    }

    /// <summary>Loads the model, or changes it.</summary>
    private sealed class ChangeWork(ModelThread owner, Func<LoadedModel, LoadedModel>? change) : ModelWork
    {
        private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Done => _done.Task;

        public override void Run()
        {
            var model = owner.Loaded(again: true);
            if (change is not null)
            {
                owner._prefixes.Clear();
                model = change(model);
                owner._model = model;
                owner.Publish(owner._status with
                {
                    ModelId = owner.IdWith(model.Adapter),
                    Engine = model.Engine.Description,
                });
            }

            _done.TrySetResult();
        }

        public override void Fail(Exception failure)
        {
            if (failure is OperationCanceledException cancelled)
            {
                _done.TrySetCanceled(cancelled.CancellationToken);
            }
            else
            {
                _done.TrySetException(failure);
            }
        }
    }

    /// <summary>Lets decoders go that have rested long enough.</summary>
    private sealed class RestWork(ModelThread owner) : ModelWork
    {
        public override void Run() => owner.LetDecodersRest();

        public override void Fail(Exception failure)
        {
            // Nobody waits for it; the thread has logged it.
        }
    }
}
