using System.Globalization;

namespace NextGpt.Bots.Discord.Wire;

/// <summary>Discord's ids: 64 bits, the upper 42 of which are the time (documented under "Snowflakes").</summary>
internal static class Snowflake
{
    private const long Epoch = 1_420_070_400_000;   // first millisecond of 2015

    /// <summary>When the thing was made; null if the text is no id.</summary>
    public static DateTimeOffset? TimeOf(string id) =>
        ulong.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            ? DateTimeOffset.FromUnixTimeMilliseconds((long)(value >> 22) + Epoch)
            : null;

    /// <summary>The shard that receives the events of a server; direct messages come to shard 0.</summary>
    public static int ShardOf(string? guildId, int shards) =>
        ulong.TryParse(guildId, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            ? (int)((value >> 22) % (ulong)shards)
            : 0;

    /// <summary>Whether a text can be an id: digits alone, as many as 64 bits take.</summary>
    public static bool IsId(string text) => text.Length is > 0 and <= 20 && text.All(char.IsAsciiDigit);
}
