using System.Globalization;
using System.IO.Compression;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using NextGpt.Bots.Teams.Bot;
using NextGpt.Conversations;
using NextGpt.Host;

namespace NextGpt.Bots.Teams;

/// <summary>Takes a tenant leave: exports, then erases all that is kept of its people, with a report (TEA-5). Thread-safe.</summary>
public sealed class TenantOffboarding
{
    private static readonly JsonSerializerOptions Readable = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    private readonly Func<string, Stream, CancellationToken, Task> _export;
    private readonly Func<string, CancellationToken, Task<int>> _erase;
    private readonly Func<TurnLink, CancellationToken, Task<int>> _removeLinked;
    private readonly Action<IReadOnlyCollection<string>, IReadOnlyCollection<string>> _forget;
    private readonly TeamsState _state;
    private readonly TimeProvider _time;

    /// <summary>Of a server that runs.</summary>
    internal TenantOffboarding(
        KeptTurns kept, TeamsState state, OfferedFiles offers, SentMessages messages, Bot.Conversations conversations, TimeProvider time)
    {
        (_state, _time) = (state, time);
        _export = (person, file, token) => kept.ExportAsync(TeamsBot.Surface, person, file, token);
        _erase = (person, token) => kept.EraseAsync(TeamsBot.Surface, person, token);
        _removeLinked = (link, token) => kept.RemoveLinkedAsync(TeamsBot.Surface, link, token);
        _forget = (people, places) =>
        {
            offers.DropAll(file => people.Contains(file.PersonId) || places.Contains(file.Conversation));
            foreach (var person in people)
            {
                messages.ForgetPerson(person);
            }

            foreach (var place in places)
            {
                messages.Forget(place);
                conversations.Renew(place);
            }
        };
    }

    private TenantOffboarding(ConversationLog log, TeamsState state, TimeProvider time)
    {
        (_state, _time) = (state, time);
        _export = (person, file, token) => log.ExportAsync(log.KeyOf(TeamsBot.Surface, person), file, token);
        _erase = (person, token) => log.EraseAsync(log.KeyOf(TeamsBot.Surface, person), token);
        _removeLinked = async (link, token) => (await log.RemoveLinkedAsync(TeamsBot.Surface, link, token)).Count;
        _forget = static (_, _) => { };
    }

    /// <summary>Of an opened log, while no server runs.</summary>
    /// <param name="log">The log.</param>
    /// <param name="options">The bot's settings.</param>
    /// <param name="logFolder">The folder of the log.</param>
    /// <param name="time">The clock.</param>
    public static TenantOffboarding OfLog(ConversationLog log, TeamsOptions options, string? logFolder, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(log);
        ArgumentNullException.ThrowIfNull(options);
        return new TenantOffboarding(
            log, new TeamsState(options.StateFileBeside(logFolder), time, NullLogger.Instance), time);
    }

    /// <summary>Writes a ZIP of the tenant: a report, and for each person a ZIP as /export gives it.</summary>
    /// <exception cref="InvalidOperationException">There is no log.</exception>
    public async Task<TenantReport> ExportAsync(string tenant, Stream destination, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(tenant);
        var (people, conversations) = _state.Of(tenant);
        var report = new TenantReport(tenant, people.Count, conversations.Count, 0, _time.GetUtcNow());
        var zip = await ZipArchive.CreateAsync(
            destination, ZipArchiveMode.Create, leaveOpen: true, entryNameEncoding: null, cancellationToken);
        await using (zip)
        {
            await AddAsync("report.json", JsonSerializer.SerializeToUtf8Bytes(report, Readable));
            for (var i = 0; i < people.Count; i++)
            {
                using var file = new MemoryStream();
                await _export(people[i], file, cancellationToken);
                await AddAsync(string.Create(CultureInfo.InvariantCulture, $"people/{i + 1}.zip"), file.ToArray());
            }
        }

        return report;

        async Task AddAsync(string name, byte[] bytes)
        {
            var entry = await zip.CreateEntry(name, CompressionLevel.Fastest).OpenAsync(cancellationToken);
            await using (entry)
            {
                await entry.WriteAsync(bytes, cancellationToken);
            }
        }
    }

    /// <summary>Erases everything of the tenant: turns, consent, offers, and its lines of the routing table.</summary>
    /// <exception cref="InvalidOperationException">There is no log.</exception>
    public async Task<TenantReport> EraseAsync(string tenant, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(tenant);
        var (people, conversations) = _state.Of(tenant);
        var turns = await _removeLinked(TurnLinks.Tenant(tenant), cancellationToken);
        foreach (var person in people)
        {
            turns += await _erase(person, cancellationToken);
        }

        _forget(people, conversations);
        _state.Remove(people, conversations);   // last: an erasure that was cut off is done again as a whole
        return new TenantReport(tenant, people.Count, conversations.Count, turns, _time.GetUtcNow());
    }
}
