using System.Diagnostics.Metrics;

namespace NextGpt.Bots.Teams.Bot;

/// <summary>Counts activities by type; foreign types are one.</summary>
internal sealed class TeamsMeter
{
    private static readonly string[] Known =
        ["message", "messageUpdate", "messageDelete", "messageReaction", "conversationUpdate", "installationUpdate", "invoke", "typing", "event"];

    private readonly Counter<long>? _activities;

    /// <summary>Makes the instruments; null counts nothing.</summary>
    public TeamsMeter(IMeterFactory? meters) =>
        _activities = meters?.Create("NextGpt.Teams").CreateCounter<long>("nextgpt.teams.activities");

    /// <summary>Counts one.</summary>
    public void Count(string type) => _activities?.Add(
        1, new KeyValuePair<string, object?>("type", Known.Contains(type, StringComparer.OrdinalIgnoreCase) ? type : "other"));
}
