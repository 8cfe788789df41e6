using NextGpt.Bots.Discord.Wire;

namespace NextGpt.Bots.Discord.Gateway;

/// <summary>Something that happened at Discord.</summary>
/// <param name="Name">For example <c>MESSAGE_CREATE</c>.</param>
/// <param name="Data">Its fields.</param>
internal sealed record GatewayEvent(string Name, WireObject Data)
{
    /// <summary>What names it for good, if it may come twice and must be handled once; null if handling it twice is harmless.</summary>
    public string? Key => Name switch
    {
        "MESSAGE_CREATE" or "INTERACTION_CREATE" => $"{Name} {Data.Id("id")}",
        "MESSAGE_UPDATE" => $"{Name} {Data.Id("id")} {Data.Text("edited_timestamp")}",
        _ => null,
    };

    /// <summary>Events of one place are handled in order; a command waits for nothing: it must be acknowledged in three seconds.</summary>
    public string Place => Name == "INTERACTION_CREATE" ? Data.Id("id") : Data.Text("channel_id") ?? Data.Text("guild_id") ?? Data.Id("id");
}
