namespace NextGpt.Bots.Teams;

/// <summary>Who may be answered by a model that learned from a tenant's conversations.</summary>
public enum TenantAudience
{
    /// <summary>The tenant's own people only.</summary>
    OwnTenant,

    /// <summary>Everybody whom this program answers.</summary>
    Everyone,
}

/// <summary>What the administrator of a tenant decided (TEA-4).</summary>
public sealed record TenantRecord
{
    /// <summary>The tenant's id, a GUID.</summary>
    public required string Id { get; init; }

    /// <summary>Whether its people are answered. Default true.</summary>
    public bool Allowed { get; init; } = true;

    /// <summary>Whether conversations may be kept of people who allow it too. Default false.</summary>
    public bool Keeping { get; init; }

    /// <summary>Whether kept conversations may improve the model, of people who allow it too. Default false.</summary>
    public bool Training { get; init; }

    /// <summary>
    /// Who may be answered by what was learned. Default the tenant alone; this program has one adapter for all, so training
    /// needs <see cref="TenantAudience.Everyone"/> (THR-4).
    /// </summary>
    public TenantAudience Audience { get; init; }

    /// <summary>Days after which kept turns of the tenant are removed; null is the log's own time. 1 to 365.</summary>
    public int? RetentionDays { get; init; }

    /// <summary>Whom people of the tenant may ask about it, for example an address; shown by /privacy.</summary>
    public string? Contact { get; init; }
}
