namespace NextGpt.Bots.Teams;

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

    /// <summary>Whom people of the tenant may ask about it, for example an address; shown by /privacy.</summary>
    public string? Contact { get; init; }
}
