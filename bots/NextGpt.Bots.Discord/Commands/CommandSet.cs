using System.Text.Json.Nodes;
using NextGpt.Bots.Discord.Wire;
using NextGpt.Media;

namespace NextGpt.Bots.Discord.Commands;

/// <summary>The commands as they are registered; put only when Discord has others.</summary>
internal static class CommandSet
{
    /// <summary>The command of the menu of a message.</summary>
    public const string AskAboutMessage = "Ask about this";

    private const int Slash = 1;
    private const int OfMessage = 3;
    private const int Text = 3;
    private const int File = 11;

    /// <summary>All of them.</summary>
    public static JsonArray All() => new(
        Command("chat", "Ask anything; add a picture, sound or clip if you like.", Prompt("What you ask", true), Attachment(false)),
        Command(
            "ask", "Ask, and say what the answer is to be.", Prompt("What you ask", true), Attachment(false), Kind()),
        Command("draw", "Draw a picture.", Prompt("What is to be seen", true)),
        Command("sound", "Make a sound or music (no speech).", Prompt("What is to be heard", true)),
        Command("video", "Make a clip of a few seconds.", Prompt("What happens in it", true)),
        Command("describe", "Describe a picture, sound or clip.", Attachment(true), Prompt("What you want to know about it", false)),
        Command("new", "Begin a new conversation here."),
        Command("privacy", "What is kept about you and what is not."),
        Command("consent", "Allow or stop that your conversations are kept."),
        Command("export", "A copy of everything that is kept of you."),
        Command("forget", "Erase everything of you, at once."),
        Command("help", "What I can do."),
        new JsonObject
        {
            ["name"] = AskAboutMessage,
            ["type"] = OfMessage,
            ["contexts"] = new JsonArray(0, 1),
            ["integration_types"] = new JsonArray(0),
        });

    /// <summary>What the option of /ask asks for; null leaves it to the model.</summary>
    public static MediaKind? KindOf(string? chosen) => chosen switch
    {
        "picture" => MediaKind.Image,
        "sound" => MediaKind.Audio,
        "clip" => MediaKind.Video,
        _ => null,
    };

    /// <summary>Whether what Discord has registered is this set.</summary>
    public static bool IsSame(IReadOnlyList<WireObject> registered) =>
        registered.Select(Signature).Order(StringComparer.Ordinal).SequenceEqual(
            All().Select(command => Signature(WireObject.Parse(System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(command))))
                .Order(StringComparer.Ordinal));

    private static string Signature(WireObject command) => string.Join(
        '|',
        [
            command.Id("name"), $"{command.Number("type") ?? Slash}", command.Id("description"),
            .. command.List("options").Select(option =>
                $"{option.Id("name")},{option.Id("type")},{option.Id("description")},{option.Flag("required")}"),
        ]);

    private static JsonObject Command(string name, string description, params JsonNode[] options) => new()
    {
        ["name"] = name,
        ["description"] = description,
        ["type"] = Slash,
        ["contexts"] = new JsonArray(0, 1),
        ["integration_types"] = new JsonArray(0),
        ["options"] = new JsonArray([.. options]),
    };

    private static JsonObject Prompt(string description, bool isRequired) => new()
    {
        ["name"] = "prompt",
        ["type"] = Text,
        ["description"] = description,
        ["required"] = isRequired,
        ["max_length"] = 6_000,
    };

    private static JsonObject Kind() => new()
    {
        ["name"] = "kind",
        ["type"] = Text,
        ["description"] = "What it is to be",
        ["required"] = false,
        ["choices"] = new JsonArray(Choice("picture"), Choice("sound"), Choice("clip")),
    };

    private static JsonObject Choice(string kind) => new() { ["name"] = kind, ["value"] = kind };

    private static JsonObject Attachment(bool isRequired) => new()
    {
        ["name"] = "file",
        ["type"] = File,
        ["description"] = "A picture, sound or clip",
        ["required"] = isRequired,
    };
}
