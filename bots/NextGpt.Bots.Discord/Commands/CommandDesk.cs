using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using NextGpt.Bots.Discord.Answers;
using NextGpt.Bots.Discord.Feedback;
using NextGpt.Bots.Discord.Questions;
using NextGpt.Bots.Discord.Rest;
using NextGpt.Bots.Discord.Wire;
using NextGpt.Conversations;
using NextGpt.Host;
using NextGpt.Media;

namespace NextGpt.Bots.Discord.Commands;

/// <summary>Commands, buttons and forms: acknowledged before anything else is done, private where they concern one person.</summary>
internal sealed partial class CommandDesk(
    DiscordApi api, TurnRunner runner, TurnIndex index, MessageDesk messages, FollowUps followUps, ConversationRouter router, KeptTurns kept, VoteBook votes,
    HourlyQuota quota, Func<DiscordOptions> options, TimeProvider time, ILogger logger)
{
    private const int Message = 4;
    private const int Deferred = 5;
    private const int DeferredChange = 6;
    private const int Change = 7;
    private const int Form = 9;
    private readonly ConcurrentDictionary<string, string> _begun = new();   // place and person to the conversation begun last

    /// <summary>INTERACTION_CREATE.</summary>
    public async Task TakeAsync(WireObject happened, CancellationToken stop)
    {
        var interaction = new Interaction(happened);
        try
        {
            await (interaction.Type switch
            {
                Interaction.Command => CommandAsync(interaction, stop),
                Interaction.Component => PressAsync(interaction, stop),
                Interaction.Form => FormAsync(interaction, stop),
                _ => Task.CompletedTask,
            });
        }
        catch (RestException refused) when (refused.Code is RestCode.AlreadyAcknowledged || RestCode.IsGone(refused.Code))
        {
            LogTooLate(refused.Code);   // it came twice, or three seconds had passed
        }
    }

    /// <summary>Registers the commands if Discord has others.</summary>
    public async Task RegisterAsync(CancellationToken stop)
    {
        if (!CommandSet.IsSame(await api.GetCommandsAsync(stop)))
        {
            await api.PutCommandsAsync(CommandSet.All(), stop);
            LogRegistered();
        }
    }

    private Task CommandAsync(Interaction interaction, CancellationToken stop) => interaction.Name switch
    {
        "chat" => AskAsync(interaction, interaction.Option("prompt") ?? "", null, stop),
        "ask" => AskAsync(interaction, interaction.Option("prompt") ?? "", CommandSet.KindOf(interaction.Option("kind")), stop),
        CommandSet.AskAboutMessage => AskAboutAsync(interaction, stop),
        "draw" => AskAsync(interaction, interaction.Option("prompt") ?? "", MediaKind.Image, stop),
        "sound" => AskAsync(interaction, interaction.Option("prompt") ?? "", MediaKind.Audio, stop),
        "video" => AskAsync(interaction, interaction.Option("prompt") ?? "", MediaKind.Video, stop),
        "describe" => AskAsync(interaction, interaction.Option("prompt") ?? "Describe this.", null, stop),
        "new" => NewAsync(interaction, stop),
        "privacy" => SayAsync(interaction, PrivacyText.Of(options(), kept.GetConsent(TurnRunner.Surface, interaction.Person).Keep, kept.RetentionDays), null, stop),
        "consent" => ConsentAsync(interaction, stop),
        "export" => ExportAsync(interaction, stop),
        "forget" => ForgetAsync(interaction, stop),
        "help" => SayAsync(interaction, PrivacyText.Help, null, stop),
        _ => SayAsync(interaction, "I do not know this command any more; reload Discord.", null, stop),
    };

    /// <summary>
    /// The message that somebody picked is the question. If another person wrote it, the answer is kept only if they allow
    /// keeping too: it quotes them.
    /// </summary>
    private Task AskAboutAsync(Interaction interaction, CancellationToken stop)
    {
        var target = interaction.Target;
        var text = target.Id("content").Trim();
        return text.Length == 0 && target.List("attachments").Count == 0
            ? SayAsync(interaction, "There is nothing in this message that I can read.", null, stop)
            : AskAsync(interaction, text, null, stop);
    }

    private async Task AskAsync(Interaction interaction, string prompt, MediaKind? wanted, CancellationToken stop)
    {
        var asker = new Asker(interaction.Person, interaction.Channel, interaction.Parent, interaction.Server, interaction.Roles);
        var refusal = AccessRules.Refusal(options(), asker)
            ?? (wanted is { } kind && !router.Senses.Makes.Contains(kind)
                ? "The model that speaks here does not make this; /chat still answers." : null)
            ?? quota.Take(options(), asker);
        if (refusal is not null)
        {
            await SayAsync(interaction, refusal, null, stop);
            return;
        }

        var begun = time.GetUtcNow();
        await api.AnswerAsync(interaction.Id, interaction.Token, Deferred, null, stop);
        var limit = options().MaxAttachmentMegabytes * 1024L * 1024;
        var bytes = Math.Min(limit, interaction.Event.Number("attachment_size_limit") ?? limit);
        var place = new InteractionPlace(
            api, interaction.Id, interaction.Token, new ChannelPlace(api, interaction.Channel, interaction.Id, null, limit), followUps, begun,
            bytes, time);
        IReadOnlyList<IncomingFile> files;
        try
        {
            files = await messages.FetchAsync(interaction.Files, stop);
        }
        catch (AttachmentException failed)
        {
            await place.PostAsync("0", new OutgoingMessage { Content = $"-# {failed.Message}" }, stop);
            return;
        }

        _ = runner.Start(
            new AskedQuestion
            {
                Id = interaction.Id,
                Person = interaction.Person,
                Channel = interaction.Channel,
                Server = interaction.Server,
                Conversation = ConversationOf(interaction, asker),
                Text = prompt,
                Files = files,
                HideMedia = MessageDesk.IsHidden(prompt, interaction.Files),
                IsNotKept = interaction.Target.Object("author").Text("id") is { } author && author != interaction.Person
                    && !kept.GetConsent(TurnRunner.Surface, author).Keep,
                Settings = wanted is { } medium ? new TurnSettings { RequiredMedia = [medium] } : null,
            },
            place);
    }

    private ConversationId ConversationOf(Interaction interaction, Asker asker) =>
        _begun.TryGetValue($"{interaction.Channel} {interaction.Person}", out var begun)
            ? MessageDesk.ConversationOf(asker, begun)
            : MessageDesk.ConversationOf(asker, interaction.Channel);

    private Task NewAsync(Interaction interaction, CancellationToken stop)
    {
        if (_begun.Count > 10_000)
        {
            _begun.Clear();
        }

        _begun[$"{interaction.Channel} {interaction.Person}"] = interaction.Id;
        return SayAsync(interaction, "A new conversation begins with your next command here.", null, stop);
    }

    private Task ConsentAsync(Interaction interaction, CancellationToken stop)
    {
        var keeps = kept.GetConsent(TurnRunner.Surface, interaction.Person).Keep;
        return SayAsync(interaction, PrivacyText.Consent(keeps, kept.RetentionDays, kept.UnavailableBecause), FeedbackButtons.Consent(keeps), stop);
    }

    private async Task ExportAsync(Interaction interaction, CancellationToken stop)
    {
        await DeferPrivatelyAsync(interaction, stop);
        if (kept.UnavailableBecause is { } because)
        {
            await EndAsync(interaction, $"Nothing can be exported now: {because}", stop);
            return;
        }

        using var archive = new MemoryStream();
        await kept.ExportAsync(TurnRunner.Surface, interaction.Person, archive, stop);
        var limit = interaction.Event.Number("attachment_size_limit") ?? (options().MaxAttachmentMegabytes * 1024L * 1024);
        if (archive.Length > limit)
        {
            await EndAsync(
                interaction, $"Your copy has {archive.Length / 1048576.0:0.0} MiB, too much to send here; ask the operator for it (`privacy export`).", stop);
            return;
        }

        await api.EditAnswerAsync(
            interaction.Token, "@original",
            new OutgoingMessage
            {
                Content = "Everything that is kept of you.",
                Files = [new OutgoingFile("nextgpt-export.zip", "application/zip", archive.ToArray())],
            },
            stop);
    }

    private async Task ForgetAsync(Interaction interaction, CancellationToken stop)
    {
        await DeferPrivatelyAsync(interaction, stop);
        index.RemovePerson(interaction.Person);
        try
        {
            var removed = await kept.EraseAsync(TurnRunner.Surface, interaction.Person, stop);
            await EndAsync(
                interaction,
                removed == 0 ? "Nothing of you was kept; what I remembered of our conversation is forgotten."
                    : $"Erased: {removed} kept turns and what I remembered. The messages in Discord are yours to delete.", stop);
        }
        catch (InvalidOperationException)
        {
            await EndAsync(interaction, "Nothing is kept here; what I remembered of our conversation is forgotten.", stop);
        }
    }

    private async Task PressAsync(Interaction interaction, CancellationToken stop)
    {
        var id = interaction.CustomId;
        if (After(id, FeedbackButtons.UpPrefix) is { } up)
        {
            await api.AnswerAsync(interaction.Id, interaction.Token, DeferredChange, null, stop);
            await votes.PressAsync(interaction.Person, up, isGood: true, stop);
        }
        else if (After(id, FeedbackButtons.DownPrefix) is { } down)
        {
            await PressDownAsync(interaction, down, stop);
        }
        else if (After(id, FeedbackButtons.StopPrefix) is { } running)
        {
            if (router.Stop(running, TurnRunner.Surface, interaction.Person))
            {
                await api.AnswerAsync(interaction.Id, interaction.Token, DeferredChange, null, stop);
            }
            else
            {
                await SayAsync(interaction, "Only who asked can stop an answer, and only while it is being made.", null, stop);
            }
        }
        else if (After(id, FeedbackButtons.ReportPrefix) is { } reported)
        {
            await SayAsync(interaction, "Thank you. The answer is marked as harmful for whoever runs me.", null, stop);
            await votes.SetAsync(interaction.Person, reported, isGood: false, "report", stop);
            LogReported(reported);
        }
        else if (After(id, FeedbackButtons.AgainPrefix) is { } message)
        {
            if (messages.AskAgain(message, interaction.Person))
            {
                await api.AnswerAsync(interaction.Id, interaction.Token, DeferredChange, null, stop);
            }
            else
            {
                await SayAsync(interaction, "This was answered already, or it is not your question; ask it again in a new message.", null, stop);
            }
        }
        else if (id is FeedbackButtons.KeepId or FeedbackButtons.DropId)
        {
            await ChooseAsync(interaction, id == FeedbackButtons.KeepId, stop);
        }
    }

    /// <summary>The form is the answer to the press, so the vote is noted beside it: who dismisses the form has voted all the same.</summary>
    private async Task PressDownAsync(Interaction interaction, string turnId, CancellationToken stop)
    {
        var pressing = votes.PressAsync(interaction.Person, turnId, isGood: false, stop);
        var vote = votes.Of(interaction.Person, turnId);
        await api.AnswerAsync(
            interaction.Id, interaction.Token, vote == TurnVote.Bad ? Form : DeferredChange,
            vote == TurnVote.Bad ? FeedbackButtons.Form(turnId) : null, stop);
        await pressing;
    }

    private async Task FormAsync(Interaction interaction, CancellationToken stop)
    {
        if (After(interaction.CustomId, FeedbackButtons.FormPrefix) is { } turnId)
        {
            await SayAsync(interaction, "Thank you.", null, stop);
            await votes.SetAsync(interaction.Person, turnId, isGood: false, interaction.Field("reason"), stop);
        }
    }

    private async Task ChooseAsync(Interaction interaction, bool keep, CancellationToken stop)
    {
        if (kept.UnavailableBecause is { } because)
        {
            await SayAsync(interaction, $"This cannot be changed now: {because}", null, stop);
            return;
        }

        // Nothing from Discord may train a model: the second switch does not exist here (DIS-6).
        await kept.SetConsentAsync(TurnRunner.Surface, interaction.Person, keep, train: false, stop);
        var said = new OutgoingMessage
        {
            Content = PrivacyText.Consent(keep, kept.RetentionDays, null),
            Components = FeedbackButtons.Consent(keep),
            IsPrivate = true,
        };
        await api.AnswerAsync(interaction.Id, interaction.Token, Change, said.ToJson(), stop);
    }

    private Task SayAsync(Interaction interaction, string sentence, JsonArray? buttons, CancellationToken stop) => api.AnswerAsync(
        interaction.Id, interaction.Token, Message,
        new OutgoingMessage { Content = sentence, Components = buttons, IsPrivate = true }.ToJson(), stop);

    private Task DeferPrivatelyAsync(Interaction interaction, CancellationToken stop) =>
        api.AnswerAsync(interaction.Id, interaction.Token, Deferred, new JsonObject { ["flags"] = 64 }, stop);

    private Task<string> EndAsync(Interaction interaction, string sentence, CancellationToken stop) =>
        api.EditAnswerAsync(interaction.Token, "@original", new OutgoingMessage { Content = sentence }, stop);

    private static string? After(string text, string prefix) =>
        text.StartsWith(prefix, StringComparison.Ordinal) ? text[prefix.Length..] : null;

    [LoggerMessage(5070, LogLevel.Information, "Discord commands were registered anew")]
    private partial void LogRegistered();

    [LoggerMessage(5071, LogLevel.Information, "An interaction was answered too late or twice (code {Code})")]
    private partial void LogTooLate(int code);

    [LoggerMessage(5072, LogLevel.Warning, "Turn {TurnId} was reported as harmful")]
    private partial void LogReported(string turnId);
}
