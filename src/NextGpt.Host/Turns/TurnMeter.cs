using System.Diagnostics.Metrics;

namespace NextGpt.Host.Turns;

/// <summary>Counts and times of turns, without content and without persons.</summary>
internal sealed class TurnMeter : IDisposable
{
    /// <summary>The meter's name, for exporters.</summary>
    public const string Name = "NextGpt.Host";

    private readonly Meter _meter;
    private readonly Counter<long> _turns;
    private readonly Counter<long> _tokens;
    private readonly Counter<long> _votes;
    private readonly Histogram<double> _duration;
    private readonly Histogram<double> _firstText;
    private readonly Histogram<double> _waited;

    public TurnMeter(IMeterFactory? meters, TurnQueue queue)
    {
        _meter = meters?.Create(Name) ?? new Meter(Name);
        _turns = _meter.CreateCounter<long>("nextgpt.turns", description: "Turns by surface and outcome.");
        _tokens = _meter.CreateCounter<long>("nextgpt.tokens", "{token}", "Tokens read and written.");
        _votes = _meter.CreateCounter<long>("nextgpt.votes", description: "Votes on answers, kept or not.");
        _duration = _meter.CreateHistogram<double>("nextgpt.turn.duration", "s", "Work on one turn.");
        _firstText = _meter.CreateHistogram<double>("nextgpt.turn.first_text", "s", "From work begun to the first text.");
        _waited = _meter.CreateHistogram<double>("nextgpt.turn.waited", "s", "From admission to work begun.");
        _meter.CreateObservableGauge("nextgpt.queue.waiting", () => queue.Waiting, description: "Turns that wait.");
        _meter.CreateObservableGauge("nextgpt.queue.working", () => queue.Working, description: "Turns being answered.");
    }

    public void Turn(string surface, string outcome) =>
        _turns.Add(1, new("surface", surface), new KeyValuePair<string, object?>("outcome", outcome));

    public void Work(Reply reply, TimeSpan waited)
    {
        _tokens.Add(reply.PromptTokens, new KeyValuePair<string, object?>("direction", "in"));
        _tokens.Add(reply.ReplyTokens, new KeyValuePair<string, object?>("direction", "out"));
        _duration.Record(reply.Duration.TotalSeconds);
        _waited.Record(waited.TotalSeconds);
        if (reply.FirstText is { } firstText)
        {
            _firstText.Record(firstText.TotalSeconds);
        }
    }

    public void Vote(string vote) => _votes.Add(1, new KeyValuePair<string, object?>("vote", vote));

    public void Dispose() => _meter.Dispose();
}
