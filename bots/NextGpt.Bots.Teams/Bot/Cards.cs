using System.Globalization;
using System.Text.Json.Nodes;
using NextGpt.Host;
using NextGpt.Media;

namespace NextGpt.Bots.Teams.Bot;

/// <summary>The cards we send: Adaptive Cards 1.5 with a text for clients that show none, and the file cards of Teams.</summary>
internal static class Cards
{
    /// <summary>The type of an attachment that holds an Adaptive Card.</summary>
    public const string Adaptive = "application/vnd.microsoft.card.adaptive";

    private const string Consent = "application/vnd.microsoft.teams.card.file.consent";
    private const string Info = "application/vnd.microsoft.teams.card.file.info";

    /// <summary>A picture with its alternative text.</summary>
    /// <param name="address">An https or data: address.</param>
    /// <param name="caption">The alternative text.</param>
    /// <param name="fullSize">Where it opens by itself; null is nowhere.</param>
    public static JsonObject Picture(string address, string caption, string? fullSize) => AdaptiveCard(
        caption,
        [
            new JsonObject
            {
                ["type"] = "Image",
                ["url"] = address,
                ["altText"] = caption,
                ["size"] = "Stretch",
                ["msTeams"] = new JsonObject { ["allowExpand"] = true },
            },
        ],
        fullSize is null ? [] : [Open("Open full size", fullSize)]);

    /// <summary>A sound or clip behind a link.</summary>
    public static JsonObject Linked(OfferedFile file, MediaKind kind, string link) => AdaptiveCard(
        $"{file.Caption}: {link}",
        [
            Text(kind == MediaKind.Audio ? "Sound" : "Clip", bold: true),
            Text(file.Caption),
            Text($"{file.Name}, {SizeOf(file.Bytes.Length)}", subtle: true),
        ],
        [Open(kind == MediaKind.Audio ? "Listen" : "Watch", link)]);

    /// <summary>Asks the person whether a file may be put into their storage.</summary>
    public static JsonObject Offer(OfferedFile file) => new()
    {
        ["contentType"] = Consent,
        ["name"] = file.Name,
        ["content"] = new JsonObject
        {
            ["description"] = file.Caption,
            ["sizeInBytes"] = file.Bytes.Length,
            ["acceptContext"] = new JsonObject { ["offer"] = file.Id },
            ["declineContext"] = new JsonObject { ["offer"] = file.Id },
        },
    };

    /// <summary>Shows a file that was put into the person's storage.</summary>
    public static JsonObject Delivered(string name, string contentUrl, string uniqueId, string fileType) => new()
    {
        ["contentType"] = Info,
        ["contentUrl"] = contentUrl,
        ["name"] = name,
        ["content"] = new JsonObject { ["uniqueId"] = uniqueId, ["fileType"] = fileType },
    };

    /// <summary>The two switches of PRI-2, as they stand; both off until the person acts.</summary>
    /// <param name="introduction">What stands above.</param>
    /// <param name="keep">The first as it stands.</param>
    /// <param name="train">The second as it stands; null if the tenant does not allow it.</param>
    /// <param name="days">How long kept turns stay.</param>
    /// <param name="mark">Binds the card to the person.</param>
    public static JsonObject Switches(string introduction, bool keep, bool? train, int days, string mark)
    {
        List<JsonObject> body = [Text(introduction), Switch("keep", ConsentText.KeepFor(days), keep)];
        if (train is { } on)
        {
            body.Add(Switch("train", ConsentText.Train, on));
        }

        var data = new JsonObject { ["act"] = "consent", ["mark"] = mark };
        var save = new JsonObject
        {
            ["type"] = "Action.Execute",
            ["verb"] = "consent",
            ["title"] = "Save",
            ["data"] = data,
            ["fallback"] = new JsonObject { ["type"] = "Action.Submit", ["title"] = "Save", ["data"] = data.DeepClone() },
        };
        return AdaptiveCard($"{introduction} Write /help for the commands.", body, [save]);
    }

    /// <summary>The size of a file as people write it.</summary>
    public static string SizeOf(int bytes) => bytes >= 1_000_000
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.0} MB")
        : string.Create(CultureInfo.InvariantCulture, $"{Math.Max(1, bytes / 1_000)} kB");

    private static JsonObject AdaptiveCard(string fallback, IEnumerable<JsonObject> body, IReadOnlyList<JsonObject> actions)
    {
        var card = new JsonObject
        {
            ["$schema"] = "http://adaptivecards.io/schemas/adaptive-card.json",
            ["type"] = "AdaptiveCard",
            ["version"] = "1.5",
            ["fallbackText"] = fallback,
            ["body"] = new JsonArray([.. body]),
        };
        if (actions.Count > 0)
        {
            card["actions"] = new JsonArray([.. actions]);
        }

        return new JsonObject { ["contentType"] = Adaptive, ["content"] = card };
    }

    private static JsonObject Text(string text, bool bold = false, bool subtle = false) => new()
    {
        ["type"] = "TextBlock",
        ["text"] = text,
        ["wrap"] = true,
        ["weight"] = bold ? "Bolder" : "Default",
        ["isSubtle"] = subtle,
    };

    private static JsonObject Switch(string id, string text, bool on) => new()
    {
        ["type"] = "Input.Toggle",
        ["id"] = id,
        ["title"] = text,
        ["wrap"] = true,
        ["value"] = on ? "true" : "false",
    };

    private static JsonObject Open(string title, string address) =>
        new() { ["type"] = "Action.OpenUrl", ["title"] = title, ["url"] = address };
}
