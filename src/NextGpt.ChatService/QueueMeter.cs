using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace NextGpt.ChatService;

/// <summary>Counts the calls that wait for the model and measures how long; meter <c>NextGpt.Model</c>.</summary>
internal sealed class QueueMeter : IDisposable
{
    public const string Name = "NextGpt.Model";

    private readonly Meter _meter;
    private readonly UpDownCounter<int> _length;
    private readonly Histogram<double> _wait;
    private readonly TimeProvider _time;

    /// <summary>Makes the instruments.</summary>
    /// <param name="meters">The container's factory, or null for a meter of one's own.</param>
    /// <param name="time">Measures waits.</param>
    public QueueMeter(IMeterFactory? meters, TimeProvider time)
    {
        _time = time;
        _meter = meters?.Create(Name) ?? new Meter(Name);
        _length = _meter.CreateUpDownCounter<int>(
            "nextgpt.queue.length", "{request}", "Requests that wait for the model.");
        _wait = _meter.CreateHistogram<double>(
            "nextgpt.queue.wait", "s", "Time from the request until the model began with it.");
    }

    /// <summary>A request begins to wait.</summary>
    /// <param name="modelId">The model it waits for.</param>
    public Wait Begin(string modelId) => new(this, modelId);

    public void Dispose() => _meter.Dispose();

    /// <summary>One request's wait; ends with the first of the two, the model's begin or the request's end.</summary>
    internal sealed class Wait : IDisposable
    {
        private readonly QueueMeter _owner;
        private readonly TagList _tags;
        private readonly long _begun;
        private bool _over;

        public Wait(QueueMeter owner, string modelId)
        {
            _owner = owner;
            _tags = new TagList { { "gen_ai.request.model", modelId } };
            _begun = owner._time.GetTimestamp();
            owner._length.Add(1, _tags);
        }

        /// <summary>The model began: the wait is measured.</summary>
        public void End()
        {
            if (!_over)
            {
                _owner._wait.Record(_owner._time.GetElapsedTime(_begun).TotalSeconds, _tags);
                Dispose();
            }
        }

        /// <summary>The request left the queue, whether or not its turn came.</summary>
        public void Dispose()
        {
            if (!_over)
            {
                _over = true;
                _owner._length.Add(-1, _tags);
            }
        }
    }
}
