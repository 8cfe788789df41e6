using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using NextGpt.Bots.Teams.Activities;
using NextGpt.Conversations;

namespace NextGpt.Bots.Teams.Bot;

/// <summary>What leads to a kept turn: its messages, its conversation, its tenant, and its tenant's day.</summary>
internal static class TurnLinks
{
    private const int Longest = 400;

    /// <summary>The links of a question.</summary>
    /// <param name="activity">The message.</param>
    /// <param name="now">When it was asked.</param>
    public static IReadOnlyList<TurnLink> Of(IncomingActivity activity, DateTimeOffset now)
    {
        List<TurnLink> links = [Conversation(activity.ConversationId)];
        if (activity.Id is { } id)
        {
            links.Add(Question(activity.ConversationId, id));
        }

        if (activity.TenantId is { } tenant)
        {
            links.Add(Tenant(tenant));
            links.Add(TenantDay(tenant, DateOnly.FromDateTime(now.UtcDateTime)));
        }

        return links;
    }

    /// <summary>A message that asked.</summary>
    public static TurnLink Question(string conversation, string? activityId) => new(TurnLinkKind.Question, Message(conversation, activityId));

    /// <summary>A message that answers.</summary>
    public static TurnLink Answer(string conversation, string? activityId) => new(TurnLinkKind.Answer, Message(conversation, activityId));

    /// <summary>A conversation.</summary>
    public static TurnLink Conversation(string conversation) => new(TurnLinkKind.Place, Fit($"conversation {conversation}"));

    /// <summary>A tenant.</summary>
    public static TurnLink Tenant(string tenant) => new(TurnLinkKind.Place, Fit($"tenant {tenant.ToUpperInvariant()}"));

    /// <summary>A day of a tenant, for its own time of keeping.</summary>
    public static TurnLink TenantDay(string tenant, DateOnly day) => new(
        TurnLinkKind.Place,
        Fit(string.Create(CultureInfo.InvariantCulture, $"tenant {tenant.ToUpperInvariant()} day {day.DayNumber}")));

    /// <summary>The id of a message, unique on the surface.</summary>
    public static string Message(string conversation, string? activityId) => Fit($"{conversation}/{activityId}");

    /// <summary>The log takes at most 500 characters; ids of channels are the channel's to choose.</summary>
    private static string Fit(string id) =>
        id.Length <= Longest ? id : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(id)));
}
