using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using NextGpt.Bots.Discord.Answers;
using NextGpt.Bots.Discord.Feedback;
using NextGpt.Bots.Discord.Rest;
using NextGpt.Bots.Discord.Wire;
using NextGpt.Conversations;
using NextGpt.Host;

namespace NextGpt.Bots.Discord.Questions;

/// <summary>Messages: which of them are questions, where their answers go, what edits and deletions mean.</summary>
internal sealed partial class MessageDesk(
    DiscordApi api, TurnRunner runner, TurnIndex index, AttachmentDownload download, ConversationRouter router, KeptTurns kept,
    HourlyQuota quota, Func<DiscordOptions> options, int mostFiles, TimeProvider time, ILogger logger)
{
    private const int WrongChannelType = 50024;
    private readonly ConcurrentDictionary<string, string> _threads = new();       // thread to its channel
    private readonly ConcurrentDictionary<string, byte> _ownThreads = new();
    private readonly ConcurrentDictionary<string, byte> _hinted = new();
    private readonly ConcurrentDictionary<string, DateTimeOffset> _refused = new();   // person to when they were told

    /// <summary>The bot's own id, known from READY.</summary>
    public string Self { get; set; } = "";

    /// <summary>The channel of a thread; null if it is none that is known.</summary>
    public string? ParentOf(string channel) => _threads.GetValueOrDefault(channel);

    /// <summary>Learns of a thread.</summary>
    public void LearnThread(WireObject thread)
    {
        if (thread.Text("parent_id") is { } parent && thread.Number("type") is >= 10 and <= 12)
        {
            _threads[thread.Id("id")] = parent;
            if (thread.Text("owner_id") == Self)
            {
                _ownThreads[thread.Id("id")] = 0;
            }
        }
    }

    /// <summary>MESSAGE_CREATE.</summary>
    public async Task TakeAsync(WireObject message, CancellationToken stop)
    {
        var author = message.Object("author");
        if (author.Flag("bot") || author.Flag("system") || author.Id("id") == Self || message.Has("webhook_id")
            || message.Number("type") is not (0 or 19))
        {
            return;
        }

        var asker = AskerOf(message);
        var isDirect = asker.Server is null;
        var isReply = message.Object("referenced_message").Object("author").Text("id") == Self;
        var isMentioned = message.List("mentions").Any(mention => mention.Text("id") == Self);
        var isOwnThread = _ownThreads.ContainsKey(asker.Channel);
        if (!isDirect && !isMentioned && !isReply && !isOwnThread)
        {
            return;
        }

        var text = TextOf(message);
        var attachments = message.List("attachments");
        if (!isDirect && !isMentioned && text.Length == 0 && attachments.Count == 0)
        {
            // Without the intent others' words do not come: said once per thread, instead of asking the model nothing.
            if (_hinted.TryAdd(asker.Channel, 0) && !options().ReadThreadsWithoutMention)
            {
                await SayAsync(asker.Channel, message.Id("id"), $"-# I see only what mentions me: write <@{Self}> and your question.", stop);
            }

            return;
        }

        if (isOwnThread && !isMentioned && !isReply && !options().ReadThreadsWithoutMention)
        {
            return;
        }

        if (AccessRules.Refusal(options(), asker) is { } refusal)
        {
            await RefuseAsync(asker, refusal, stop);
            return;
        }

        if (quota.Take(options(), asker) is { } exhausted)
        {
            await SayAsync(asker.Channel, message.Id("id"), $"-# {exhausted}", stop);
            return;
        }

        await AskAsync(message, asker, text, attachments, stop);
    }

    /// <summary>MESSAGE_UPDATE: the answer is of an older version now; a new one is given on request (TRN-5).</summary>
    public async Task TakeEditAsync(WireObject message, CancellationToken stop)
    {
        if (message.Text("edited_timestamp") is null || index.OfQuestion(message.Id("id")) is not { } turn
            || !message.Has("content") || TextOf(message) is not { Length: > 0 } text || text == (turn.Edited ?? turn.Question).Text)
        {
            return;   // also what Discord adds by itself: previews of links
        }

        turn.Edited = turn.Question with
        {
            Text = text,
            Revision = turn.Question.Revision + 1,
            Files = [],
            FilesOfTurnId = turn.TurnId,
        };
        router.Stop(turn.TurnId, TurnRunner.Surface, turn.Question.Person);
        await turn.Shown;
        await turn.Writer.PostAsync($"outdated-{turn.Edited.Revision}", new OutgoingMessage
        {
            Content = "-# Outdated: the question was edited after this answer began.",
            Components = FeedbackButtons.Again(turn.Question.Id),
        });
    }

    /// <summary>The edited question is asked.</summary>
    public bool AskAgain(string messageId, string person)
    {
        if (index.OfQuestion(messageId) is not { Edited: { } edited } turn || turn.Question.Person != person)
        {
            return false;
        }

        turn.Edited = null;
        runner.Start(edited, PlaceFor(edited.Server is null ? turn.Question.Channel : ChannelOf(turn.Question), $"{edited.Id}-{edited.Revision}", null));
        return true;
    }

    /// <summary>MESSAGE_DELETE: stopped, and removed wherever it is kept, also by an earlier process.</summary>
    public async Task TakeDeletionAsync(string messageId, CancellationToken stop)
    {
        if (index.OfQuestion(messageId) is { } turn)
        {
            await RemoveAsync(turn, stop);
        }

        await kept.RemoveLinkedAsync(TurnRunner.Surface, new TurnLink(TurnLinkKind.Question, messageId), stop);
    }

    /// <summary>GUILD_DELETE: what came from that server goes.</summary>
    public async Task TakeLeavingAsync(string server, CancellationToken stop)
    {
        foreach (var turn in index.OfServer(server))
        {
            await RemoveAsync(turn, stop);
        }

        await TakePlaceAsync(server, stop);
    }

    /// <summary>CHANNEL_DELETE, THREAD_DELETE: its messages are gone, and so is what was kept of them.</summary>
    public Task TakePlaceAsync(string place, CancellationToken stop) =>
        kept.RemoveLinkedAsync(TurnRunner.Surface, new TurnLink(TurnLinkKind.Place, place), stop);

    private async Task RemoveAsync(IndexedTurn turn, CancellationToken stop)
    {
        index.Remove(turn);
        if (router.Stop(turn.TurnId, TurnRunner.Surface, turn.Question.Person))
        {
            await turn.Shown.WaitAsync(stop);   // a stopped answer is kept as far as it came: only then can it be removed
        }

        await kept.RemoveTurnAsync(TurnRunner.Surface, turn.Question.Person, turn.TurnId, stop);
    }

    /// <summary>The files of a message or command.</summary>
    /// <exception cref="AttachmentException">One was not fetched.</exception>
    public async Task<IReadOnlyList<IncomingFile>> FetchAsync(IReadOnlyList<WireObject> attachments, CancellationToken stop)
    {
        var files = new List<IncomingFile>();
        foreach (var attachment in attachments.Take(mostFiles + 1))   // one too many: the router says so
        {
            files.Add(await download.FetchAsync(attachment, stop));
        }

        return files;
    }

    /// <summary>Whether a question or its files are hidden until they are clicked; what is made then is too.</summary>
    public static bool IsHidden(string text, IReadOnlyList<WireObject> attachments) =>
        Spoiler().IsMatch(text)
        || attachments.Any(attachment => attachment.Id("filename").StartsWith("SPOILER_", StringComparison.Ordinal));

    private async Task AskAsync(
        WireObject message, Asker asker, string text, IReadOnlyList<WireObject> attachments, CancellationToken stop)
    {
        var id = message.Id("id");
        var (channel, root) = await WhereAsync(message, asker, text, stop);
        var place = PlaceFor(channel, id, channel == asker.Channel && asker.Server is not null ? id : null);
        IReadOnlyList<IncomingFile> files = [];
        if (attachments.Count > 0)
        {
            try
            {
                _ = TypeOnceAsync(place, stop);   // downloading may take longer than the second of TRN-1
                files = await FetchAsync(attachments, stop);
            }
            catch (AttachmentException failed)
            {
                await SayAsync(channel, channel == asker.Channel ? id : null, $"-# {failed.Message}", stop);
                return;
            }
        }

        _ = runner.Start(
            new AskedQuestion
            {
                Id = id,
                Person = asker.Person,
                Channel = asker.Channel,
                Server = asker.Server,
                Conversation = ConversationOf(asker, root),
                Text = text,
                Files = files,
                HideMedia = IsHidden(text, attachments),
            },
            place);
    }

    /// <summary>Where the answer goes, and what names the conversation.</summary>
    private async Task<(string Channel, string Root)> WhereAsync(
        WireObject message, Asker asker, string text, CancellationToken stop)
    {
        var id = message.Id("id");
        if (asker.Server is null || asker.Parent is not null)
        {
            return (asker.Channel, asker.Channel);
        }

        if (message.Object("referenced_message").Text("id") is { } earlier && ConversationOfAnswer(earlier) is { } before)
        {
            return (asker.Channel, before.Value.Split(':')[0]);   // a chain of replies goes on
        }

        if (!options().StartThreads)
        {
            return (asker.Channel, id);
        }

        try
        {
            var thread = await api.StartThreadAsync(asker.Channel, id, TitleOf(text), stop);
            _threads[thread] = asker.Channel;
            _ownThreads[thread] = 0;
            return (thread, thread);
        }
        catch (RestException refused) when (refused.Code == WrongChannelType)
        {
            _threads[asker.Channel] = asker.Channel;   // a thread that nobody told us of
            return (asker.Channel, asker.Channel);
        }
        catch (Exception refused) when (refused is RestException or HttpRequestException)
        {
            LogNoThread(refused is RestException { Code: var code } ? code : 0);
            return (asker.Channel, id);
        }
    }

    private ConversationId? ConversationOfAnswer(string message) => index.OfAnswer(message)?.Question.Conversation
        ?? (kept.FindLinked(TurnRunner.Surface, new TurnLink(TurnLinkKind.Answer, message)) is [var turn, ..] ? turn.Conversation : null);

    /// <summary>Each person has their own conversation in a place: nobody's words reach another's answer (THR-4).</summary>
    public static ConversationId ConversationOf(Asker asker, string root) =>
        new(asker.Server is null ? root : $"{root}:{asker.Person}");

    private string ChannelOf(AskedQuestion question) =>
        _ownThreads.ContainsKey(question.Id) ? question.Id : question.Channel;

    private ChannelPlace PlaceFor(string channel, string question, string? replyTo) =>
        new(api, channel, question, replyTo, options().MaxAttachmentMegabytes * 1024L * 1024);

    private Asker AskerOf(WireObject message) => new(
        message.Object("author").Id("id"), message.Id("channel_id"), ParentOf(message.Id("channel_id")),
        message.Text("guild_id"), message.Object("member").Texts("roles"));

    /// <summary>The text without the mention that made it a question; other people by name.</summary>
    private string TextOf(WireObject message)
    {
        var text = message.Id("content").Replace($"<@{Self}>", "", StringComparison.Ordinal)
            .Replace($"<@!{Self}>", "", StringComparison.Ordinal);
        foreach (var mention in message.List("mentions"))
        {
            text = text.Replace($"<@{mention.Id("id")}>", $"@{mention.Id("username")}", StringComparison.Ordinal);
        }

        return text.Trim();
    }

    private static string TitleOf(string text)
    {
        var line = new string([.. text.ReplaceLineEndings(" ").Where(letter => !char.IsControl(letter))]).Trim();
        var most = Math.Min(line.Length, 80);
        var at = most > 0 && most < line.Length && char.IsLowSurrogate(line[most]) ? most - 1 : most;
        return at == 0 ? "Question" : line.Length > at ? $"{line[..at].TrimEnd()}…" : line;
    }

    private async Task RefuseAsync(Asker asker, string refusal, CancellationToken stop)
    {
        var now = time.GetUtcNow();
        if (_refused.TryGetValue(asker.Person, out var told) && now - told < TimeSpan.FromDays(1))
        {
            return;
        }

        _refused[asker.Person] = now;
        try
        {
            var direct = asker.Server is null ? asker.Channel : await api.OpenDirectAsync(asker.Person, stop);
            await api.PostAsync(direct, new OutgoingMessage { Content = $"-# {refusal}", Nonce = OutgoingMessage.NonceOf($"{asker.Person}", $"{now:yyyyMMdd}") }, stop);
        }
        catch (Exception failure) when (failure is RestException or HttpRequestException)
        {
            LogNotTold(failure is RestException { Code: var code } ? code : 0);   // 50007: they take no messages from us
        }
    }

    private async Task SayAsync(string channel, string? replyTo, string sentence, CancellationToken stop)
    {
        try
        {
            await api.PostAsync(
                channel,
                new OutgoingMessage { Content = sentence, ReplyTo = replyTo, Nonce = OutgoingMessage.NonceOf(replyTo ?? sentence, "say") },
                stop);
        }
        catch (Exception failure) when (failure is RestException or HttpRequestException)
        {
            LogNotTold(failure is RestException { Code: var code } ? code : 0);
        }
    }

    private static async Task TypeOnceAsync(ChannelPlace place, CancellationToken stop)
    {
        try
        {
            await place.TypeAsync(stop);
        }
        catch (Exception failure) when (failure is RestException or HttpRequestException or OperationCanceledException)
        {
            // The answer will say enough.
        }
    }

    [GeneratedRegex(@"\|\|.+?\|\|", RegexOptions.Singleline | RegexOptions.CultureInvariant, 200)]
    private static partial Regex Spoiler();

    [LoggerMessage(5060, LogLevel.Information, "No thread could be started (code {Code}); answering in the channel")]
    private partial void LogNoThread(int code);

    [LoggerMessage(5061, LogLevel.Information, "A person could not be told something (code {Code})")]
    private partial void LogNotTold(int code);
}
