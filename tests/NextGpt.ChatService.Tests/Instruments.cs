using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace NextGpt.ChatService.Tests;

/// <summary>Listens to the spans and measurements of one source, of one model.</summary>
internal sealed class Instruments : IDisposable
{
    private readonly ActivityListener _spans;
    private readonly MeterListener _meters = new();
    private readonly ConcurrentQueue<Activity> _ended = [];
    private readonly ConcurrentQueue<Measurement> _measured = [];

    public Instruments(string model, Func<string, bool> source)
    {
        _spans = new ActivityListener
        {
            ShouldListenTo = candidate => source(candidate.Name),
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
            {
                if (Equals(activity.GetTagItem("gen_ai.request.model"), model))
                {
                    _ended.Enqueue(activity);
                }
            },
        };
        ActivitySource.AddActivityListener(_spans);
        _meters.InstrumentPublished = (instrument, listener) =>
        {
            if (source(instrument.Meter.Name))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _meters.SetMeasurementEventCallback<double>(Measure);
        _meters.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Measure(instrument, value, tags, null));
        _meters.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Measure(instrument, value, tags, null));
        _meters.Start();

        void Measure(
            Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state)
        {
            if (tags.ToArray().Any(tag => Equals(tag.Value, model)))
            {
                _measured.Enqueue(new(instrument.Name, value) { Tags = tags.ToArray().ToDictionary() });
            }
        }
    }

    public IReadOnlyCollection<Activity> Spans => _ended;

    public IReadOnlyCollection<Measurement> Measured => _measured;

    public void Dispose()
    {
        _spans.Dispose();
        _meters.Dispose();
    }

    public sealed record Measurement(string Name, double Value)
    {
        public IReadOnlyDictionary<string, object?> Tags { get; init; } = new Dictionary<string, object?>();
    }
}
