using System.Text.Json;

namespace NextGpt.Bots.Teams.Activities;

/// <summary>Reads activities: strict about what an answer needs, tolerant about everything else.</summary>
internal static class ActivityReader
{
    /// <summary>Largest body that is read.</summary>
    public const int MaxBytes = 1024 * 1024;

    /// <summary>Deepest nesting that is read.</summary>
    public const int MaxDepth = 64;

    /// <summary>The activity; null if the body is none.</summary>
    /// <param name="body">UTF-8 JSON.</param>
    public static IncomingActivity? Read(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = MaxDepth });
            return Read(document.RootElement.Clone());
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static IncomingActivity? Read(JsonElement root)
    {
        if (root.Text("type") is not { Length: > 0 } type
            || root.Text("channelId") is not { Length: > 0 } channel
            || root.Text("serviceUrl") is not { Length: > 0 } service
            || AccountOf(root.Member("from")) is not { } from
            || AccountOf(root.Member("recipient")) is not { } recipient
            || root.Text("conversation", "id") is not { Length: > 0 } conversation)
        {
            return null;
        }

        return new IncomingActivity
        {
            Type = type,
            Id = root.Text("id") is { Length: > 0 } id ? id : null,
            ChannelId = channel,
            ServiceUrl = service,
            From = from,
            Recipient = recipient,
            ConversationId = conversation,
            ConversationType = root.Text("conversation", "conversationType"),
            TenantId = root.Text("conversation", "tenantId") ?? root.Text("channelData", "tenant", "id"),
            Text = root.Text("text"),
            Locale = root.Text("locale"),
            ReplyToId = root.Text("replyToId") is { Length: > 0 } replyTo ? replyTo : null,
            Name = root.Text("name"),
            Action = root.Text("action"),
            EventType = root.Text("channelData", "eventType"),
            Timestamp = root.Text("timestamp"),
            DeliveryMode = root.Text("deliveryMode"),
            Value = root.Member("value"),
            Entities = [.. root.Items("entities").Where(static item => item.ValueKind == JsonValueKind.Object)],
            Attachments = [.. root.Items("attachments").Where(static item => item.ValueKind == JsonValueKind.Object)
                .Select(static item => new IncomingAttachment(
                    item.Text("contentType") ?? "", item.Text("contentUrl"), item.Text("name"), item.Member("content")))],
            MembersAdded = Texts(root, "membersAdded", "id"),
            MembersRemoved = Texts(root, "membersRemoved", "id"),
            ReactionsAdded = Texts(root, "reactionsAdded", "type"),
            ReactionsRemoved = Texts(root, "reactionsRemoved", "type"),
        };
    }

    private static ChannelAccount? AccountOf(JsonElement? account) => account?.Text("id") is { Length: > 0 } id
        ? new ChannelAccount(
            id, account.Value.Text("name"), account.Value.Text("aadObjectId") is { Length: > 0 } lasting ? lasting : null)
        : null;

    private static string[] Texts(JsonElement root, string list, string name) =>
        [.. root.Items(list).Select(item => item.Text(name)).OfType<string>()];
}
