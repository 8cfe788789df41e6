using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Identity.Client;
using Microsoft.Identity.Client.AppConfig;

namespace NextGpt.Bots.Teams.Connector;

/// <summary>Asks the directory for the bot's token: one long-lived client with its cache, one request at a time. Thread-safe.</summary>
internal sealed class ServiceTokens : ITokenSource
{
    private readonly Lock _gate = new();
    private readonly Func<bool, Task<AuthenticationResult>> _ask;
    private Task<string>? _asking;

    /// <summary>Makes the client; asks nothing yet.</summary>
    /// <param name="options">Who the bot is.</param>
    /// <param name="http">Replaces the way to the directory, for tests; null is the ordinary one.</param>
    /// <exception cref="InvalidDataException">The secret or certificate cannot be used; the message says why.</exception>
    public ServiceTokens(TeamsOptions options, IMsalHttpClientFactory? http = null)
    {
        if (options.Credential == TeamsCredential.ManagedIdentity)
        {
            var identity = ManagedIdentityApplicationBuilder.Create(ManagedIdentityId.WithUserAssignedClientId(options.AppId));
            var managed = (http is null ? identity : identity.WithHttpClientFactory(http)).Build();
            _ask = fresh => managed.AcquireTokenForManagedIdentity(options.Resource).WithForceRefresh(fresh).ExecuteAsync();
            return;
        }

        var tenant = options.TenantId ?? "botframework.com";
        var builder = ConfidentialClientApplicationBuilder.Create(options.AppId)
            .WithAuthority($"{options.Authority.TrimEnd('/')}/{tenant}").WithInstanceDiscovery(false);
        builder = options.Credential == TeamsCredential.Certificate
            ? builder.WithCertificate(CertificateOf(options.CertificateFile ?? ""))
            : builder.WithClientSecret(SecretOf(options));
        var client = (http is null ? builder : builder.WithHttpClientFactory(http)).Build();
        string[] scopes = [$"{options.Resource.TrimEnd('/')}/.default"];
        _ask = fresh => client.AcquireTokenForClient(scopes).WithForceRefresh(fresh).ExecuteAsync();
    }

    /// <inheritdoc/>
    public async Task<string?> GetAsync(bool fresh, CancellationToken cancellationToken = default)
    {
        Task<string> asking;
        lock (_gate)
        {
            asking = _asking is { IsCompleted: false } running ? running : _asking = AskAsync(fresh);
        }

        return await asking.WaitAsync(cancellationToken);
    }

    private async Task<string> AskAsync(bool fresh)
    {
        await Task.Yield();   // the lock is not held while the client works
        try
        {
            return (await _ask(fresh)).AccessToken;
        }
        catch (MsalServiceException refused)
        {
            throw new TokenUnavailableException(
                $"The directory gave the Teams bot no token ({refused.ErrorCode}); check NextGpt:Teams:AppId, TenantId and the "
                + "secret or certificate, which may have expired.");
        }
        catch (Exception failure) when (failure is MsalException or HttpRequestException or TaskCanceledException)
        {
            throw new TokenUnavailableException(
                $"The directory did not answer the Teams bot ({failure.GetType().Name}); check the network and NextGpt:Teams:Authority.");
        }
    }

    private static string SecretOf(TeamsOptions options)
    {
        if (options.SecretFile is not { Length: > 0 } file)
        {
            return Environment.GetEnvironmentVariable(options.SecretVariable) is { Length: > 0 } secret
                ? secret
                : throw new InvalidDataException(
                    $"The Teams bot has no secret; set the environment variable {options.SecretVariable} or NextGpt:Teams:SecretFile.");
        }

        CheckOwner(file, "NextGpt:Teams:SecretFile");
        return File.ReadAllText(file).Trim() is { Length: > 0 } text
            ? text
            : throw new InvalidDataException("The file that NextGpt:Teams:SecretFile names is empty; write the secret into it.");
    }

    private static X509Certificate2 CertificateOf(string file)
    {
        CheckOwner(file, "NextGpt:Teams:CertificateFile");
        try
        {
            return Path.GetExtension(file).ToUpperInvariant() is ".PFX" or ".P12"
                ? X509CertificateLoader.LoadPkcs12FromFile(file, null)
                : X509Certificate2.CreateFromPemFile(file);
        }
        catch (CryptographicException)
        {
            throw new InvalidDataException(
                "The file that NextGpt:Teams:CertificateFile names holds no certificate with its private key; give a PEM or a PFX without password.");
        }
    }

    private static void CheckOwner(string file, string setting)
    {
        if (!File.Exists(file))
        {
            throw new InvalidDataException($"The file that {setting} names is not there; create it or correct the setting.");
        }

        const UnixFileMode others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(file) & others) != 0)
        {
            throw new InvalidDataException($"Others can read the file that {setting} names; run chmod 600 on it.");
        }
    }
}
