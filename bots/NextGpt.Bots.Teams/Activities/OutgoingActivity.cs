using System.Text.Json.Nodes;
using NextGpt.Bots.Teams.Connector;

namespace NextGpt.Bots.Teams.Activities;

/// <summary>Where an answer goes: taken from the activity that asked (A2304).</summary>
/// <param name="ServiceUrl">The service's address as it was given, with or without a trailing slash.</param>
/// <param name="ConversationId">The conversation.</param>
/// <param name="ConversationType">Its kind, or null.</param>
/// <param name="ChannelId">For example <c>msteams</c>.</param>
/// <param name="Bot">Who answers.</param>
/// <param name="Person">Who is answered.</param>
internal sealed record ReplyAddress(
    string ServiceUrl, string ConversationId, string? ConversationType, string ChannelId, ChannelAccount Bot,
    ChannelAccount Person)
{
    /// <summary>Language of the person, or null.</summary>
    public string? Locale { get; init; }

    /// <summary>Takes the replies in place of the service, or null.</summary>
    public ExpectedReplies? Replies { get; init; }

    /// <summary>The address to answer an activity at.</summary>
    public static ReplyAddress Of(IncomingActivity activity) => new(
        activity.ServiceUrl, activity.ConversationId, activity.ConversationType, activity.ChannelId, activity.Recipient,
        activity.From)
    {
        Locale = activity.Locale,
        Replies = activity.Replies,
    };
}

/// <summary>An activity that we send; never with a time stamp or service address (A2031, A2041, A2302).</summary>
internal sealed record OutgoingActivity
{
    /// <summary><c>message</c> or <c>typing</c>.</summary>
    public required string Type { get; init; }

    /// <summary>Markdown whose markup is ours, or null.</summary>
    public string? Text { get; init; }

    /// <summary>The activity that is answered, or null.</summary>
    public string? ReplyToId { get; init; }

    /// <summary>Only of a streamed message: the stream.</summary>
    public string? StreamId { get; init; }

    /// <summary>Labels and stream positions.</summary>
    public IReadOnlyList<JsonObject> Entities { get; init; } = [];

    /// <summary>Cards.</summary>
    public IReadOnlyList<JsonObject> Attachments { get; init; } = [];

    /// <summary>What is the channel's own, or null.</summary>
    public JsonObject? ChannelData { get; init; }

    /// <summary>"Is writing", shown for about three seconds.</summary>
    public static OutgoingActivity Typing { get; } = new() { Type = "typing" };

    /// <summary>A message of text alone.</summary>
    public static OutgoingActivity Message(string text, string? replyToId = null) =>
        new() { Type = "message", Text = text, ReplyToId = replyToId };

    /// <summary>A message of one card.</summary>
    public static OutgoingActivity Card(JsonObject attachment) => new() { Type = "message", Attachments = [attachment] };

    /// <summary>The label that says that an AI wrote this (AID-1); at most one in an activity.</summary>
    public static JsonObject AiLabel() => new()
    {
        ["type"] = "https://schema.org/Message",
        ["@type"] = "Message",
        ["@context"] = "https://schema.org",
        ["additionalType"] = new JsonArray("AIGeneratedContent"),
    };

    /// <summary>Asks the person for a thumb.</summary>
    public static JsonObject FeedbackLoop() => new() { ["feedbackLoop"] = new JsonObject { ["type"] = "default" } };

    /// <summary>As the connector wants it.</summary>
    /// <param name="address">Where it goes.</param>
    public JsonObject ToJson(ReplyAddress address)
    {
        var activity = new JsonObject
        {
            ["type"] = Type,
            ["channelId"] = address.ChannelId,
            ["from"] = WithoutNull("name", address.Bot.Name, new JsonObject { ["id"] = address.Bot.Id }),
            ["recipient"] = WithoutNull("name", address.Person.Name, new JsonObject { ["id"] = address.Person.Id }),
            ["conversation"] = WithoutNull(
                "conversationType", address.ConversationType, new JsonObject { ["id"] = address.ConversationId }),
        };
        if (StreamId is not null)
        {
            activity["id"] = StreamId;
        }

        if (ReplyToId is not null)
        {
            activity["replyToId"] = ReplyToId;
        }

        if (Text is not null)
        {
            activity["text"] = Text;
            activity["textFormat"] = "markdown";
        }

        if (address.Locale is not null)
        {
            activity["locale"] = address.Locale;
        }

        if (Entities.Count > 0)
        {
            activity["entities"] = new JsonArray([.. Entities.Select(entity => entity.DeepClone())]);
        }

        if (Attachments.Count > 0)
        {
            activity["attachments"] = new JsonArray([.. Attachments.Select(card => card.DeepClone())]);
        }

        if (ChannelData is not null)
        {
            activity["channelData"] = ChannelData.DeepClone();
        }

        return activity;
    }

    /// <summary>What is not known is left out: readers of activities take null for a fault.</summary>
    private static JsonObject WithoutNull(string name, string? value, JsonObject account)
    {
        if (value is not null)
        {
            account[name] = value;
        }

        return account;
    }
}
