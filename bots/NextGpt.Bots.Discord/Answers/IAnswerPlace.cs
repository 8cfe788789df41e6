using NextGpt.Bots.Discord.Rest;

namespace NextGpt.Bots.Discord.Answers;

/// <summary>Where an answer is shown: a channel, or the messages of an interaction.</summary>
internal interface IAnswerPlace
{
    /// <summary>Largest file it takes, in bytes.</summary>
    long FileBytes { get; }

    /// <summary>Posts the next message; the same part posted again is the same message. Returns its id.</summary>
    Task<string> PostAsync(string part, OutgoingMessage message, CancellationToken cancellationToken);

    /// <summary>Changes a message.</summary>
    Task EditAsync(string message, OutgoingMessage changed, CancellationToken cancellationToken);

    /// <summary>Shows that something is being done.</summary>
    Task TypeAsync(CancellationToken cancellationToken);
}

/// <summary>A channel, a thread or direct messages.</summary>
/// <param name="api">Discord.</param>
/// <param name="channel">The place.</param>
/// <param name="question">Names the question for good, so that no message of its answer is posted twice.</param>
/// <param name="replyTo">The message that the first one replies to, or null.</param>
/// <param name="fileBytes">Largest file.</param>
internal sealed class ChannelPlace(DiscordApi api, string channel, string question, string? replyTo, long fileBytes) : IAnswerPlace
{
    private string? _replyTo = replyTo;

    public long FileBytes => fileBytes;

    public async Task<string> PostAsync(string part, OutgoingMessage message, CancellationToken cancellationToken)
    {
        var id = await api.PostAsync(
            channel, message with { ReplyTo = _replyTo, Nonce = OutgoingMessage.NonceOf(question, part) }, cancellationToken);
        _replyTo = null;
        return id;
    }

    public Task EditAsync(string message, OutgoingMessage changed, CancellationToken cancellationToken) =>
        api.EditAsync(channel, message, changed, cancellationToken);

    public Task TypeAsync(CancellationToken cancellationToken) => api.TypeAsync(channel, cancellationToken);
}

/// <summary>
/// The answer to a command: the deferred message first, then messages that follow it; once the interaction is over
/// (after fourteen minutes of its fifteen, or when Discord says so) ordinary messages of the channel.
/// </summary>
internal sealed class InteractionPlace(
    DiscordApi api, string interaction, string token, IAnswerPlace channel, FollowUps followUps, DateTimeOffset begun, long fileBytes,
    TimeProvider time) : IAnswerPlace
{
    private const string Original = "@original";
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(14);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly HashSet<string> _inChannel = [];
    private readonly HashSet<string> _followed = [];
    private string? _first;
    private bool _isOver;

    public long FileBytes => fileBytes;

    private bool IsOver => _isOver || time.GetUtcNow() - begun >= Life;

    public async Task<string> PostAsync(string part, OutgoingMessage message, CancellationToken cancellationToken)
    {
        if (!IsOver)
        {
            try
            {
                return _first is null
                    ? _first = await api.EditAnswerAsync(token, Original, message, cancellationToken) is { Length: > 0 } id ? id : Original
                    : await FollowAsync(message, cancellationToken);
            }
            catch (RestException refused) when (RestCode.IsGone(refused.Code))
            {
                _isOver = true;
            }
        }

        var posted = await channel.PostAsync(part, message, cancellationToken);
        _inChannel.Add(posted);
        return posted;
    }

    /// <summary>Sends one more message; if nobody said whether it arrived, the gateway is asked before it is sent again.</summary>
    private async Task<string> FollowAsync(OutgoingMessage message, CancellationToken cancellationToken)
    {
        string id;
        try
        {
            id = await api.FollowUpAsync(token, message, cancellationToken);
        }
        catch (Exception lost) when (lost is HttpRequestException or IOException or RestException { Status: >= 500 })
        {
            if (await followUps.FindAsync(interaction, _followed, Patience, cancellationToken) is not { } arrived)
            {
                throw;   // it is not there: the writer sends it again
            }

            id = arrived;
        }

        _followed.Add(id);
        return id;
    }

    public async Task EditAsync(string message, OutgoingMessage changed, CancellationToken cancellationToken)
    {
        if (_inChannel.Contains(message))
        {
            await channel.EditAsync(message, changed, cancellationToken);
            return;
        }

        if (IsOver)
        {
            throw new RestException(404, RestCode.UnknownWebhook, "this interaction is over.");
        }

        try
        {
            await api.EditAnswerAsync(token, message == _first ? Original : message, changed, cancellationToken);
        }
        catch (RestException refused) when (RestCode.IsGone(refused.Code))
        {
            _isOver = true;
            throw;
        }
    }

    /// <summary>A deferred answer shows by itself that something is being done.</summary>
    public Task TypeAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
