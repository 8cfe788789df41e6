using System.Text.Json.Nodes;

namespace NextGpt.Bots.Discord.Feedback;

/// <summary>
/// Buttons and the form of an answer. What they do stands in their ids, so that they work after a restart.
/// </summary>
internal static class FeedbackButtons
{
    public const string StopPrefix = "st:v1:";
    public const string UpPrefix = "fb:v1:up:";
    public const string DownPrefix = "fb:v1:down:";
    public const string FormPrefix = "fm:v1:";
    public const string ReportPrefix = "rp:v1:";
    public const string AgainPrefix = "ag:v1:";
    public const string KeepId = "cs:v1:keep";
    public const string DropId = "cs:v1:drop";

    private const int Secondary = 2;

    /// <summary>While an answer is written.</summary>
    public static JsonArray Stop(string turnId) => Row(Button($"{StopPrefix}{turnId}", "Stop", Secondary));

    /// <summary>When it is whole.</summary>
    public static JsonArray Votes(string turnId) => Row(
        Emoji($"{UpPrefix}{turnId}", "👍"), Emoji($"{DownPrefix}{turnId}", "👎"),
        Button($"{ReportPrefix}{turnId}", "Report", Secondary));

    /// <summary>When its question has been edited.</summary>
    public static JsonArray Again(string messageId) =>
        Row(Button($"{AgainPrefix}{messageId}", "Answer the edited question", 1));

    /// <summary>The switch of /consent.</summary>
    public static JsonArray Consent(bool keeps) => Row(
        keeps ? Button(DropId, "Stop keeping and erase", 4) : Button(KeepId, "Keep my conversations", 1));

    /// <summary>The form that 👎 opens.</summary>
    public static JsonObject Form(string turnId) => new()
    {
        ["custom_id"] = $"{FormPrefix}{turnId}",
        ["title"] = "What was wrong?",
        ["components"] = new JsonArray(new JsonObject
        {
            ["type"] = 18,
            ["label"] = "In your words, if you like",
            ["component"] = new JsonObject
            {
                ["type"] = 4,
                ["custom_id"] = "reason",
                ["style"] = 2,
                ["required"] = false,
                ["max_length"] = 1_000,
            },
        }),
    };

    private static JsonArray Row(params JsonNode[] buttons) =>
        new(new JsonObject { ["type"] = 1, ["components"] = new JsonArray([.. buttons]) });

    private static JsonObject Button(string id, string label, int style) =>
        new() { ["type"] = 2, ["style"] = style, ["custom_id"] = id, ["label"] = label };

    private static JsonObject Emoji(string id, string emoji) =>
        new() { ["type"] = 2, ["style"] = Secondary, ["custom_id"] = id, ["emoji"] = new JsonObject { ["name"] = emoji } };
}
