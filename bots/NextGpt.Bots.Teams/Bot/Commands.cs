using System.Text.Json;
using NextGpt.Bots.Teams.Activities;
using NextGpt.Bots.Teams.Connector;
using NextGpt.Host;

namespace NextGpt.Bots.Teams.Bot;

/// <summary>What people can ask for by a word, with or without a slash: the menu of Teams writes it without.</summary>
internal sealed class Commands(
    ConnectorClient client, KeptTurns kept, TenantRules tenants, OfferedFiles offers, SentMessages messages,
    MediaDelivery media, Conversations conversations, TeamsState known, TeamsOptions options)
{
    /// <summary>The commands and what the menu says about them.</summary>
    public static IReadOnlyList<(string Name, string Description)> All { get; } =
    [
        ("new", "Begin a new conversation; what was said is forgotten here"),
        ("stop", "Stop the answer that is being written"),
        ("privacy", "What is kept of what you write, and by whom"),
        ("consent", "Allow or forbid keeping your conversations"),
        ("export", "Get everything that is kept of you as a file"),
        ("forget", "Erase everything that is kept of you"),
        ("help", "What I can do"),
    ];

    /// <summary>The command that a text is, or null; "/word" where there is no such command is none either.</summary>
    public static string? Of(string text)
    {
        var word = text.Trim().TrimStart('/');
        return All.FirstOrDefault(command => string.Equals(command.Name, word, StringComparison.OrdinalIgnoreCase)).Name;
    }

    /// <summary>Does a command.</summary>
    public async Task RunAsync(IncomingActivity activity, string command, CancellationToken cancellationToken)
    {
        var to = ReplyAddress.Of(activity);
        var person = activity.From.LastingId;
        switch (command)
        {
            case "new":
                conversations.Renew(activity.ConversationId);
                await SayAsync(to, "A new conversation begins; I do not remember the old one here.", cancellationToken);
                break;
            case "privacy":
                await SayAsync(to, PrivacyText(activity, person), cancellationToken);
                break;
            case "consent":
                await AskAsync(activity, to, person, cancellationToken);
                break;
            case "export":
                await ExportAsync(activity, to, person, cancellationToken);
                break;
            case "forget":
                await ForgetAsync(activity, to, person, cancellationToken);
                break;
            default:
                await SayAsync(to, HelpText(), cancellationToken);
                break;
        }
    }

    /// <summary>Records what the switches of a card say; the sentence for the person, and whether it was done.</summary>
    public async Task<(bool Done, string Sentence)> ConsentAsync(
        IncomingActivity activity, JsonElement data, CancellationToken cancellationToken)
    {
        var person = activity.From.LastingId;
        if (data.Text("mark") != offers.CardMark(person))
        {
            return (false, "This card is not yours or too old; write /consent for a new one.");
        }

        if (data.Text("keep") is not ("true" or "false") || data.Text("train") is not ("true" or "false" or null))
        {
            return (false, "The card could not be read; write /consent for a new one.");
        }

        var record = tenants.Of(activity);
        var keep = data.Text("keep") == "true";
        var train = keep && data.Text("train") == "true";
        if ((keep && record is not { Keeping: true }) || (train && record is not { Training: true }))
        {
            return (false, "Your organisation does not allow that; nothing was changed.");
        }

        if (keep && await IsGuestAsync(activity, cancellationToken))
        {
            return (false, "Guests' conversations are not kept here; nothing was changed.");
        }

        if (keep)
        {
            known.AddPerson(person, activity.TenantId);
        }

        var state = await kept.SetConsentAsync(TeamsBot.Surface, person, keep, train, cancellationToken);
        if (!state.Keep)
        {
            known.Remove([person], []);
        }

        return (true, state switch
        {
            { Train: true } => "Saved: your conversations are kept and may improve the model.",
            { Keep: true } => "Saved: your conversations are kept.",
            _ when keep => $"Nothing is being kept: {kept.UnavailableBecause ?? "keeping is not offered to you."}",
            _ => "Saved: nothing of yours is kept.",
        });
    }

    /// <summary>The card that greets, with the disclosure and, where allowed, the switches (AID-1, PRI-2).</summary>
    public OutgoingActivity Welcome(IncomingActivity activity, string person)
    {
        var hello = $"I am {options.Name}, an AI: a research model that errs. Ask me in text, with pictures, sounds or clips; "
            + "write /help for more. Nothing you write is kept unless you allow it.";
        return tenants.Of(activity) is { Keeping: true } record && activity.IsPersonal
            ? OutgoingActivity.Card(Cards.Switches(
                hello, keep: false, train: record.Training ? false : null, kept.RetentionDays, offers.CardMark(person)))
            : OutgoingActivity.Message(hello);
    }

    private static string HelpText() =>
        "Write to me, or mention me in a group or channel. I am an AI and make mistakes; I neither speak nor transcribe "
        + "speech. You can attach pictures, sounds and clips, and ask for them.\n\n"
        + string.Join("\n", All.Select(command => $"- **/{command.Name}** {command.Description}"));

    private string PrivacyText(IncomingActivity activity, string person)
    {
        var state = kept.GetConsent(TeamsBot.Surface, person);
        var contact = tenants.Of(activity)?.Contact is { } whom ? $" Questions: {MessageText.Escape(whom)}." : "";
        return (state.Keep
            ? $"Your conversations are kept{(state.Train ? " and may improve the model" : "")}, because you allowed it."
            : "Nothing you write is kept; I remember a conversation for at most an hour, in memory.")
            + $" /consent changes that, /export gives you everything, /forget erases it.{contact}";
    }

    private async Task AskAsync(IncomingActivity activity, ReplyAddress to, string person, CancellationToken cancellationToken)
    {
        if (tenants.Of(activity) is not { Keeping: true } record)
        {
            await SayAsync(
                to, "Your organisation has not allowed keeping conversations; nothing of yours is kept.", cancellationToken);
            return;
        }

        if (!activity.IsPersonal)
        {
            await SayAsync(to, "Write /consent in our personal chat.", cancellationToken);
            return;
        }

        var state = kept.GetConsent(TeamsBot.Surface, person);
        var card = Cards.Switches(
            "What may be done with your conversations?", state.Keep, record.Training ? state.Train : null,
            kept.RetentionDays, offers.CardMark(person));
        await client.SendAsync(to, OutgoingActivity.Card(card), cancellationToken: cancellationToken);
    }

    private async Task ExportAsync(
        IncomingActivity activity, ReplyAddress to, string person, CancellationToken cancellationToken)
    {
        if (!activity.IsPersonal)
        {
            await SayAsync(to, "Write /export in our personal chat.", cancellationToken);
            return;
        }

        try
        {
            using var archive = new MemoryStream();
            await kept.ExportAsync(TeamsBot.Surface, person, archive, cancellationToken);
            await media.OfferAsync(
                to, activity, "nextgpt-export.zip", "application/zip", archive.ToArray(), "Everything that is kept of you",
                cancellationToken);
        }
        catch (InvalidOperationException)
        {
            await SayAsync(to, "Nothing of yours is kept here, so there is nothing to export.", cancellationToken);
        }
    }

    private async Task ForgetAsync(
        IncomingActivity activity, ReplyAddress to, string person, CancellationToken cancellationToken)
    {
        offers.DropAll(file => file.PersonId == person);
        conversations.Renew(activity.ConversationId);   // a group's context held this person's words too
        messages.ForgetPerson(person);
        try
        {
            var count = await kept.EraseAsync(TeamsBot.Surface, person, cancellationToken);
            known.Remove([person], []);
            await SayAsync(
                to, count == 1 ? "Erased: 1 kept answer and what I remembered." : $"Erased: {count} kept answers and what I remembered.",
                cancellationToken);
        }
        catch (InvalidOperationException)
        {
            await SayAsync(to, "Nothing of yours was kept; what I remembered is erased.", cancellationToken);
        }
    }

    /// <summary>Whether the service calls them a guest, or cannot say who they are.</summary>
    private async Task<bool> IsGuestAsync(IncomingActivity activity, CancellationToken cancellationToken)
    {
        if (options.LocalMode)
        {
            return false;
        }

        var answer = await client.MemberAsync(ReplyAddress.Of(activity), activity.From.Id, cancellationToken);
        var body = answer.Body ?? default;
        return !answer.IsDone
            || string.Equals(body.Text("userRole"), "guest", StringComparison.OrdinalIgnoreCase)
            || (body.Text("tenantId") is { } home
                && !string.Equals(home, activity.TenantId, StringComparison.OrdinalIgnoreCase));
    }

    private async Task SayAsync(ReplyAddress to, string text, CancellationToken cancellationToken) =>
        await client.SendAsync(to, OutgoingActivity.Message(text), cancellationToken: cancellationToken);
}
