using System.Text.Json;
using System.Text.Json.Nodes;
using NextGpt.Bots.Teams.Activities;
using NextGpt.Bots.Teams.Connector;
using NextGpt.Bots.Teams.Inbound;
using NextGpt.Conversations;
using NextGpt.Host;

namespace NextGpt.Bots.Teams.Bot;

/// <summary>What becomes of an activity: a turn, a command, a vote, a card's answer, a deletion, or nothing.</summary>
internal sealed class TeamsBot(
    ConversationQueue queue, ConversationRouter router, KeptTurns kept, ConversationShelf shelf, ConnectorClient client,
    TurnDelivery turns, MediaDelivery media, Commands commands, OfferedFiles offers, SentMessages messages,
    Conversations conversations, TeamsState state, TeamsMeter meter) : IActivityTaker
{
    /// <summary>The surface's name at the router.</summary>
    public const string Surface = "teams";

    /// <inheritdoc/>
    public async Task<InboundAnswer> TakeAsync(IncomingActivity activity, CancellationToken cancellationToken)
    {
        meter.Count(activity.Type);
        state.Hear(activity);
        switch (activity.Type.ToUpperInvariant())
        {
            case "INVOKE":
                return await InvokeAsync(activity, cancellationToken);
            case "MESSAGE":
                return TakeMessage(activity);
            case "MESSAGEUPDATE" when activity.EventType is null or "editMessage":
            case "MESSAGEDELETE":
                return Queue(activity, "!", token => RemoveQuestionAsync(activity, token));
            case "MESSAGEREACTION":
                return Queue(activity, "!", token => ReactAsync(activity, token));
            case "CONVERSATIONUPDATE" when activity.MembersAdded.Contains(activity.Recipient.Id):
            case "INSTALLATIONUPDATE" when activity.Action is "add" or "add-upgrade":
                return Queue(activity, "", token => WelcomeAsync(activity, token));
            case "INSTALLATIONUPDATE" when activity.Action is "remove":
            case "CONVERSATIONUPDATE" when activity.MembersRemoved.Contains(activity.Recipient.Id):
                return Queue(activity, "!", token => LeaveAsync(activity, token));
            default:
                activity.Replies?.Complete();
                return InboundAnswer.Accepted;
        }
    }

    private InboundAnswer TakeMessage(IncomingActivity activity)
    {
        if (activity.Text is null && activity.Value is { ValueKind: JsonValueKind.Object } data)
        {
            return Queue(activity, "", token => SubmitAsync(activity, data, token));
        }

        var text = MessageText.Read(activity);
        if (Commands.Of(text) is { } command && !IncomingFiles.Any(activity))
        {
            // A stop does not wait for the answer that it is to stop.
            return command == "stop"
                ? Queue(activity, "!", token => StopAsync(activity, token))
                : Queue(activity, "", token => commands.RunAsync(activity, command, token));
        }

        var waits = queue.IsBusy(activity.ConversationId);
        var taken = Queue(activity, "", token => turns.RunAsync(activity, conversations.Of(activity.ConversationId), token));
        if (waits && taken.Status == 202)
        {
            _ = client.TypeAsync(ReplyAddress.Of(activity), CancellationToken.None);   // life, while another answer is written
        }

        return taken;
    }

    /// <summary>Queues work; a lane of its own lets it overtake the answer under way.</summary>
    private InboundAnswer Queue(IncomingActivity activity, string lane, Func<CancellationToken, Task> work) =>
        queue.TryAdd(lane + activity.ConversationId, activity.Replies is not { } replies ? work : async token =>
        {
            try
            {
                await work(token);
            }
            finally
            {
                replies.Complete();
            }
        })
            ? InboundAnswer.Accepted
            : InboundAnswer.Full;

    private async Task<InboundAnswer> InvokeAsync(IncomingActivity activity, CancellationToken cancellationToken)
    {
        switch (activity.Name)
        {
            case "message/submitAction":
                await RateAsync(activity, cancellationToken);
                return new InboundAnswer(200, new JsonObject());
            case "adaptiveCard/action":
                return new InboundAnswer(200, await ExecuteAsync(activity, cancellationToken));
            case "fileConsent/invoke":
                return Queue(activity, "!", token => media.DecideAsync(activity, token)) is { Status: 503 } full
                    ? full
                    : new InboundAnswer(200);
            case "message/fetchTask" or "task/fetch" or "task/submit":
                return new InboundAnswer(200, new JsonObject
                {
                    ["task"] = new JsonObject { ["type"] = "message", ["value"] = "There is nothing to fill in here." },
                });
            default:
                return new InboundAnswer(501);
        }
    }

    private async Task StopAsync(IncomingActivity activity, CancellationToken cancellationToken)
    {
        var person = activity.From.LastingId;
        var running = router.RunningTurnOf(Surface, person, conversations.Of(activity.ConversationId));
        if (running is null || !router.Stop(running, Surface, person))
        {
            await client.SendAsync(
                ReplyAddress.Of(activity), OutgoingActivity.Message("Nothing of yours is being answered here."),
                cancellationToken: cancellationToken);
        }
    }

    /// <summary>An edited or deleted question is gone from log and memory; what it asked is not answered again by itself (TRN-5).</summary>
    private async Task RemoveQuestionAsync(IncomingActivity activity, CancellationToken cancellationToken)
    {
        var person = activity.From.LastingId;
        var found = messages.FindQuestion(activity.ConversationId, activity.Id) is { } turn && turn.PersonId == person
            && await kept.RemoveTurnAsync(Surface, person, turn.TurnId, cancellationToken);
        found |= await kept.RemoveLinkedAsync(
            Surface, TurnLinks.Question(activity.ConversationId, activity.Id), cancellationToken) > 0;
        if (found && !activity.IsPersonal)
        {
            conversations.Renew(activity.ConversationId);   // a group's context held the words too
        }
    }

    private async Task ReactAsync(IncomingActivity activity, CancellationToken cancellationToken)
    {
        var person = activity.From.LastingId;
        if (AnsweredBy(activity) is not { } turn)
        {
            return;
        }

        var vote = activity.ReactionsAdded.Select(VoteOf).FirstOrDefault(vote => vote != TurnVote.None);
        if (vote != TurnVote.None || activity.ReactionsRemoved.Any(reaction => VoteOf(reaction) != TurnVote.None))
        {
            await kept.RateAsync(Surface, person, turn, vote, cancellationToken: cancellationToken);
        }
    }

    /// <summary>
    /// The turn that the message answers which an activity is about: of this process, else from the log. Whose it is says
    /// the log, which takes a vote from its person only.
    /// </summary>
    private string? AnsweredBy(IncomingActivity activity) =>
        messages.FindAnswer(activity.ConversationId, activity.ReplyToId) is { } turn
            ? turn.PersonId == activity.From.LastingId ? turn.TurnId : null
            : activity.ReplyToId is { } answer
                && kept.FindLinked(Surface, TurnLinks.Answer(activity.ConversationId, answer)) is [.., var linked]
                ? linked.TurnId
                : null;

    private static TurnVote VoteOf(string reaction) => reaction switch
    {
        "like" or "heart" => TurnVote.Good,
        "sad" or "angry" => TurnVote.Bad,
        _ => TurnVote.None,
    };

    private async Task RateAsync(IncomingActivity activity, CancellationToken cancellationToken)
    {
        var person = activity.From.LastingId;
        var value = activity.Value ?? default;
        var turn = activity.ReplyToId is null
            ? messages.LatestAnswer(activity.ConversationId, person)?.TurnId
            : AnsweredBy(activity);
        if (value.Text("actionName") == "feedback" && turn is not null
            && value.Text("actionValue", "reaction") is "like" or "dislike")
        {
            var vote = value.Text("actionValue", "reaction") == "like" ? TurnVote.Good : TurnVote.Bad;
            await kept.RateAsync(
                Surface, person, turn, vote, ReasonOf(value.Text("actionValue", "feedback")),
                cancellationToken: cancellationToken);
        }
    }

    /// <summary>The words of a vote: Teams wraps them in JSON inside a string, the playground does not.</summary>
    private static string? ReasonOf(string? feedback)
    {
        if (string.IsNullOrWhiteSpace(feedback))
        {
            return null;
        }

        try
        {
            using var inner = JsonDocument.Parse(feedback);
            var text = inner.RootElement.Text("feedbackText");
            return inner.RootElement.ValueKind == JsonValueKind.Object ? (string.IsNullOrWhiteSpace(text) ? null : text) : feedback;
        }
        catch (JsonException)
        {
            return feedback;
        }
    }

    private async Task<JsonObject> ExecuteAsync(IncomingActivity activity, CancellationToken cancellationToken)
    {
        var value = activity.Value ?? default;
        if (value.Text("action", "verb") != "consent" || value.Member("action")?.Member("data") is not { } data)
        {
            return Refused("There is no such action; write /help.");
        }

        var (done, sentence) = await commands.ConsentAsync(activity, data, cancellationToken);
        return done
            ? new JsonObject
            {
                ["statusCode"] = 200,
                ["type"] = "application/vnd.microsoft.activity.message",
                ["value"] = sentence,
            }
            : Refused(sentence);

        static JsonObject Refused(string sentence) => new()
        {
            ["statusCode"] = 400,
            ["type"] = "application/vnd.microsoft.error",
            ["value"] = new JsonObject { ["code"] = "BadRequest", ["message"] = sentence },
        };
    }

    private async Task SubmitAsync(IncomingActivity activity, JsonElement data, CancellationToken cancellationToken)
    {
        var sentence = data.Text("act") == "consent"
            ? (await commands.ConsentAsync(activity, data, cancellationToken)).Sentence
            : "There is no such action; write /help.";
        await client.SendAsync(
            ReplyAddress.Of(activity), OutgoingActivity.Message(sentence), cancellationToken: cancellationToken);
    }

    private async Task WelcomeAsync(IncomingActivity activity, CancellationToken cancellationToken)
    {
        if (state.Change(activity.ConversationId, static known => known with { Welcomed = true }))
        {
            await client.SendAsync(
                ReplyAddress.Of(activity), commands.Welcome(activity, activity.From.LastingId),
                cancellationToken: cancellationToken);
        }
    }

    /// <summary>The bot was removed: what was said in the conversation goes with it (TEA-5).</summary>
    private async Task LeaveAsync(IncomingActivity activity, CancellationToken cancellationToken)
    {
        var conversation = conversations.Of(activity.ConversationId);
        IEnumerable<string> people = messages.PeopleOf(activity.ConversationId);
        foreach (var person in people.Append(activity.From.LastingId).Distinct().ToList())
        {
            while (router.RunningTurnOf(Surface, person, conversation) is { } running && router.Stop(running, Surface, person))
            {
                await kept.RemoveTurnAsync(Surface, person, running, cancellationToken);
            }

            await shelf.RemoveAsync(Surface, person, conversation, cancellationToken);
        }

        // Also what was kept before a restart, by people who are not remembered, and before the conversation was renewed.
        await kept.RemoveLinkedAsync(Surface, TurnLinks.Conversation(activity.ConversationId), cancellationToken);
        offers.DropAll(file => file.Conversation == activity.ConversationId);
        messages.Forget(activity.ConversationId);
        conversations.Renew(activity.ConversationId);
        state.Remove([], [activity.ConversationId]);
    }
}
