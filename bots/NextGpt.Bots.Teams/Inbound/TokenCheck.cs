using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace NextGpt.Bots.Teams.Inbound;

/// <summary>A token that is believed.</summary>
/// <param name="ServiceUrl">The service address it is bound to, or null.</param>
/// <param name="Endorsements">Channels for which its key may speak.</param>
internal sealed record BelievedToken(string? ServiceUrl, IReadOnlyList<string> Endorsements);

/// <summary>Checks signature, issuer, audience and time of an inbound token.</summary>
internal sealed class TokenCheck(SigningKeys keys, string issuer, string audience, TimeProvider time)
{
    private const int MaxCharacters = 16 * 1024;
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(5);

    private readonly JsonWebTokenHandler _handler = new() { MaximumTokenSizeInBytes = MaxCharacters, MapInboundClaims = false };

    /// <summary>The token of an <c>Authorization</c> header if it is to be believed, and one word for the log if not.</summary>
    /// <param name="header">The header as it came.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="KeysUnavailableException">It can neither be believed nor refused.</exception>
    public async Task<(BelievedToken? Token, string? Refusal)> CheckAsync(
        string? header, CancellationToken cancellationToken = default)
    {
        const string scheme = "Bearer ";
        if (string.IsNullOrEmpty(header) || !header.StartsWith(scheme, StringComparison.OrdinalIgnoreCase))
        {
            return (null, "none");
        }

        var text = header[scheme.Length..].Trim();
        if (text.Length > MaxCharacters || !_handler.CanReadToken(text))
        {
            return (null, "unreadable");
        }

        string keyId;
        try
        {
            var token = _handler.ReadJsonWebToken(text);
            if (token.Alg is not (SecurityAlgorithms.RsaSha256 or SecurityAlgorithms.RsaSha384 or SecurityAlgorithms.RsaSha512))
            {
                return (null, "algorithm");
            }

            keyId = token.Kid;
        }
        catch (Exception failure) when (failure is ArgumentException or SecurityTokenException or FormatException)
        {
            return (null, "unreadable");
        }

        if (string.IsNullOrEmpty(keyId) || await keys.FindAsync(keyId, cancellationToken) is not { } published)
        {
            return (null, "unknown key");
        }

        var result = await _handler.ValidateTokenAsync(text, ParametersFor(published));
        return result.IsValid
            ? (new BelievedToken(result.ClaimsIdentity.FindFirst("serviceurl")?.Value, published.Endorsements), null)
            : (null, result.Exception?.GetType().Name ?? "invalid");
    }

    private TokenValidationParameters ParametersFor(PublishedKey published) => new()
    {
        ValidIssuer = issuer,
        ValidAudience = audience,
        IssuerSigningKey = published.Key,
        TryAllIssuerSigningKeys = false,
        RequireSignedTokens = true,
        RequireExpirationTime = true,
        ValidAlgorithms = [SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSha384, SecurityAlgorithms.RsaSha512],
        LifetimeValidator = (notBefore, expires, _, _) => expires is { } end
            && Utc(end) > time.GetUtcNow() - Skew
            && (notBefore is null || Utc(notBefore.Value) < time.GetUtcNow() + Skew),
    };

    private static DateTimeOffset Utc(DateTime moment) => new(DateTime.SpecifyKind(moment, DateTimeKind.Utc));
}
