using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using NextGpt.Bots.Discord.Rest;

namespace NextGpt.Bots.Discord.Answers;

/// <summary>
/// Shows an answer while it is made: posts it once, then changes it, the newest text only, one change under way, not more
/// often than allowed; opens the next message before one is full. While the line is bad it keeps trying: under the same
/// name a message cannot come twice.
/// </summary>
internal sealed partial class AnswerWriter(
    IAnswerPlace place, TimeSpan interval, TimeProvider time, ILogger logger, CancellationToken stop)
{
    private const int FullAt = 1_900;
    private const int MostTries = 12;
    private static readonly TimeSpan TypingEvery = TimeSpan.FromSeconds(8);

    private readonly Lock _gate = new();
    private readonly Channel<bool> _news = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });   // only that there is news counts

    private readonly List<string> _notices = [];
    private readonly List<string> _ids = [];
    private string _open = "";        // text of the message that is being written
    private string _status = "";
    private bool _ended;
    private int _parts;               // messages before the open one
    private string? _openId;
    private string? _shown;
    private string? _buttonsOn;

    /// <summary>Buttons of the message while it is written (stop) and of the whole answer (votes).</summary>
    public (JsonArray? Writing, JsonArray? Whole) Buttons { get; set; }

    /// <summary>Ends when the answer before this one has been shown: answers of a conversation stand in their order.</summary>
    public Task Before { get; init; } = Task.CompletedTask;

    /// <summary>Ids of the messages posted so far.</summary>
    public IReadOnlyList<string> Messages
    {
        get
        {
            lock (_gate)
            {
                return [.. _ids];
            }
        }
    }

    /// <summary>More text.</summary>
    public void Add(string text) => Change(() => _open += text);

    /// <summary>A sentence below the answer.</summary>
    public void AddNotice(string sentence) => Change(() => _notices.Add(sentence));

    /// <summary>What is being done now, shown until it changes; empty shows nothing.</summary>
    public void SetStatus(string status) => Change(() => _status = status);

    /// <summary>Nothing more comes.</summary>
    public void End() => Change(() => (_ended, _status) = (true, ""));

    /// <summary>Shows until the end has come and is shown. False if the place takes no messages.</summary>
    public async Task<bool> RunAsync()
    {
        using var typed = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var typing = TypeAsync(typed.Token);
        try
        {
            await Before.WaitAsync(stop);
            while (true)
            {
                await _news.Reader.ReadAsync(stop);
                var begun = time.GetTimestamp();
                var ended = await ShowAsync(typed);
                if (ended)
                {
                    return true;
                }

                // A change that had to wait for Discord stretches the pause to the next one.
                var took = time.GetElapsedTime(begun);
                await WaitAsync(took > interval ? took * 2 : interval);
            }
        }
        catch (RestException refused)
        {
            LogRefused(refused.Status, refused.Code);
            return false;
        }
        finally
        {
            await typed.CancelAsync();
            await typing;
        }
    }

    /// <summary>Posts one more message after the answer (its media).</summary>
    public async Task<bool> PostAsync(string part, OutgoingMessage message)
    {
        try
        {
            var id = await InsistAsync(() => place.PostAsync(part, message, stop), mayGiveUp: false);
            lock (_gate)
            {
                _ids.Add(id ?? "");
            }

            return true;
        }
        catch (RestException refused)
        {
            LogRefused(refused.Status, refused.Code);
            return false;
        }
    }

    /// <summary>The pause between two changes; the end is not waited for longer than the least pause allowed.</summary>
    private Task WaitAsync(TimeSpan pause) => Task.Delay(pause, time, stop);

    private void Change(Action change)
    {
        lock (_gate)
        {
            change();
        }

        _news.Writer.TryWrite(true);
    }

    /// <summary>Shows what there is; true if that is all there will be.</summary>
    private async Task<bool> ShowAsync(CancellationTokenSource typing)
    {
        while (true)
        {
            string text;
            bool isFull, isLast;
            lock (_gate)
            {
                isFull = _open.Length > FullAt;
                if (isFull)
                {
                    (text, _open) = MessageText.Cut(_open, FullAt);
                    isLast = false;
                }
                else
                {
                    isLast = _ended;
                    text = isLast ? WithNotices(_open.TrimEnd()) : WithStatus(_open);
                    if (isLast && text.Length > MessageText.Most)
                    {
                        (text, _open) = MessageText.Cut(_open.TrimEnd(), FullAt);
                        isFull = true;
                        isLast = false;
                    }
                }
            }

            if (!string.IsNullOrWhiteSpace(text))
            {
                await typing.CancelAsync();
                await ShowAsync(text, isLast, isFull);
            }

            if (isFull)
            {
                (_openId, _shown, _parts) = (null, null, _parts + 1);
                continue;
            }

            return isLast;
        }
    }

    private async Task ShowAsync(string text, bool isLast, bool isFull)
    {
        var buttons = isLast ? Buttons.Whole : isFull ? null : Buttons.Writing;
        var mustChange = text != _shown || isLast || (isFull && _buttonsOn is not null);
        if (!mustChange)
        {
            return;
        }

        if (_openId is null)
        {
            var part = $"{_parts}";
            var id = await InsistAsync(
                () => place.PostAsync(part, new OutgoingMessage { Content = text, Components = buttons }, stop), mayGiveUp: false);
            lock (_gate)
            {
                _ids.Add(id ?? "");
            }

            (_openId, _shown) = (id, text);
        }
        else
        {
            await EditAsync(_openId, new OutgoingMessage { Content = text, Components = buttons ?? [] }, isLast || isFull);
            _shown = text;
        }

        _buttonsOn = buttons is null ? null : _openId;
    }

    private async Task EditAsync(string id, OutgoingMessage changed, bool mustArrive)
    {
        try
        {
            await InsistAsync(
                async () =>
                {
                    await place.EditAsync(id, changed, stop);
                    return "";
                },
                mayGiveUp: !mustArrive);
        }
        catch (RestException refused) when (RestCode.IsGone(refused.Code) && mustArrive)
        {
            // The message or its interaction is gone: said once more where it can be.
            _openId = await InsistAsync(() => place.PostAsync($"{_parts}-again", changed, stop), mayGiveUp: false);
        }
        catch (RestException refused) when (!mustArrive && refused.Status is not (401 or 403))
        {
            LogRefused(refused.Status, refused.Code);   // the next change or the last one says it all
        }
    }

    /// <summary>Does it until it is done, with growing pauses, while the line or Discord fails; what is refused is refused.</summary>
    private async Task<string?> InsistAsync(Func<Task<string>> call, bool mayGiveUp)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                return await call();
            }
            catch (Exception failure) when (failure is HttpRequestException or IOException or RestException { Status: >= 500 })
            {
                if (mayGiveUp)
                {
                    return null;
                }

                if (tries == MostTries)
                {
                    throw new RestException(503, 0, "Discord could not be reached for long.");
                }

                await Task.Delay(TimeSpan.FromSeconds(Math.Min(30, Math.Pow(2, tries - 2))), time, stop);
            }
        }
    }

    private async Task TypeAsync(CancellationToken until)
    {
        try
        {
            while (true)
            {
                await place.TypeAsync(until);
                await Task.Delay(TypingEvery, time, until);
            }
        }
        catch (Exception over) when (over is OperationCanceledException or RestException or HttpRequestException)
        {
            // Text is there, or it cannot be shown that somebody types.
        }
    }

    private string WithStatus(string text) => _status.Length == 0 ? text
        : text.Length == 0 ? $"-# {_status}"
        : MessageText.OpenFence(text) is null ? $"{text}\n-# {_status}" : text;

    private string WithNotices(string text)
    {
        var closed = MessageText.OpenFence(text) is null ? text : $"{text}\n```";
        var below = string.Join('\n', _notices.Select(notice => $"-# {notice}"));
        return below.Length == 0 ? closed : closed.Length == 0 ? below : $"{closed}\n{below}";
    }

    [LoggerMessage(5040, LogLevel.Warning, "An answer could not be shown: Discord answered {Status} (code {Code})")]
    private partial void LogRefused(int status, int code);
}
