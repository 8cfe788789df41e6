using Microsoft.Extensions.Logging;
using NextGpt.Bots.Discord.Answers;
using NextGpt.Bots.Discord.Commands;
using NextGpt.Bots.Discord.Feedback;
using NextGpt.Bots.Discord.Gateway;
using NextGpt.Bots.Discord.Questions;
using NextGpt.Bots.Discord.Rest;
using NextGpt.Bots.Discord.Wire;
using NextGpt.Conversations;
using NextGpt.Host;
using NextGpt.Media;

namespace NextGpt.Bots.Discord;

/// <summary>What the bot needs of the rest of the program.</summary>
internal sealed record BotSurroundings(
    ConversationRouter Router, KeptTurns Kept, TurnOptions Turns, IMediaReader? Reader, IMediaWriter? Writer,
    Func<DiscordOptions> Options, TimeProvider Time, ILogger Logger);

/// <summary>One life of the bot with one token: protocol client on one side, the router on the other.</summary>
internal sealed partial class DiscordBot : IAsyncDisposable
{
    /// <summary>Who we say we are.</summary>
    public const string UserAgent = "DiscordBot (https://github.com/nextgpt-chat, 0.1)";

    private const int WaitingEvents = 1_000;

    private readonly CancellationTokenSource _stop = new();
    private readonly ILogger _logger;
    private readonly RestClient _rest;
    private readonly AttachmentDownload _download;
    private readonly EventQueue _queue;
    private readonly DiscordApi _api;
    private readonly MessageDesk _messages;
    private readonly CommandDesk _commands;
    private readonly VoteBook _votes;
    private readonly TurnIndex _index;
    private readonly KeptTurns _kept;
    private readonly FollowUps _followUps;
    private readonly TaskCompletionSource _known = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public DiscordBot(BotSurroundings around, string token, GatewayTiming? timing = null)
    {
        var options = around.Options();
        (_logger, var time) = (around.Logger, around.Time);
        _rest = new RestClient(
            new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, ConnectTimeout = TimeSpan.FromSeconds(10) },
            new Uri(options.ApiAddress), token, UserAgent, time, _logger);
        _api = new DiscordApi(_rest);
        _index = new TurnIndex(time);
        _kept = around.Kept;
        _followUps = new FollowUps(time);
        _votes = new VoteBook(_kept);
        _download = new AttachmentDownload(
            options.CdnOrigins, around.Turns.MaxFileMegabytes * 1024L * 1024, options.DownloadTimeout, UserAgent, time);
        var fitting = around is { Reader: { } reader, Writer: { } writer } ? new MediaFitting(reader, writer, time) : null;
        Runner = new TurnRunner(around.Router, _kept, fitting, _index, around.Options, time, _logger, _stop.Token);
        var quota = new HourlyQuota(time);
        _messages = new MessageDesk(
            _api, Runner, _index, _download, around.Router, around.Kept, quota, around.Options, around.Turns.MaxFiles, time, _logger);
        _commands = new CommandDesk(
            _api, Runner, _index, _messages, _followUps, around.Router, around.Kept, _votes, quota, around.Options, time, _logger);
        _queue = new EventQueue(HandleAsync, WaitingEvents, _logger);
        Gateway = new GatewayClient(
            new GatewayIdentity
            {
                Token = token,
                Intents = options.ReadThreadsWithoutMention
                    ? GatewayIntents.Unprivileged | GatewayIntents.MessageContent : GatewayIntents.Unprivileged,
                UserAgent = UserAgent,
                Compress = options.Compress,
                Presence = options.Presence,
            },
            LookUpAsync, options.Shards, _queue.AddAsync, timing ?? new GatewayTiming(), time, _logger);
    }

    /// <summary>The connections.</summary>
    public GatewayClient Gateway { get; }

    /// <summary>Answers under way.</summary>
    public TurnRunner Runner { get; }

    /// <summary>Votes of this life.</summary>
    public VoteBook Votes => _votes;

    /// <summary>Events that came again and were left out.</summary>
    public long RepeatedEvents => _queue.Repeated;

    /// <summary>Runs until it is stopped.</summary>
    /// <exception cref="GatewayRefusedException">The token or a setting is wrong.</exception>
    public Task RunAsync(CancellationToken stop) => Gateway.RunAsync(stop);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _queue.DisposeAsync();
        await Runner.DrainAsync();
        _rest.Dispose();
        _download.Dispose();
        _stop.Dispose();
    }

    private async Task<GatewayAddress> LookUpAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _api.GetGatewayAsync(cancellationToken);
        }
        catch (RestException refused)
        {
            throw refused.Status == 401
                ? new GatewayRefusedException(CloseCode.SentenceOf(4004), 4004)
                : new HttpRequestException(refused.Message, refused);
        }
    }

    private async Task HandleAsync(GatewayEvent happened, CancellationToken stop)
    {
        if (happened.Name == "READY")
        {
            await BeginAsync(happened.Data, stop);
            return;
        }

        await _known.Task.WaitAsync(stop);   // who we are must be known before it can be seen which threads are ours
        await HandleKnownAsync(happened, stop);
    }

    private Task HandleKnownAsync(GatewayEvent happened, CancellationToken stop) => happened.Name switch
    {
        "GUILD_CREATE" or "THREAD_LIST_SYNC" => Learn(happened.Data.List("threads")),
        "THREAD_CREATE" or "THREAD_UPDATE" => Learn([happened.Data]),
        "GUILD_DELETE" when !happened.Data.Flag("unavailable") => _messages.TakeLeavingAsync(happened.Data.Id("id"), stop),
        "CHANNEL_DELETE" or "THREAD_DELETE" => _messages.TakePlaceAsync(happened.Data.Id("id"), stop),
        "MESSAGE_CREATE" => TakeMessageAsync(happened.Data, stop),
        "MESSAGE_UPDATE" => _messages.TakeEditAsync(happened.Data, stop),
        "MESSAGE_DELETE" => _messages.TakeDeletionAsync(happened.Data.Id("id"), stop),
        "MESSAGE_DELETE_BULK" => Task.WhenAll(happened.Data.Texts("ids").Select(id => _messages.TakeDeletionAsync(id, stop))),
        "INTERACTION_CREATE" => _commands.TakeAsync(happened.Data, stop),
        "MESSAGE_REACTION_ADD" => ReactAsync(happened.Data, isThere: true, stop),
        "MESSAGE_REACTION_REMOVE" => ReactAsync(happened.Data, isThere: false, stop),
        _ => Task.CompletedTask,
    };

    private async Task BeginAsync(WireObject ready, CancellationToken stop)
    {
        _messages.Self = ready.Object("user").Id("id");
        _api.Application = ready.Object("application").Id("id");
        _known.TrySetResult();
        try
        {
            await _commands.RegisterAsync(stop);
        }
        catch (Exception failure) when (failure is RestException or HttpRequestException)
        {
            LogNotRegistered(failure.Message);
        }
    }

    private Task TakeMessageAsync(WireObject message, CancellationToken stop)
    {
        if (message.Object("author").Id("id") == _messages.Self)
        {
            _followUps.Note(message);
        }

        return _messages.TakeAsync(message, stop);
    }

    private Task Learn(IReadOnlyList<WireObject> threads)
    {
        foreach (var thread in threads)
        {
            _messages.LearnThread(thread);
        }

        return Task.CompletedTask;
    }

    /// <summary>Reactions to our answers are votes too.</summary>
    private Task ReactAsync(WireObject reaction, bool isThere, CancellationToken stop)
    {
        var person = reaction.Id("user_id");
        bool? isGood = reaction.Object("emoji").Text("name") switch { "👍" => true, "👎" => false, _ => null };
        return isGood is null || person == _messages.Self || TurnOf(reaction.Id("message_id")) is not { } turnId
            ? Task.CompletedTask
            : _votes.SetAsync(person, turnId, isThere ? isGood : null, null, stop);
    }

    private string? TurnOf(string answer) => _index.OfAnswer(answer)?.TurnId
        ?? (_kept.FindLinked(TurnRunner.Surface, new TurnLink(TurnLinkKind.Answer, answer)) is [var kept, ..] ? kept.TurnId : null);

    [LoggerMessage(5080, LogLevel.Warning, "Discord did not take the commands: {Message}")]
    private partial void LogNotRegistered(string message);
}
