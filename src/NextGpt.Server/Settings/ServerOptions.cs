using System.ComponentModel.DataAnnotations;

namespace NextGpt.Server.Settings;

/// <summary>Where the HTTP server listens and whom it answers.</summary>
internal sealed class ServerOptions
{
    /// <summary>The configuration section.</summary>
    public const string SectionName = "NextGpt:Server";

    /// <summary>Address to listen on. Default http://127.0.0.1:5280, this machine only; port 0 takes a free one.</summary>
    [Required]
    public string Address { get; init; } = "http://127.0.0.1:5280";

    /// <summary>Host names answered besides those of this machine, without port. Default none.</summary>
    public string[] AllowedHosts { get; init; } = [];

    /// <summary>PEM file with the certificate of an https address.</summary>
    public string? Certificate { get; init; }

    /// <summary>PEM file with the certificate's private key.</summary>
    public string? CertificateKey { get; init; }

    /// <summary>Whether a proxy in front of this server speaks TLS with the world. Default false.</summary>
    public bool BehindTlsProxy { get; init; }

    /// <summary>
    /// Whether the API wants a key even from this machine. Default false; on other addresses it always does.
    /// </summary>
    public bool RequireKey { get; init; }

    /// <summary>Largest request, in MiB. Default 40.</summary>
    [Range(1, 1_024)]
    public int MaxRequestMegabytes { get; init; } = 40;

    /// <summary>Longest time a request may take to arrive. Default 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Wrong keys a minute after which an address has to wait. Default 10.</summary>
    [Range(1, 10_000)]
    public int MaxKeyFailuresPerMinute { get; init; } = 10;

    /// <summary>The address as a URI.</summary>
    public Uri AddressUri => new(Address, UriKind.Absolute);
}
