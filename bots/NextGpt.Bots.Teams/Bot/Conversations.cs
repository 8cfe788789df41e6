using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using NextGpt.Host;

namespace NextGpt.Bots.Teams.Bot;

/// <summary>Names Teams' conversations at the router; a renewed one has a new name and so no past. Thread-safe.</summary>
internal sealed class Conversations(TeamsState state, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, string> _renewed = new(StringComparer.Ordinal);

    /// <summary>The router's name of a conversation.</summary>
    public ConversationId Of(string conversation)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(conversation)))[..32];
        return new ConversationId($"teams:{hash}{_renewed.GetValueOrDefault(conversation) ?? state.Conversation(conversation)?.Renewed}");
    }

    /// <summary>Begins anew: what was said before is not part of what follows.</summary>
    public void Renew(string conversation)
    {
        var suffix = string.Create(CultureInfo.InvariantCulture, $":{time.GetUtcNow().ToUnixTimeMilliseconds()}");
        _renewed[conversation] = suffix;
        state.Change(conversation, known => known with { Renewed = suffix });
    }
}
