using System.Text.Json;
using NextGpt.Bots.Teams.Connector;

namespace NextGpt.Bots.Teams.Activities;

/// <summary>A person or bot in a conversation.</summary>
/// <param name="Id">The channel's id of it, per bot.</param>
/// <param name="Name">What it is called, or null.</param>
/// <param name="AadObjectId">The directory's id of the person, the same for every bot, or null.</param>
internal sealed record ChannelAccount(string Id, string? Name, string? AadObjectId)
{
    /// <summary>The most lasting id there is.</summary>
    public string LastingId => AadObjectId ?? Id;
}

/// <summary>A file or card that came with an activity.</summary>
/// <param name="ContentType">Its type as the channel says, or empty.</param>
/// <param name="ContentUrl">Where it lies, or null.</param>
/// <param name="Name">What the person calls it, or null.</param>
/// <param name="Content">What is inside, or null.</param>
internal sealed record IncomingAttachment(string ContentType, string? ContentUrl, string? Name, JsonElement? Content);

/// <summary>An activity as it arrived; whatever is unknown is ignored, whatever is of a wrong kind is absent.</summary>
internal sealed record IncomingActivity
{
    /// <summary>For example <c>message</c>.</summary>
    public required string Type { get; init; }

    /// <summary>The channel's id of the activity, or null.</summary>
    public string? Id { get; init; }

    /// <summary>For example <c>msteams</c>.</summary>
    public required string ChannelId { get; init; }

    /// <summary>Where to answer, as it was given.</summary>
    public required string ServiceUrl { get; init; }

    /// <summary>Who sent it.</summary>
    public required ChannelAccount From { get; init; }

    /// <summary>The bot, as the channel knows it.</summary>
    public required ChannelAccount Recipient { get; init; }

    /// <summary>The conversation's id; of a channel with the thread's root in it.</summary>
    public required string ConversationId { get; init; }

    /// <summary><c>personal</c>, <c>groupChat</c> or <c>channel</c>; null where the channel did not say.</summary>
    public string? ConversationType { get; init; }

    /// <summary>The tenant, or null.</summary>
    public string? TenantId { get; init; }

    /// <summary>What was written, or null.</summary>
    public string? Text { get; init; }

    /// <summary>Language and region of the sender, or null.</summary>
    public string? Locale { get; init; }

    /// <summary>The activity this one is about, or null.</summary>
    public string? ReplyToId { get; init; }

    /// <summary>Name of an invoke or event, or null.</summary>
    public string? Name { get; init; }

    /// <summary><c>add</c>, <c>remove</c> and the like of an installation, or null.</summary>
    public string? Action { get; init; }

    /// <summary>The channel's word for what happened to a message, for example <c>editMessage</c>; or null.</summary>
    public string? EventType { get; init; }

    /// <summary>When the channel says it was sent, as text; tells two edits of a message apart.</summary>
    public string? Timestamp { get; init; }

    /// <summary>How the answer is wanted; null is by the connector.</summary>
    public string? DeliveryMode { get; init; }

    /// <summary>What a card or invoke brings, or null.</summary>
    public JsonElement? Value { get; init; }

    /// <summary>Mentions and the like.</summary>
    public IReadOnlyList<JsonElement> Entities { get; init; } = [];

    /// <summary>Files and cards.</summary>
    public IReadOnlyList<IncomingAttachment> Attachments { get; init; } = [];

    /// <summary>Ids of who joined.</summary>
    public IReadOnlyList<string> MembersAdded { get; init; } = [];

    /// <summary>Ids of who left.</summary>
    public IReadOnlyList<string> MembersRemoved { get; init; } = [];

    /// <summary>Reactions that were added.</summary>
    public IReadOnlyList<string> ReactionsAdded { get; init; } = [];

    /// <summary>Reactions that were taken back.</summary>
    public IReadOnlyList<string> ReactionsRemoved { get; init; } = [];

    /// <summary>Takes the replies where the sender waits for them in the response; null is by the connector.</summary>
    public ExpectedReplies? Replies { get; init; }

    /// <summary>Whether this is a chat between one person and the bot.</summary>
    public bool IsPersonal => string.Equals(ConversationType, "personal", StringComparison.OrdinalIgnoreCase);

    /// <summary>Names this arrival: the same one coming twice has the same; null where the channel gave no id.</summary>
    public string? RepeatKey => Id is null ? null : $"{ConversationId}\n{Type}\n{Id}\n"
        + (Type.StartsWith("message", StringComparison.OrdinalIgnoreCase) && Type.Length > "message".Length ? Timestamp : null);
}
