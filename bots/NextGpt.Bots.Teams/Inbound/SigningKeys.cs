using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Tokens;
using NextGpt.Bots.Teams.Activities;

namespace NextGpt.Bots.Teams.Inbound;

/// <summary>A published key.</summary>
/// <param name="Key">The key.</param>
/// <param name="Endorsements">Channels for which its tokens may speak.</param>
internal sealed record PublishedKey(SecurityKey Key, IReadOnlyList<string> Endorsements);

/// <summary>No key was ever read and none can be read now: nobody can be believed, nobody can be refused.</summary>
internal sealed class KeysUnavailableException(Exception cause) : Exception("The keys of the service cannot be read.", cause);

/// <summary>
/// The keys that the service publishes: read once, again each day and, at most once a minute, when a token names one that
/// is not known. If that fails the known ones go on. Thread-safe.
/// </summary>
internal sealed partial class SigningKeys(HttpClient http, Uri metadata, TimeProvider time, ILogger<SigningKeys> logger) : IDisposable
{
    private static readonly TimeSpan Life = TimeSpan.FromDays(1);
    private static readonly TimeSpan LeastPause = TimeSpan.FromMinutes(1);

    private readonly SemaphoreSlim _reading = new(1, 1);
    private volatile Reading? _known;
    private DateTimeOffset _lastTry = DateTimeOffset.MinValue;

    /// <summary>The key of this id; null if the service publishes none.</summary>
    /// <exception cref="KeysUnavailableException">No key was ever read.</exception>
    public async Task<PublishedKey?> FindAsync(string keyId, CancellationToken cancellationToken = default)
    {
        var known = _known;
        if (known is null || time.GetUtcNow() - known.At >= Life || !known.Keys.ContainsKey(keyId))
        {
            known = await RefreshAsync(known, cancellationToken);
        }

        return known.Keys.GetValueOrDefault(keyId);
    }

    public void Dispose() => _reading.Dispose();

    private async Task<Reading> RefreshAsync(Reading? seen, CancellationToken cancellationToken)
    {
        await _reading.WaitAsync(cancellationToken);
        try
        {
            if (_known is { } current && (!ReferenceEquals(current, seen) || time.GetUtcNow() - _lastTry < LeastPause))
            {
                return current;   // another request has just read them, or tried to
            }

            _lastTry = time.GetUtcNow();
            try
            {
                return _known = await ReadAsync(cancellationToken);
            }
            catch (Exception failure) when (failure is HttpRequestException or JsonException or InvalidDataException
                or ArgumentException || (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested))
            {
                LogUnreadable(failure.GetType().Name);
                return _known ?? throw new KeysUnavailableException(failure);
            }
        }
        finally
        {
            _reading.Release();
        }
    }

    private async Task<Reading> ReadAsync(CancellationToken cancellationToken)
    {
        using var description = JsonDocument.Parse(await http.GetByteArrayAsync(metadata, cancellationToken));
        if (!Uri.TryCreate(description.RootElement.Text("jwks_uri"), UriKind.Absolute, out var address)
            || address.Scheme != metadata.Scheme)
        {
            throw new InvalidDataException("The service's description names no address of keys.");
        }

        using var set = JsonDocument.Parse(await http.GetByteArrayAsync(address, cancellationToken));
        var keys = new Dictionary<string, PublishedKey>(StringComparer.Ordinal);
        foreach (var item in set.RootElement.Items("keys"))
        {
            if (item.Text("kty") == "RSA" && item.Text("kid") is { Length: > 0 } id)
            {
                keys[id] = new PublishedKey(
                    new JsonWebKey(item.GetRawText()),
                    [.. item.Items("endorsements").Where(static e => e.ValueKind == JsonValueKind.String).Select(static e => e.GetString()!)]);
            }
        }

        return keys.Count > 0
            ? new Reading(keys, time.GetUtcNow())
            : throw new InvalidDataException("The service publishes no keys.");
    }

    [LoggerMessage(6001, LogLevel.Warning, "The keys that sign Teams activities could not be read: {Failure}")]
    private partial void LogUnreadable(string failure);

    private sealed record Reading(IReadOnlyDictionary<string, PublishedKey> Keys, DateTimeOffset At);
}
