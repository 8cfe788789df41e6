using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Logging;
using NextGpt.Bots.Teams.Activities;

namespace NextGpt.Bots.Teams.Bot;

/// <summary>A conversation that the bot is in: where it is reached, and what must outlive the process.</summary>
/// <param name="ServiceUrl">The service's address, renewed by what arrives (A2304).</param>
/// <param name="Type"><c>personal</c>, <c>groupChat</c>, <c>channel</c>, or null.</param>
/// <param name="Tenant">The tenant, or null.</param>
/// <param name="Bot">The bot's id there.</param>
/// <param name="Renewed">What /new adds to its name at the router, or null.</param>
/// <param name="Welcomed">Whether the bot has greeted.</param>
/// <param name="Day">When it was last heard of, days since 0001-01-01.</param>
internal sealed record KnownConversation(
    string ServiceUrl, string? Type, string? Tenant, string Bot, string? Renewed, bool Welcomed, int Day);

/// <summary>A person who allowed keeping, and the tenant whose administrator answers for that.</summary>
/// <param name="Tenant">The tenant, or null.</param>
internal sealed record KnownPerson(string? Tenant);

/// <summary>A file that was offered by a card: its bytes are not here but, where the turn is kept, in the log.</summary>
/// <param name="Person">Whose it is.</param>
/// <param name="Conversation">Where the card stands.</param>
/// <param name="RouterConversation">The router's name of the conversation.</param>
/// <param name="TurnId">The turn that made it.</param>
/// <param name="Index">Its number among the turn's media.</param>
/// <param name="Until">When the offer ends, Unix seconds.</param>
internal sealed record KnownOffer(
    string Person, string Conversation, string RouterConversation, string TurnId, int Index, long Until);

/// <summary>
/// The routing table of the bot, in a file of lines that only its owner reads: ids and addresses, never content, so that
/// removal, off-boarding and offers work after a restart (TEA-5). Whoever is taken out of it leaves no bytes behind. A disk
/// that fails ends nothing: the table goes on in memory. Thread-safe.
/// </summary>
internal sealed partial class TeamsState
{
    private const int LongestUnused = 180;   // days

    private readonly Lock _gate = new();
    private readonly Dictionary<string, KnownConversation> _conversations = new(StringComparer.Ordinal);
    private readonly Dictionary<string, KnownPerson> _people = new(StringComparer.Ordinal);
    private readonly Dictionary<string, KnownOffer> _offers = new(StringComparer.Ordinal);
    private readonly string? _file;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    /// <summary>Reads the table.</summary>
    /// <param name="file">The file, made when needed; null keeps the table in memory.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Is told when the file cannot be used.</param>
    public TeamsState(string? file, TimeProvider time, ILogger logger)
    {
        (_file, _time, _logger) = (file, time, logger);
        Key = RandomNumberGenerator.GetBytes(32);
        Load();
    }

    /// <summary>Signs links and cards, the same after a restart.</summary>
    public byte[] Key { get; private set; }

    /// <summary>What is known of a conversation, or null.</summary>
    public KnownConversation? Conversation(string id)
    {
        lock (_gate)
        {
            return _conversations.GetValueOrDefault(id);
        }
    }

    /// <summary>Notes where a conversation is reached.</summary>
    public void Hear(IncomingActivity activity)
    {
        lock (_gate)
        {
            var known = _conversations.GetValueOrDefault(activity.ConversationId);
            var heard = new KnownConversation(
                activity.ServiceUrl, activity.ConversationType ?? known?.Type, activity.TenantId ?? known?.Tenant,
                activity.Recipient.Id, known?.Renewed, known?.Welcomed ?? false, Today());
            if (heard != known)
            {
                _conversations[activity.ConversationId] = heard;
                Append(new Line { Conversation = activity.ConversationId, Known = heard });
            }
        }
    }

    /// <summary>Changes what is known of a conversation; nothing if it is not known.</summary>
    public bool Change(string id, Func<KnownConversation, KnownConversation> change)
    {
        lock (_gate)
        {
            if (!_conversations.TryGetValue(id, out var known) || change(known) is var changed && changed == known)
            {
                return false;
            }

            _conversations[id] = changed;
            Append(new Line { Conversation = id, Known = changed });
            return true;
        }
    }

    /// <summary>Notes a person who allowed keeping.</summary>
    public void AddPerson(string id, string? tenant)
    {
        lock (_gate)
        {
            var person = new KnownPerson(tenant);
            if (_people.GetValueOrDefault(id) != person)
            {
                _people[id] = person;
                Append(new Line { Person = id, Who = person });
            }
        }
    }

    /// <summary>Notes an offered file.</summary>
    public void AddOffer(string id, KnownOffer offer)
    {
        lock (_gate)
        {
            _offers[id] = offer;
            Append(new Line { Offer = id, What = offer });
        }
    }

    /// <summary>Takes an offer out for its person; null if it is unknown, somebody else's or too old.</summary>
    public KnownOffer? TakeOffer(string id, string personId)
    {
        lock (_gate)
        {
            if (!_offers.TryGetValue(id, out var offer) || offer.Person != personId)
            {
                return null;
            }

            _offers.Remove(id);
            Rewrite();
            return offer.Until > _time.GetUtcNow().ToUnixTimeSeconds() ? offer : null;
        }
    }

    /// <summary>People of a tenant who allowed keeping, and its conversations.</summary>
    public (IReadOnlyList<string> People, IReadOnlyList<string> Conversations) Of(string tenant)
    {
        lock (_gate)
        {
            return (
                [.. _people.Where(person => IsOf(person.Value.Tenant)).Select(person => person.Key)],
                [.. _conversations.Where(known => IsOf(known.Value.Tenant)).Select(known => known.Key)]);
        }

        bool IsOf(string? other) => string.Equals(other, tenant, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Takes out people and conversations with all that is theirs; of their lines nothing stays in the file.</summary>
    public void Remove(IReadOnlyCollection<string> people, IReadOnlyCollection<string> conversations)
    {
        lock (_gate)
        {
            var count = _people.Count + _conversations.Count + _offers.Count;
            foreach (var (id, offer) in _offers.ToList())
            {
                if (people.Contains(offer.Person) || conversations.Contains(offer.Conversation))
                {
                    _offers.Remove(id);
                }
            }

            foreach (var id in people)
            {
                _people.Remove(id);
            }

            foreach (var id in conversations)
            {
                _conversations.Remove(id);
            }

            if (_people.Count + _conversations.Count + _offers.Count != count)
            {
                Rewrite();
            }
        }
    }

    private int Today() => DateOnly.FromDateTime(_time.GetUtcNow().UtcDateTime).DayNumber;

    private void Load()
    {
        if (_file is null)
        {
            return;
        }

        try
        {
            if (File.Exists(_file))
            {
                foreach (var text in File.ReadLines(_file))
                {
                    Apply(text);
                }
            }

            var now = _time.GetUtcNow().ToUnixTimeSeconds();
            foreach (var (id, _) in _offers.Where(offer => offer.Value.Until <= now).ToList())
            {
                _offers.Remove(id);
            }

            foreach (var (id, _) in _conversations.Where(known => known.Value.Day < Today() - LongestUnused).ToList())
            {
                _conversations.Remove(id);
            }

            Rewrite();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            LogUnusable(failure.GetType().Name);
        }
    }

    private void Apply(string text)
    {
        Line? line;
        try
        {
            line = JsonSerializer.Deserialize(text, StateJson.Default.Line);
        }
        catch (JsonException)
        {
            return;   // torn when the power went; it was not acknowledged
        }

        switch (line)
        {
            case { Key: { Length: 32 } key }:
                Key = key;
                break;
            case { Conversation: { } id, Known: { } known }:
                _conversations[id] = known;
                break;
            case { Person: { } id, Who: { } person }:
                _people[id] = person;
                break;
            case { Offer: { } id, What: { } offer }:
                _offers[id] = offer;
                break;
            default:
                break;
        }
    }

    private void Append(Line line)
    {
        if (_file is null)
        {
            return;
        }

        try
        {
            using var file = new FileStream(_file, FileMode.Append, FileAccess.Write, FileShare.Read);
            file.Write(Bytes(line));
            file.Flush(flushToDisk: true);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            LogUnusable(failure.GetType().Name);
        }
    }

    private void Rewrite()
    {
        if (_file is null)
        {
            return;
        }

        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(_file))!);   // a full path of a file has one
            var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            var next = $"{_file}.new";
            using (var file = new FileStream(next, options))
            {
                file.Write(Bytes(new Line { Key = Key }));
                foreach (var line in _conversations.Select(known => new Line { Conversation = known.Key, Known = known.Value })
                    .Concat(_people.Select(person => new Line { Person = person.Key, Who = person.Value }))
                    .Concat(_offers.Select(offer => new Line { Offer = offer.Key, What = offer.Value })))
                {
                    file.Write(Bytes(line));
                }

                file.Flush(flushToDisk: true);
            }

            File.Move(next, _file, overwrite: true);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            LogUnusable(failure.GetType().Name);
        }
    }

    private static byte[] Bytes(Line line) =>
        Encoding.UTF8.GetBytes(JsonSerializer.Serialize(line, StateJson.Default.Line) + "\n");

    [LoggerMessage(6050, LogLevel.Error, "The Teams bot's routing table cannot be written ({Failure}); it goes on in memory")]
    private partial void LogUnusable(string failure);

    /// <summary>A line of the file: the key, or one entry; a later line of the same id counts.</summary>
    internal sealed record Line
    {
        public byte[]? Key { get; init; }

        public string? Conversation { get; init; }

        public KnownConversation? Known { get; init; }

        public string? Person { get; init; }

        public KnownPerson? Who { get; init; }

        public string? Offer { get; init; }

        public KnownOffer? What { get; init; }
    }

    [JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
    [JsonSerializable(typeof(Line))]
    private sealed partial class StateJson : JsonSerializerContext;
}
