using System.Text.Json;
using System.Text.RegularExpressions;
using NextGpt.Conversations.Files;
using NextGpt.Conversations.Privacy;
using NextGpt.Conversations.State;

namespace NextGpt.Conversations;

/// <summary>
/// Names that people give their conversations. A name is kept as long as a turn of its conversation is, and goes with the
/// last one, however that goes: removal, expiry, withdrawal, erasure.
/// </summary>
public sealed partial class ConversationLog
{
    private const int LongestName = 200;

    /// <summary>Keeps the name of a conversation, redacted; the latest one counts, null takes it away.</summary>
    /// <param name="person">Whose conversation.</param>
    /// <param name="conversationId">Its id.</param>
    /// <param name="name">1 to 200 characters, or null.</param>
    /// <param name="cancellationToken">Gives up before the work begins.</param>
    /// <returns>False if they allow no keeping or have no kept turn in it: then nothing was written.</returns>
    /// <exception cref="LogUnavailableException">The disk fails.</exception>
    /// <exception cref="ArgumentException">The name is blank or too long, or cannot be redacted and hence not stored.</exception>
    public async Task<bool> NameConversationAsync(
        PersonKey person, string conversationId, string? name, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(conversationId);
        if (name is not null && (string.IsNullOrWhiteSpace(name) || name.Length > LongestName))
        {
            throw new ArgumentException($"The name of a conversation has 1 to {LongestName} characters.", nameof(name));
        }

        cancellationToken.ThrowIfCancellationRequested();
        var owner = NumberOf(person);
        if (!ConsentOf(owner).Keep || !await HasTurnsAsync(owner, conversationId))
        {
            return false;
        }

        var content = new NameContent(conversationId, RedactedName(name, conversationId));
        return await _writer.AloneAsync(core =>
        {
            // Looked at again between two flushes, where no withdrawal can come in between.
            if (!ConsentOf(owner).Keep)
            {
                return false;
            }

            core.RaiseSchema(LogManifest.SchemaWithNames);
            var entry = ConversationNames.Entry(NewId(), owner, content, Now().UtcTicks);
            var location = core.Journal.Append([entry])[0];
            core.Journal.Overwrite([.. core.State.Names.Add(entry.Head, location, entry.Content.Span)]);
            return true;
        });
    }

    /// <summary>The kept name of one's own conversation, or null.</summary>
    /// <exception cref="LogUnavailableException">The disk fails.</exception>
    public string? ReadConversationName(PersonKey person, string conversationId)
    {
        var owner = NumberOf(person);
        ArgumentException.ThrowIfNullOrEmpty(conversationId);
        for (var attempt = 1; ; attempt++)
        {
            var core = Core();
            try
            {
                return core.State.Names.Find(owner, conversationId) is { } location
                    && core.Journal.Read(location)?.Content is { } bytes
                    ? JsonSerializer.Deserialize(bytes, LogJson.Plain.NameContent)?.Name
                    : null;
            }
            catch (ObjectDisposedException) when (attempt < 3)
            {
                // Compaction put another journal in its place just then; that one knows where the name lies now.
            }
            catch (Exception failure) when (failure is ObjectDisposedException || StorageFailure.Is(failure))
            {
                throw new LogUnavailableException("The log cannot be read; check the disk of the log's folder.", failure);
            }
        }
    }

    private string? RedactedName(string? name, string conversationId)
    {
        try
        {
            return new Redactor(Volatile.Read(ref _secret)).RedactOptional(name, conversationId).Text;
        }
        catch (RegexMatchTimeoutException failure)
        {
            throw new ArgumentException("The name could not be redacted and was not stored; shorten it.", nameof(name), failure);
        }
    }

    private async Task<bool> HasTurnsAsync(UInt128 person, string conversationId) =>
        (await _index.QueryAsync(file => file.OfConversation(TurnDirectory.Text(person), conversationId, 1))).Count > 0;

    /// <summary>Destroys the names of conversations that have no kept turn any more; returns how many.</summary>
    /// <param name="person">Only this person's, or null for everybody's.</param>
    private async Task<int> RemoveLoneNamesAsync(UInt128? person)
    {
        var lone = new List<(UInt128 Person, string Conversation)>();
        foreach (var named in Core().State.Names.Of(person))
        {
            if (!await HasTurnsAsync(named.Person, named.Conversation))
            {
                lone.Add(named);
            }
        }

        return lone.Count == 0 ? 0 : await _writer.AloneAsync(core =>
        {
            var records = core.State.Names.Remove(lone);
            core.Journal.Overwrite([.. records]);
            return records.Count;
        });
    }
}
