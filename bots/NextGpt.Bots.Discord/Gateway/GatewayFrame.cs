using NextGpt.Bots.Discord.Wire;

namespace NextGpt.Bots.Discord.Gateway;

/// <summary>A frame as it came.</summary>
/// <param name="Opcode">What it is.</param>
/// <param name="Sequence">Its number within the session, or null.</param>
/// <param name="Name">The event's name, or null.</param>
/// <param name="Whole">The whole frame.</param>
internal sealed record GatewayFrame(int Opcode, long? Sequence, string? Name, WireObject Whole)
{
    /// <summary>Its fields.</summary>
    public WireObject Data => Whole.Object("d");

    /// <summary>Reads one.</summary>
    public static GatewayFrame Read(ReadOnlyMemory<byte> utf8)
    {
        var whole = WireObject.Parse(utf8);
        return new GatewayFrame((int)(whole.Number("op") ?? -1), whole.Number("s"), whole.Text("t"), whole);
    }
}
