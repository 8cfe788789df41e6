using System.Text.Json.Serialization;

namespace NextGpt.Server.Keys;

/// <summary>A key as it is stored: its hash, never itself.</summary>
internal sealed record ApiKey
{
    /// <summary>Eight characters, shown in lists; part of the key itself.</summary>
    public required string Id { get; init; }

    /// <summary>What the operator calls it.</summary>
    public required string Name { get; init; }

    /// <summary>SHA-256 of the key (256 random bits, so no slow hash is needed), hexadecimal.</summary>
    public required string Hash { get; init; }

    /// <summary>What it may be used for.</summary>
    public required IReadOnlyList<string> Scopes { get; init; }

    /// <summary>When it was made, UTC.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>When it ends, UTC; null is never.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>When it was last used, UTC, to the minute; null is never.</summary>
    public DateTimeOffset? LastUsed { get; init; }

    /// <summary>When it was revoked, UTC; null is not.</summary>
    public DateTimeOffset? Revoked { get; init; }

    /// <summary>Whether it works at an instant.</summary>
    public bool IsValid(DateTimeOffset now) => Revoked is null && (Expires is null || now < Expires);
}

/// <summary>The file of keys.</summary>
/// <param name="Version">Of its layout.</param>
/// <param name="Keys">All keys, revoked ones too.</param>
internal sealed record ApiKeyFile(int Version, IReadOnlyList<ApiKey> Keys);

/// <summary>Reads and writes the file without reflection.</summary>
[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ApiKeyFile))]
internal sealed partial class ApiKeyJson : JsonSerializerContext;
