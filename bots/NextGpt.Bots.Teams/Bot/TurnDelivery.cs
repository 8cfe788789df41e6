using NextGpt.Bots.Teams.Activities;
using NextGpt.Bots.Teams.Connector;
using NextGpt.Host;
using NextGpt.Media;

namespace NextGpt.Bots.Teams.Bot;

/// <summary>Takes a question to the router and its answer to the person: text first, then media (TRN-4).</summary>
internal sealed class TurnDelivery(
    ConversationRouter router, ConnectorClient client, IncomingFiles files, MediaDelivery media, SentMessages messages,
    KeptTurns kept, TenantRules tenants, TeamsOptions options, TimeProvider time)
{
    /// <summary>Answers a question.</summary>
    /// <param name="activity">The message.</param>
    /// <param name="conversation">Its conversation at the router.</param>
    /// <param name="cancellationToken">The program ends.</param>
    public async Task RunAsync(IncomingActivity activity, ConversationId conversation, CancellationToken cancellationToken)
    {
        var person = activity.From.LastingId;
        var address = ReplyAddress.Of(activity);
        await tenants.EnforceAsync(activity, person, cancellationToken);
        IReadOnlyList<IncomingFile> attached = [];
        IReadOnlyList<string> problems = [];
        if (IncomingFiles.Any(activity))
        {
            await client.TypeAsync(address, cancellationToken);
            (attached, problems) = await files.ReadAsync(activity, cancellationToken);
        }

        string? turnId = null;
        var parts = router.AskAsync(
            new IncomingTurn
            {
                Surface = TeamsBot.Surface,
                Conversation = conversation,
                PersonId = person,
                MessageId = $"{activity.ConversationId}/{activity.Id ?? Guid.NewGuid().ToString("N")}",
                GroupId = activity.IsPersonal ? null : activity.TenantId ?? activity.ChannelId,
                Links = TurnLinks.Of(activity, time.GetUtcNow()),
                Text = MessageText.Read(activity),
                Files = attached,
            },
            CancellationToken.None);
        await using var writer = new ReplyWriter(
            client, address, activity.IsPersonal ? null : activity.Id,
            streams: activity.IsPersonal && activity.Replies is null, options, time,
            () => _ = turnId is { } id && router.Stop(id, TeamsBot.Surface, person));
        List<string> notices = [.. problems];
        List<MediaReady> made = [];
        await foreach (var part in parts)
        {
            switch (part)
            {
                case TurnAccepted accepted:
                    turnId = accepted.TurnId;
                    messages.AddQuestion(activity.ConversationId, activity.Id, new MessageTurn(person, turnId));
                    break;
                case TurnQueued queued:
                    writer.Inform($"{queued.Position} before you, about {Math.Ceiling(queued.Estimate.TotalSeconds):0} s");
                    break;
                case MediaStarted started:
                    writer.Inform(started.Kind switch
                    {
                        MediaKind.Image => "Drawing…",
                        MediaKind.Audio => "Making a sound…",
                        _ => "Making a clip…",
                    });
                    break;
                case AnswerText text:
                    writer.Append(text.Text);
                    break;
                case AnswerNotice notice:
                    notices.Add(notice.Text);
                    break;
                case MediaReady ready:
                    made.Add(ready);
                    break;
                case MediaLost lost:
                    notices.Add(lost.Sentence);
                    break;
                case TurnFinished { FinishReason: "cancelled" }:
                    notices.Add("Stopped.");
                    break;
                case TurnFailed failed when failed.Error.Sentence == ErrorCatalogue.AnsweredBefore.Template:
                    return;   // it came again after a restart and was answered then (TRN-1)
                case TurnFailed failed:
                    notices.Add(failed.Error.Message);
                    break;
                default:
                    break;
            }
        }

        var under = string.Join("\n\n", notices.Select(notice => $"_{MessageText.Escape(notice)}_"));
        var answerId = await writer.FinishAsync(
            under, made.Count > 0 ? "Here it is." : under.Length > 0 ? "" : "I have no answer to that.", cancellationToken);
        if (answerId is not null && turnId is not null)
        {
            messages.AddAnswer(activity.ConversationId, answerId, new MessageTurn(person, turnId));
            await kept.LinkAnswersAsync(
                TeamsBot.Surface, person, turnId, [TurnLinks.Message(activity.ConversationId, answerId)], cancellationToken);
        }

        foreach (var medium in made)
        {
            await media.SendAsync(
                address, activity, medium.File, medium.Caption, medium.Index,
                turnId is null ? null : (conversation, turnId), cancellationToken);
        }
    }
}
