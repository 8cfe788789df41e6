using System.ComponentModel.DataAnnotations;

namespace NextGpt.Bots.Discord;

/// <summary>The Discord bot: off by default. The token is no setting: it comes from the environment or a key file alone.</summary>
public sealed class DiscordOptions : IValidatableObject
{
    /// <summary>The configuration section.</summary>
    public const string SectionName = "NextGpt:Discord";

    /// <summary>Whether the bot runs. Default false.</summary>
    public bool Enabled { get; init; }

    /// <summary>Name of the environment variable with the bot's token. Default <c>NEXTGPT_DISCORD_TOKEN</c>.</summary>
    [Required]
    public string TokenVariable { get; init; } = "NEXTGPT_DISCORD_TOKEN";

    /// <summary>A file with the token and nothing else, readable by its owner only; used if the variable is not set.</summary>
    public string? TokenFile { get; init; }

    /// <summary>Shards; null (default) is as many as Discord recommends.</summary>
    [Range(1, 1_024)]
    public int? Shards { get; init; }

    /// <summary>Whether the gateway's connection is compressed. Default true.</summary>
    public bool Compress { get; init; } = true;

    /// <summary>Shown below the bot's name; null shows nothing. Default says that it is an AI.</summary>
    [StringLength(128)]
    public string? Presence { get; init; } = "An AI. Mention me or use /chat";

    /// <summary>
    /// Whether it answers in its own threads without being mentioned. Needs the privileged intent "Message Content", which
    /// must be switched on in the developer portal too. Default false.
    /// </summary>
    public bool ReadThreadsWithoutMention { get; init; }

    /// <summary>Whether a mention in a channel starts a thread; else it is answered by a reply. Default true.</summary>
    public bool StartThreads { get; init; } = true;

    /// <summary>Whether direct messages are answered. Default true.</summary>
    public bool AllowDirectMessages { get; init; } = true;

    /// <summary>Ids of the servers it answers in; empty (default) is all that invited it.</summary>
    public string[] AllowedServers { get; init; } = [];

    /// <summary>Ids of servers it does not answer in.</summary>
    public string[] BlockedServers { get; init; } = [];

    /// <summary>Ids of the channels it answers in; empty (default) is all.</summary>
    public string[] AllowedChannels { get; init; } = [];

    /// <summary>Ids of channels it does not answer in.</summary>
    public string[] BlockedChannels { get; init; } = [];

    /// <summary>Ids of the roles whose members it answers in servers; empty (default) is all.</summary>
    public string[] AllowedRoles { get; init; } = [];

    /// <summary>Ids of roles whose members it does not answer.</summary>
    public string[] BlockedRoles { get; init; } = [];

    /// <summary>Ids of the people it answers; empty (default) is all.</summary>
    public string[] AllowedPeople { get; init; } = [];

    /// <summary>Ids of people it does not answer.</summary>
    public string[] BlockedPeople { get; init; } = [];

    /// <summary>Questions of one person in an hour. Default 60.</summary>
    [Range(1, 100_000)]
    public int TurnsPerPersonAndHour { get; init; } = 60;

    /// <summary>Questions of one server in an hour. Default 600.</summary>
    [Range(1, 1_000_000)]
    public int TurnsPerServerAndHour { get; init; } = 600;

    /// <summary>Least time between two changes of a message. Default 1.2 s, at least 1 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:01:00")]
    public TimeSpan EditInterval { get; init; } = TimeSpan.FromSeconds(1.2);

    /// <summary>Largest file that is posted, in MiB; larger ones are made smaller. Default 10, Discord's own limit.</summary>
    [Range(1, 500)]
    public int MaxAttachmentMegabytes { get; init; } = 10;

    /// <summary>Longest download of one attachment. Default 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")]
    public TimeSpan DownloadTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Whether all pictures and clips are hidden until they are clicked. Default false: only if the question's were.</summary>
    public bool HideMedia { get; init; }

    /// <summary>Your privacy policy, shown by /privacy; null shows what this program does. Default null.</summary>
    public string? PrivacyPolicyAddress { get; init; }

    /// <summary>Discord's API. Default <c>https://discord.com/api/v10/</c>.</summary>
    [Required]
    public string ApiAddress { get; init; } = "https://discord.com/api/v10/";

    /// <summary>Where attachments may be fetched from. Default is Discord's two hosts.</summary>
    public string[] CdnAddresses { get; init; } = [];

    /// <summary>The addresses in force.</summary>
    internal IReadOnlyList<Uri> CdnOrigins => CdnAddresses.Length == 0
        ? [new("https://cdn.discordapp.com"), new("https://media.discordapp.net")]
        : [.. CdnAddresses.Select(address => new Uri(address))];

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var (name, ids) in IdLists().Where(list => list.Ids.Any(id => !Wire.Snowflake.IsId(id))))
        {
            yield return new ValidationResult(
                $"{SectionName}:{name} holds \"{ids.First(id => !Wire.Snowflake.IsId(id))}\", which is no id of Discord; switch on "
                + "developer mode in Discord's settings and copy the id from the menu of the person, role, channel or server.", [name]);
        }

        foreach (var address in CdnAddresses.Append(ApiAddress).Where(address => !IsSafe(address)))
        {
            yield return new ValidationResult(
                $"{SectionName} holds the address \"{address}\"; it must begin with https:// (or http:// on this machine, for tests).",
                [CdnAddresses.Contains(address) ? nameof(CdnAddresses) : nameof(ApiAddress)]);
        }
    }

    private static bool IsSafe(string address) => Uri.TryCreate(address, UriKind.Absolute, out var parsed)
        && (parsed.Scheme == Uri.UriSchemeHttps || (parsed.Scheme == Uri.UriSchemeHttp && parsed.IsLoopback));

    private IEnumerable<(string Name, string[] Ids)> IdLists() =>
    [
        (nameof(AllowedServers), AllowedServers), (nameof(BlockedServers), BlockedServers),
        (nameof(AllowedChannels), AllowedChannels), (nameof(BlockedChannels), BlockedChannels),
        (nameof(AllowedRoles), AllowedRoles), (nameof(BlockedRoles), BlockedRoles),
        (nameof(AllowedPeople), AllowedPeople), (nameof(BlockedPeople), BlockedPeople),
    ];
}
