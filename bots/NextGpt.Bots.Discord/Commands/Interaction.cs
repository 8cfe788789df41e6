using NextGpt.Bots.Discord.Wire;

namespace NextGpt.Bots.Discord.Commands;

/// <summary>A command, a press or a form, as it came.</summary>
/// <param name="Event">The fields of INTERACTION_CREATE.</param>
internal sealed record Interaction(WireObject Event)
{
    public const int Command = 2;
    public const int Component = 3;
    public const int Form = 5;

    public string Id => Event.Id("id");

    public string Token => Event.Id("token");

    public long? Type => Event.Number("type");

    public string Channel => Event.Id("channel_id");

    public string? Server => Event.Text("guild_id");

    /// <summary>In servers <c>member</c> is there, in direct messages <c>user</c>.</summary>
    public string Person => Event.Object("member").Object("user").Text("id") ?? Event.Object("user").Id("id");

    public IReadOnlyList<string> Roles => Event.Object("member").Texts("roles");

    public string Name => Event.Object("data").Id("name");

    public string CustomId => Event.Object("data").Id("custom_id");

    /// <summary>The channel of the thread it was used in, or null.</summary>
    public string? Parent => Event.Object("channel") is var channel && channel.Number("type") is >= 10 and <= 12
        ? channel.Text("parent_id") : null;

    /// <summary>An option's text, or null.</summary>
    public string? Option(string name) =>
        Event.Object("data").List("options").FirstOrDefault(option => option.Text("name") == name).Text("value");

    /// <summary>The message that a command of the message menu was used on; without fields for other commands.</summary>
    public WireObject Target => Event.Object("data").Text("target_id") is { } id
        ? Event.Object("data").Object("resolved").Object("messages").Object(id)
        : default;

    /// <summary>The file of an option or those of the message; empty if there is none.</summary>
    public IReadOnlyList<WireObject> Files => Target.IsThere ? Target.List("attachments") :
        Option("file") is { } id && Event.Object("data").Object("resolved").Object("attachments").Object(id) is { IsThere: true } file
            ? [file] : [];

    /// <summary>The text of a field of a form; null if it was left empty.</summary>
    public string? Field(string name) => Fields(Event.Object("data").List("components"))
        .FirstOrDefault(field => field.Text("custom_id") == name).Text("value") is { Length: > 0 } text ? text : null;

    private static IEnumerable<WireObject> Fields(IEnumerable<WireObject> components) => components.SelectMany(component =>
        component.Object("component") is { IsThere: true } inner ? [inner]
        : component.List("components") is { Count: > 0 } row ? Fields(row)
        : (IEnumerable<WireObject>)[component]);
}
