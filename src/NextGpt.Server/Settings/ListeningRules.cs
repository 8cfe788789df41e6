using System.Net;

namespace NextGpt.Server.Settings;

/// <summary>The rules between the settings of the server that no single setting shows (API-1).</summary>
internal static class ListeningRules
{
    /// <summary>Whether the address can be reached from this machine only.</summary>
    public static bool ListensOnlyHere(Uri address) =>
        address.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(address.Host.Trim('[', ']'), out var ip) && IPAddress.IsLoopback(ip));

    /// <summary>What cannot work at all; empty if nothing.</summary>
    public static IEnumerable<SettingsProblem> Mistakes(ServerOptions options)
    {
        const string address = $"{ServerOptions.SectionName}:{nameof(ServerOptions.Address)}";
        if (!Uri.TryCreate(options.Address, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https")
            || uri.AbsolutePath != "/")
        {
            yield return new(
                address,
                $"{address} is \"{options.Address}\"; it must be an address such as http://127.0.0.1:5280.");
            yield break;
        }

        foreach (var (name, file) in new[]
        {
            (nameof(ServerOptions.Certificate), options.Certificate),
            (nameof(ServerOptions.CertificateKey), options.CertificateKey),
        })
        {
            var setting = $"{ServerOptions.SectionName}:{name}";
            if (file is null && uri.Scheme == "https")
            {
                yield return new(setting, $"An https address needs {setting}: name a PEM file.");
            }
            else if (file is not null && !File.Exists(file))
            {
                yield return new(setting, $"{setting} names {file}, which is not there; name an existing PEM file.");
            }
        }
    }

    /// <summary>What is refused because strangers could reach it: no TLS, no keys.</summary>
    /// <param name="options">Settings without mistakes.</param>
    /// <param name="hasKey">Whether a working key exists.</param>
    public static IEnumerable<SettingsProblem> Refusals(ServerOptions options, bool hasKey)
    {
        const string address = $"{ServerOptions.SectionName}:{nameof(ServerOptions.Address)}";
        if (ListensOnlyHere(options.AddressUri))
        {
            yield break;
        }

        if (options.AddressUri.Scheme != "https" && !options.BehindTlsProxy)
        {
            yield return new(
                address,
                $"{address} is {options.Address}, which other machines reach, without TLS; use https with "
                + $"{ServerOptions.SectionName}:{nameof(ServerOptions.Certificate)}, or set "
                + $"{ServerOptions.SectionName}:{nameof(ServerOptions.BehindTlsProxy)} if a proxy speaks TLS in front of it.");
        }

        if (!hasKey)
        {
            yield return new(
                address,
                $"{address} is {options.Address}, which other machines reach, and there is no key; make one with "
                + "`nextgpt keys add NAME --scope chat`, or listen on http://127.0.0.1:5280.");
        }
    }
}
