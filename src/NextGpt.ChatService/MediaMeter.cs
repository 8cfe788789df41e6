using System.Diagnostics;
using System.Diagnostics.Metrics;
using NextGpt.Media;

namespace NextGpt.ChatService;

/// <summary>Counts the media that were made and measures how long each took; meter <c>NextGpt.Model</c>.</summary>
internal sealed class MediaMeter : IDisposable
{
    private readonly Meter _meter;
    private readonly Counter<long> _rendered;
    private readonly Histogram<double> _duration;

    /// <summary>Makes the instruments.</summary>
    /// <param name="meters">The container's factory, or null for a meter of one's own.</param>
    public MediaMeter(IMeterFactory? meters)
    {
        _meter = meters?.Create(QueueMeter.Name) ?? new Meter(QueueMeter.Name);
        _rendered = _meter.CreateCounter<long>("nextgpt.media.rendered", "{item}", "Media that were made.");
        _duration = _meter.CreateHistogram<double>(
            "nextgpt.media.duration", "s", "Time from a medium's signal until its file was whole.");
    }

    /// <summary>A medium is whole.</summary>
    /// <param name="modelId">The model that made it.</param>
    /// <param name="kind">Picture, sound or clip.</param>
    /// <param name="duration">From its signal.</param>
    public void Rendered(string modelId, MediaKind kind, TimeSpan duration)
    {
        var tags = new TagList
        {
            { "gen_ai.request.model", modelId },
            { "nextgpt.media.kind", MediaOptionsReader.NameOf(kind) },
        };
        _rendered.Add(1, tags);
        _duration.Record(duration.TotalSeconds, tags);
    }

    public void Dispose() => _meter.Dispose();
}
