namespace NextGpt.Bots.Teams;

/// <summary>What off-boarding a tenant found or erased (TEA-5); no content and no ids of people.</summary>
/// <param name="Tenant">The tenant's id.</param>
/// <param name="People">People of it who allowed keeping.</param>
/// <param name="Conversations">Conversations of it that the bot knew.</param>
/// <param name="Turns">Kept turns that were erased; 0 in an export.</param>
/// <param name="At">When, UTC.</param>
public sealed record TenantReport(string Tenant, int People, int Conversations, int Turns, DateTimeOffset At);
