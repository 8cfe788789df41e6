using System.Text;
using System.Text.Json.Nodes;
using NextGpt.Bots.Teams.Activities;
using NextGpt.Bots.Teams.Connector;

namespace NextGpt.Bots.Teams.Bot;

/// <summary>
/// Brings one answer to the person: streamed where the chat allows it, else "is writing" and one message. A stream that is
/// refused, too slow or too long becomes a message; whatever happens, the text arrives once.
/// </summary>
internal sealed class ReplyWriter : IAsyncDisposable
{
    private static readonly TimeSpan TypingEvery = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan LeastGap = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestInterval = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly StringBuilder _text = new();
    private readonly TaskCompletionSource _finishing = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConnectorClient _client;
    private readonly ReplyAddress _address;
    private readonly string? _questionId;
    private readonly TeamsOptions _options;
    private readonly TimeProvider _time;
    private readonly Action _stop;
    private readonly Task _pump;
    private string _informative = "Thinking…";
    private Phase _phase;
    private string? _streamId;
    private int _sequence;
    private int _shown;      // length of the text that the service has taken
    private int _closedAt;   // length of the text in a stream that was closed
    private long _lastCall;

    /// <summary>Begins at once: the first sign of life (TRN-1).</summary>
    /// <param name="client">Where to.</param>
    /// <param name="address">Whom to.</param>
    /// <param name="questionId">The activity that is answered, or null.</param>
    /// <param name="streams">Whether the chat shows text while it comes.</param>
    /// <param name="options">Pace.</param>
    /// <param name="time">The clock.</param>
    /// <param name="stop">Called when the person pressed stop, or nobody is there any more.</param>
    public ReplyWriter(
        ConnectorClient client, ReplyAddress address, string? questionId, bool streams, TeamsOptions options, TimeProvider time,
        Action stop)
    {
        (_client, _address, _questionId, _options, _time, _stop) = (client, address, questionId, options, time, stop);
        _phase = streams ? Phase.Streaming : Phase.Whole;
        _lastCall = time.GetTimestamp();
        _pump = PumpAsync();
    }

    private enum Phase
    {
        Streaming,
        Whole,      // one message at the end
        Late,       // the service ended the stream for its age: it is updated
        Closed,     // we ended the stream: what follows is a message of its own
        Stopped,    // the person wants no more
    }

    /// <summary>Says what goes on, as long as there is no text.</summary>
    public void Inform(string sentence)
    {
        lock (_gate)
        {
            _informative = sentence;
        }
    }

    /// <summary>Adds text of the answer, unescaped.</summary>
    public void Append(string text)
    {
        lock (_gate)
        {
            // A picture's "![" may come in two pieces.
            var before = _text.Length > 0 && _text[^1] == '!' ? "!" : "";
            _text.Append(MessageText.Escape(before + text).AsSpan(before.Length));
        }
    }

    /// <summary>Completes the answer.</summary>
    /// <param name="notices">Lines under it, escaped; empty is none.</param>
    /// <param name="ifEmpty">What to say if there is no text.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The id of the message that carries the thumbs; null if it cannot be addressed.</returns>
    public async Task<string?> FinishAsync(string notices, string ifEmpty, CancellationToken cancellationToken = default)
    {
        _finishing.TrySetResult();
        await _pump;
        string text;
        lock (_gate)
        {
            if (_text.Length == 0)
            {
                _text.Append(ifEmpty);
            }

            text = notices.Length == 0 ? _text.ToString() : $"{_text}\n\n{notices}";
        }

        switch (_phase)
        {
            case Phase.Stopped:
                return null;
            case Phase.Streaming when _streamId is not null:
                return await FinishStreamAsync(text, cancellationToken);
            case Phase.Late when _streamId is not null:
                return await UpdateAsync(text, cancellationToken) ?? await SendWholeAsync(text, cancellationToken);
            case Phase.Closed:
                return await SendWholeAsync(text[_closedAt..].TrimStart('\n'), cancellationToken);
            default:
                return await SendWholeAsync(text, cancellationToken);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _finishing.TrySetResult();
        await _pump;
    }

    private async Task PumpAsync()
    {
        var begun = _time.GetTimestamp();
        var interval = _options.StreamInterval;
        string? sent = null;
        while (_phase == Phase.Streaming && !_finishing.Task.IsCompleted)
        {
            var (text, isAnswer) = Next();
            if (_time.GetElapsedTime(begun) >= _options.StreamLimit && _streamId is not null)
            {
                await CloseAsync();
                break;
            }

            if (text != sent)
            {
                var answer = await CallAsync(Update(text, isAnswer ? "streaming" : "informative"), Retry.Never);
                if (answer.Status == 429)
                {
                    interval = interval * 2 < LongestInterval ? interval * 2 : LongestInterval;
                }
                else
                {
                    sent = text;
                    Judge(answer, isAnswer ? text.Length : 0);
                }
            }

            await WaitAsync(interval);
        }

        while (_phase is Phase.Whole or Phase.Closed && !_finishing.Task.IsCompleted)
        {
            await _client.TypeAsync(_address);
            await WaitAsync(TypingEvery);
        }
    }

    private (string Text, bool IsAnswer) Next()
    {
        lock (_gate)
        {
            return _text.Length == 0
                ? (_informative, false)
                : (_text.ToString(0, Math.Min(_text.Length, MessageText.MaxLength)), true);
        }
    }

    /// <summary>Until the time is over or the answer is complete.</summary>
    private async Task WaitAsync(TimeSpan interval)
    {
        using var stop = new CancellationTokenSource();
        await Task.WhenAny(Task.Delay(interval, _time, stop.Token), _finishing.Task);
        await stop.CancelAsync();
    }

    private async Task<ConnectorAnswer> CallAsync(OutgoingActivity activity, Retry retry)
    {
        if (_sequence > 0 && LeastGap - _time.GetElapsedTime(_lastCall) is { Ticks: > 0 } left)
        {
            await Task.Delay(left, _time);
        }

        var answer = await _client.SendAsync(_address, activity, retry);
        _lastCall = _time.GetTimestamp();
        return answer;
    }

    /// <summary>What the service's answer to an update means for the rest of the stream.</summary>
    private void Judge(ConnectorAnswer answer, int shown)
    {
        var first = _streamId is null;
        if (answer.IsDone)
        {
            _sequence++;
            _shown = Math.Max(_shown, shown);
            _streamId ??= answer.Id;
            _phase = _streamId is null ? Phase.Whole : Phase.Streaming;
        }
        else if (answer.Status == 403 && IsStreamRefusal(answer) && !first)
        {
            _phase = IsTooLate(answer) ? Phase.Late : IsTooLarge(answer) ? Phase.Closed : Phase.Stopped;
            _closedAt = _shown;
            if (_phase == Phase.Stopped)
            {
                _stop();
            }
        }
        else if (answer.Status == 403 && !IsStreamRefusal(answer))
        {
            _phase = Phase.Stopped;   // the bot was removed
            _stop();
        }
        else if (first || answer.Status is >= 400 and < 500)
        {
            _phase = Phase.Whole;
        }
    }

    private static bool IsStreamRefusal(ConnectorAnswer answer) =>
        string.Equals(answer.Code, "ContentStreamNotAllowed", StringComparison.OrdinalIgnoreCase);

    private static bool IsTooLate(ConnectorAnswer answer) =>
        answer.Message is { } message && message.Contains("exceeded", StringComparison.OrdinalIgnoreCase)
        && message.Contains("time", StringComparison.OrdinalIgnoreCase);

    private static bool IsTooLarge(ConnectorAnswer answer) =>
        answer.Message is { } message && message.Contains("size", StringComparison.OrdinalIgnoreCase);

    /// <summary>Ends the stream with what there is, before the service does.</summary>
    private async Task CloseAsync()
    {
        var (text, isAnswer) = Next();
        var answer = await CallAsync(
            Final(isAnswer ? text : "This takes longer; the answer follows.", rated: false), Retry.Always);
        _closedAt = isAnswer ? text.Length : 0;
        _phase = answer.IsDone ? Phase.Closed : answer.Status == 403 && IsTooLate(answer) ? Phase.Late : Phase.Whole;
    }

    private async Task<string?> FinishStreamAsync(string text, CancellationToken cancellationToken)
    {
        var pieces = MessageText.Split(text);
        var answer = await CallAsync(Final(pieces[0], rated: pieces.Count == 1), Retry.Always);
        if (answer.IsDone)
        {
            return pieces.Count == 1
                ? _streamId
                : await SendWholeAsync(string.Join("\n\n", pieces.Skip(1)), cancellationToken);
        }

        if (answer.Status == 403 && !IsTooLate(answer) && !IsTooLarge(answer))
        {
            return null;   // stopped by the person, or the bot was removed
        }

        return await UpdateAsync(text, cancellationToken)
            ?? (answer.Status == 0 ? null : await SendWholeAsync(text, cancellationToken));   // unheard: it may be there
    }

    private async Task<string?> UpdateAsync(string text, CancellationToken cancellationToken)
    {
        var pieces = MessageText.Split(text);
        var answer = await _client.UpdateAsync(_address, _streamId!, Whole(pieces[0], pieces.Count == 1), cancellationToken);
        return !answer.IsDone ? null
            : pieces.Count == 1 ? _streamId
            : await SendWholeAsync(string.Join("\n\n", pieces.Skip(1)), cancellationToken);
    }

    private async Task<string?> SendWholeAsync(string text, CancellationToken cancellationToken)
    {
        if (text.Length == 0)
        {
            return null;
        }

        var pieces = new Queue<string>(MessageText.Split(text));
        string? last = null;
        while (pieces.TryDequeue(out var piece))
        {
            var answer = await _client.SendAsync(
                _address, Whole(piece, pieces.Count == 0), cancellationToken: cancellationToken);
            if (answer.Status == 413 && piece.Length > 1_000)
            {
                pieces = new Queue<string>([.. MessageText.Split(piece, (piece.Length / 2) + 16), .. pieces]);
                continue;
            }

            last = answer.Id;
        }

        return last;
    }

    private OutgoingActivity Whole(string text, bool rated) => OutgoingActivity.Message(text, _questionId) with
    {
        Entities = [OutgoingActivity.AiLabel()],
        ChannelData = rated ? OutgoingActivity.FeedbackLoop() : null,
    };

    private OutgoingActivity Update(string text, string kind)
    {
        var info = Info(kind, _sequence + 1);
        return new OutgoingActivity
        {
            Type = "typing",
            Text = text,
            StreamId = _streamId,
            Entities = [info],
            ChannelData = Data(info),
        };
    }

    private OutgoingActivity Final(string text, bool rated)
    {
        var info = Info("final", sequence: null);
        var data = Data(info);
        if (rated)
        {
            data["feedbackLoop"] = OutgoingActivity.FeedbackLoop()["feedbackLoop"]!.DeepClone();
        }

        return new OutgoingActivity
        {
            Type = "message",
            Text = text,
            StreamId = _streamId,
            Entities = [info, OutgoingActivity.AiLabel()],
            ChannelData = data,
        };
    }

    private JsonObject Info(string kind, int? sequence)
    {
        var info = new JsonObject { ["type"] = "streaminfo", ["streamType"] = kind };
        if (_streamId is not null)
        {
            info["streamId"] = _streamId;
        }

        if (sequence is not null)
        {
            info["streamSequence"] = sequence;
        }

        return info;
    }

    private static JsonObject Data(JsonObject info)
    {
        var data = info.DeepClone().AsObject();
        data.Remove("type");
        return data;
    }
}
