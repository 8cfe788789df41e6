namespace NextGpt.Server.Web.Accounts;

/// <summary>Somebody who may use the web page.</summary>
internal sealed record Account
{
    /// <summary>Random 128-bit id; this, not the name, is what conversations hang on.</summary>
    public required string Id { get; init; }

    /// <summary>The name they sign in with, 1 to 40 characters; unique, letter case aside.</summary>
    public required string Name { get; init; }

    /// <summary>The framework's salted hash (PBKDF2).</summary>
    public required string PasswordHash { get; init; }

    /// <summary>Whether they may invite and remove others.</summary>
    public required bool IsAdmin { get; init; }

    /// <summary>Changes with the password: sessions that carry an older one end.</summary>
    public required string Stamp { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
}

/// <summary>A one-time link: whoever opens it makes an account, or sets a new password for one.</summary>
internal sealed record Invitation
{
    /// <summary>SHA-256 of the link's secret, hexadecimal; the secret itself is shown once and stored nowhere.</summary>
    public required string SecretHash { get; init; }

    /// <summary>Whether the account it makes may invite others.</summary>
    public required bool IsAdmin { get; init; }

    /// <summary>The account whose password it renews, or null if it makes a new one.</summary>
    public string? AccountId { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>When it was used, or null.</summary>
    public DateTimeOffset? UsedAt { get; init; }
}

/// <summary>The account file.</summary>
internal sealed record AccountBook
{
    /// <summary>Version of the file's layout.</summary>
    public int Version { get; init; } = 1;

    public IReadOnlyList<Account> Accounts { get; init; } = [];

    public IReadOnlyList<Invitation> Invitations { get; init; } = [];
}
