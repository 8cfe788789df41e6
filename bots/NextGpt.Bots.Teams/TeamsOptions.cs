using System.ComponentModel.DataAnnotations;

namespace NextGpt.Bots.Teams;

/// <summary>How the bot proves who it is when it speaks.</summary>
public enum TeamsCredential
{
    /// <summary>An application secret, from an environment variable or a file that only its owner reads.</summary>
    Secret,

    /// <summary>A certificate with its private key, PEM or PFX.</summary>
    Certificate,

    /// <summary>A user-assigned managed identity; there is no secret.</summary>
    ManagedIdentity,
}

/// <summary>The Teams bot: who it is, whom it believes, how fast it speaks. Off by default.</summary>
public sealed class TeamsOptions : IValidatableObject
{
    /// <summary>The configuration section.</summary>
    public const string SectionName = "NextGpt:Teams";

    /// <summary>Whether the bot answers at all. Default false.</summary>
    public bool Enabled { get; init; }

    /// <summary>The bot's application id, a GUID; also the audience of every token that is believed.</summary>
    public string? AppId { get; init; }

    /// <summary>The tenant the bot is registered in; null for an older registration that serves many tenants.</summary>
    public string? TenantId { get; init; }

    /// <summary>The name people see. Default "NextGpt".</summary>
    [StringLength(30, MinimumLength = 1)]
    public string Name { get; init; } = "NextGpt";

    /// <summary>How the bot proves who it is. Default an application secret.</summary>
    public TeamsCredential Credential { get; init; }

    /// <summary>Environment variable with the application secret. Default <c>NEXTGPT_TEAMS_SECRET</c>.</summary>
    [StringLength(200, MinimumLength = 1)]
    public string SecretVariable { get; init; } = "NEXTGPT_TEAMS_SECRET";

    /// <summary>File with the application secret, readable by its owner only; null reads the variable.</summary>
    public string? SecretFile { get; init; }

    /// <summary>Certificate with private key (PEM, or PFX without password), readable by its owner only.</summary>
    public string? CertificateFile { get; init; }

    /// <summary>Where activities arrive. Default <c>/api/messages</c>.</summary>
    [RegularExpression("^/[A-Za-z0-9/_-]{1,100}$", ErrorMessage = "NextGpt:Teams:Path must be a path such as /api/messages.")]
    public string Path { get; init; } = "/api/messages";

    /// <summary>
    /// This server as the outside world reaches it, for links to media, for example <c>https://bot.example.org</c>; null
    /// (default) sends pictures inside cards and offers no links.
    /// </summary>
    public string? PublicAddress { get; init; }

    /// <summary>Who must have signed inbound tokens. Default the public cloud's service.</summary>
    [Required]
    public string Issuer { get; init; } = "https://api.botframework.com";

    /// <summary>Where the keys of inbound tokens are published. Default the public cloud's address.</summary>
    [Required]
    public string MetadataAddress { get; init; } = "https://login.botframework.com/v1/.well-known/openidconfiguration";

    /// <summary>Where outbound tokens are asked for. Default the public cloud's address.</summary>
    [Required]
    public string Authority { get; init; } = "https://login.microsoftonline.com";

    /// <summary>What outbound tokens are for. Default the public cloud's service.</summary>
    [Required]
    public string Resource { get; init; } = "https://api.botframework.com";

    /// <summary>
    /// Hosts of the service that may be spoken to, the only ones that ever see the bot's token; <c>*.example.org</c> is every
    /// host below.
    /// </summary>
    public string[] ServiceHosts { get; init; } =
        ["smba.trafficmanager.net", "*.botframework.com", "smba.infra.gcc.teams.microsoft.com"];

    /// <summary>Hosts from which people's files are read and to which files are uploaded, never with the bot's token.</summary>
    public string[] FileHosts { get; init; } = ["*.sharepoint.com", "*.sharepoint-df.com", "*.1drv.com", "*.onedrive.com"];

    /// <summary>Ids of the tenants that may talk to the bot; empty (default) is all, except those whose record forbids it.</summary>
    public string[] AllowedTenants { get; init; } = [];

    /// <summary>What the tenants' administrators decided; a tenant without a record is answered, nothing of it is kept.</summary>
    public IReadOnlyList<TenantRecord> Tenants { get; init; } = [];

    /// <summary>Least time between two updates of a streamed answer. Default 1.5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:00:30")]
    public TimeSpan StreamInterval { get; init; } = TimeSpan.FromMilliseconds(1_500);

    /// <summary>After this long a streamed answer is closed and goes on as a normal message. Default 105 s; Teams ends it at 120.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "00:01:55")]
    public TimeSpan StreamLimit { get; init; } = TimeSpan.FromSeconds(105);

    /// <summary>Longest wait for one call to the service. Default 15 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:02:00")]
    public TimeSpan CallTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// Longest wait of a caller that wants the replies in its response; later ones go by the connector. Default 60 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan ExpectedRepliesTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Tries of one call that may be repeated, the first included. Default 4.</summary>
    [Range(1, 10)]
    public int MaxTries { get; init; } = 4;

    /// <summary>Activities that may wait in all; one more is answered 503 and sent again by the service. Default 1,000.</summary>
    [Range(1, 100_000)]
    public int MaxQueued { get; init; } = 1_000;

    /// <summary>Largest file read from a person, in MiB. Default 25.</summary>
    [Range(1, 1_024)]
    public int MaxFileMegabytes { get; init; } = 25;

    /// <summary>Longest time to read a person's file. Default 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")]
    public TimeSpan DownloadTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long links to media work and offered files wait, in memory. Default 1 h, as long as anything not kept.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "1.00:00:00")]
    public TimeSpan LinkLifetime { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Most memory for offered files and linked media, in MiB; the oldest go first. Default 256.</summary>
    [Range(1, 65_536)]
    public int MaxOfferedMegabytes { get; init; } = 256;

    /// <summary>
    /// File with the bot's routing table (ids and addresses, no content); null (default) is <c>teams.state</c> beside the
    /// log's folder, and in memory where there is no log.
    /// </summary>
    public string? StateFile { get; init; }

    /// <summary>
    /// Believes everybody, for the local playground only: refused unless the server listens on this machine alone, and only
    /// activities whose service is on this machine are answered. Default false.
    /// </summary>
    public bool LocalMode { get; init; }

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (!Enabled)
        {
            yield break;
        }

        if (!LocalMode && !Guid.TryParse(AppId, out _))
        {
            yield return Wrong(
                nameof(AppId), "must be the bot's application id, a GUID as the Azure portal shows it");
        }

        if (Credential == TeamsCredential.Certificate && string.IsNullOrEmpty(CertificateFile))
        {
            yield return Wrong(nameof(CertificateFile), "must name the certificate, because Credential is Certificate");
        }

        foreach (var (name, value) in new[]
        {
            (nameof(MetadataAddress), MetadataAddress), (nameof(Authority), Authority), (nameof(Resource), Resource),
        })
        {
            if (!Uri.TryCreate(value, UriKind.Absolute, out var address) || address.Scheme != Uri.UriSchemeHttps)
            {
                yield return Wrong(name, "must be an https address");
            }
        }

        if (PublicAddress is not null
            && !(Uri.TryCreate(PublicAddress, UriKind.Absolute, out var own) && own.Scheme == Uri.UriSchemeHttps))
        {
            yield return Wrong(nameof(PublicAddress), "must be an https address, or be left out");
        }

        foreach (var record in Tenants)
        {
            if (!Guid.TryParse(record.Id, out _))
            {
                yield return Wrong(nameof(Tenants), "must have a GUID as Id in every record");
            }
            else if (record.Training && !record.Keeping)
            {
                yield return Wrong(nameof(Tenants), $"allows tenant {record.Id} training without keeping; allow both or neither");
            }
            else if (record.Training && record.Audience != TenantAudience.Everyone)
            {
                yield return Wrong(
                    nameof(Tenants),
                    $"allows tenant {record.Id} training for its own people only, but one adapter serves everybody here; set its "
                    + "Audience to Everyone or its Training to false");
            }

            if (record.RetentionDays is < 1 or > 365)
            {
                yield return Wrong(nameof(Tenants), $"must keep turns of tenant {record.Id} for 1 to 365 days, or leave RetentionDays out");
            }
        }
    }

    /// <summary>Where the routing table lies, given the log's folder; null is nowhere.</summary>
    internal string? StateFileBeside(string? logFolder) => StateFile ?? (string.IsNullOrEmpty(logFolder)
        ? null
        : System.IO.Path.Combine(
            System.IO.Path.GetDirectoryName(System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(logFolder))) ?? logFolder,
            "teams.state"));

    private static ValidationResult Wrong(string name, string must) => new($"{SectionName}:{name} {must}.", [name]);
}
