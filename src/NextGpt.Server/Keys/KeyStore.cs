using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using NextGpt.Server.Settings;

namespace NextGpt.Server.Keys;

/// <summary>The keys of the API: made, found by their hash, revoked at once, kept in one file (API-3). Thread-safe.</summary>
internal sealed class KeyStore
{
    private const string Prefix = "ngk";
    private const int LayoutVersion = 1;
    private const string IdAlphabet = "abcdefghjkmnpqrstuvwxyz23456789";
    private static readonly TimeSpan LastUsedEvery = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly string _file;
    private readonly TimeProvider _time;
    private readonly Dictionary<string, ApiKey> _keys;   // by id

    /// <summary>Reads the keys of a data folder.</summary>
    /// <exception cref="InvalidDataException">The file cannot be understood.</exception>
    public KeyStore(string folder, TimeProvider time)
    {
        _file = Path.Combine(folder, "keys.json");
        _time = time;
        _keys = Read(_file).ToDictionary(key => key.Id, StringComparer.Ordinal);
    }

    /// <summary>All keys, oldest first.</summary>
    public IReadOnlyList<ApiKey> List()
    {
        lock (_gate)
        {
            return [.. _keys.Values.OrderBy(key => key.Created)];
        }
    }

    /// <summary>Whether any key works.</summary>
    public bool HasValidKey()
    {
        lock (_gate)
        {
            return _keys.Values.Any(key => key.IsValid(_time.GetUtcNow()));
        }
    }

    /// <summary>Makes a key. The text is shown once and stored nowhere.</summary>
    public (ApiKey Key, string Text) Add(string name, IReadOnlyList<string> scopes, DateTimeOffset? expires)
    {
        if (scopes.FirstOrDefault(scope => !Scope.All.Contains(scope)) is { } unknown)
        {
            throw new ArgumentException(
                $"There is no scope \"{unknown}\"; the scopes are {string.Join(", ", Scope.All)}.", nameof(scopes));
        }

        if (scopes.Count == 0 || string.IsNullOrWhiteSpace(name))
        {
            throw new ArgumentException("A key needs a name and at least one scope.", nameof(scopes));
        }

        if (expires <= _time.GetUtcNow())
        {
            throw new ArgumentException("The key would have expired already; name a later time.", nameof(expires));
        }

        lock (_gate)
        {
            string id;
            do
            {
                id = RandomNumberGenerator.GetString(IdAlphabet, 8);
            }
            while (_keys.ContainsKey(id));

            var secret = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)).TrimEnd('=')
                .Replace('+', '-').Replace('/', '_');
            var text = $"{Prefix}_{id}_{secret}";
            var key = new ApiKey
            {
                Id = id,
                Name = name.Trim(),
                Hash = HashOf(text),
                Scopes = [.. scopes.Distinct()],
                Created = _time.GetUtcNow(),
                Expires = expires,
            };
            _keys[id] = key;
            Write();
            return (key, text);
        }
    }

    /// <summary>Ends a key at once. False if there is none of this id that works.</summary>
    public bool Revoke(string id)
    {
        lock (_gate)
        {
            if (!_keys.TryGetValue(id, out var key) || key.Revoked is not null)
            {
                return false;
            }

            _keys[id] = key with { Revoked = _time.GetUtcNow() };
            Write();
            return true;
        }
    }

    /// <summary>The working key of this text, or null; notes its use.</summary>
    public ApiKey? Find(string text)
    {
        var parts = text.Split('_', 3);
        if (parts.Length != 3 || parts[0] != Prefix)
        {
            return null;
        }

        lock (_gate)
        {
            var now = _time.GetUtcNow();
            if (!_keys.TryGetValue(parts[1], out var key)
                || !CryptographicOperations.FixedTimeEquals(
                    Encoding.ASCII.GetBytes(key.Hash), Encoding.ASCII.GetBytes(HashOf(text)))
                || !key.IsValid(now))
            {
                return null;
            }

            if (key.LastUsed is not { } last || now - last >= LastUsedEvery)
            {
                _keys[key.Id] = key = key with { LastUsed = now };
                TryWrite();
            }

            return key;
        }
    }

    private static string HashOf(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static IReadOnlyList<ApiKey> Read(string file)
    {
        try
        {
            using var stream = File.OpenRead(file);
            var read = JsonSerializer.Deserialize(stream, ApiKeyJson.Default.ApiKeyFile);
            return read is { Version: LayoutVersion, Keys: { } keys }
                ? keys
                : throw new InvalidDataException(
                    "The file of keys (keys.json in the data folder) has another layout; use the program that wrote it.");
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            return [];
        }
        catch (JsonException broken)
        {
            throw new InvalidDataException(
                "The file of keys (keys.json in the data folder) is damaged; restore it, or remove it and make new keys.",
                broken);
        }
    }

    /// <summary>Noting a use must not fail a request when the disk is full.</summary>
    private void TryWrite()
    {
        try
        {
            Write();
        }
        catch (IOException)
        {
            // Written with the next change.
        }
    }

    private void Write() => PrivateFile.Write(
        _file,
        JsonSerializer.SerializeToUtf8Bytes(
            new ApiKeyFile(LayoutVersion, [.. _keys.Values.OrderBy(key => key.Created)]), ApiKeyJson.Default.ApiKeyFile));
}
