using NextGpt.Conversations.Journals;
using NextGpt.Conversations.State;

namespace NextGpt.Conversations;

/// <summary>
/// From messages and places of a platform to kept turns, so that votes, deletions and departures still find them after a
/// restart (TRN-5, PRI-8). Without a kept turn there is no link: of whoever allows no keeping nothing is written.
/// </summary>
public sealed partial class ConversationLog
{
    private const int MostLinks = 100;

    /// <summary>Adds links to one's own turn; those it has already are left as they are.</summary>
    /// <param name="person">Whose turn.</param>
    /// <param name="surface">The platform that the ids are of.</param>
    /// <param name="turnId">The turn.</param>
    /// <param name="links">At most 100.</param>
    /// <param name="cancellationToken">Gives up before the work begins.</param>
    /// <returns>False if there is no such kept turn of theirs: then nothing was written.</returns>
    /// <exception cref="LogUnavailableException">The disk fails.</exception>
    /// <exception cref="ArgumentException">Too many links, or an id of a wrong length.</exception>
    public async Task<bool> LinkAsync(
        PersonKey person, string surface, string turnId, IReadOnlyList<TurnLink> links,
        CancellationToken cancellationToken = default)
    {
        CheckLinks(links);
        cancellationToken.ThrowIfCancellationRequested();
        var owner = NumberOf(person);
        if (!TurnDirectory.TryNumber(turnId, out var turn))
        {
            return false;
        }

        return await _writer.SubmitAsync<bool>(batch =>
        {
            if (batch.Core.State.Turns.Find(turn) is not { } found || found.Person != owner)
            {
                return () => false;
            }

            var add = AddLinks(batch, surface, turn, owner, links, found.Links);
            return () =>
            {
                add();
                return true;
            };
        });
    }

    /// <summary>The turns that a link leads to, oldest first; those whose record is damaged are left out.</summary>
    /// <param name="surface">The platform.</param>
    /// <param name="link">The message or place.</param>
    /// <exception cref="LogUnavailableException">The disk fails.</exception>
    public IReadOnlyList<LoggedTurn> FindLinked(string surface, TurnLink link)
    {
        CheckLinks([link]);
        var core = Core();
        return [.. core.State.Turns.FindLinked(HashOf(core, surface, link)).Select(TurnOf).OfType<LoggedTurn>()];
    }

    /// <summary>Removes every turn that a link leads to, whoever asked it.</summary>
    /// <param name="surface">The platform.</param>
    /// <param name="link">The message or place that is gone.</param>
    /// <param name="cancellationToken">Gives up before the work begins.</param>
    /// <returns>Ids of the turns removed.</returns>
    /// <exception cref="LogUnavailableException">The disk fails.</exception>
    public async Task<IReadOnlyList<string>> RemoveLinkedAsync(
        string surface, TurnLink link, CancellationToken cancellationToken = default)
    {
        CheckLinks([link]);
        cancellationToken.ThrowIfCancellationRequested();
        var removed = await _writer.AloneAsync(core =>
        {
            var turns = core.State.Turns.FindLinked(HashOf(core, surface, link));
            foreach (var ofPerson in turns.GroupBy(turn => turn.Person))
            {
                RemoveNow(core, [.. ofPerson]);
            }

            return turns;
        });
        foreach (var person in removed.Select(turn => turn.Person).Distinct())
        {
            await RemoveLoneNamesAsync(person);
        }

        return [.. removed.Select(turn => turn.Id)];
    }

    private static UInt128 HashOf(LogCore core, string surface, TurnLink link) =>
        core.Secret.LinkOf(surface, link.Kind, link.Id);

    private static void CheckLinks(IReadOnlyList<TurnLink> links)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(links.Count, MostLinks, nameof(links));
        if (links.Any(link => link.Id is not { Length: > 0 and <= 500 }))
        {
            throw new ArgumentException("The id of a message or place has 1 to 500 characters.", nameof(links));
        }
    }

    /// <summary>Puts links into a batch; the result notes them once they are on the disk.</summary>
    private Action AddLinks(
        WriteBatch batch, string surface, UInt128 turn, UInt128 person, IReadOnlyList<TurnLink> links,
        IReadOnlyList<LinkEntry> known)
    {
        var heads = links.Select(link => HashOf(batch.Core, surface, link)).Distinct()
            .Where(hash => !known.Any(other => other.Hash == hash))
            .Select(hash => new RecordHead(RecordKind.TurnLink, RecordFlags.None, 0, person, turn, hash, Now().UtcTicks))
            .ToList();
        if (heads.Count > 0)
        {
            batch.Core.RaiseSchema(LogManifest.SchemaWithLinks);
        }

        var places = heads.ConvertAll(head => batch.Add(new(head, default)));
        return () =>
        {
            for (var i = 0; i < heads.Count; i++)
            {
                if (batch.Core.State.AddLink(heads[i], batch.Locations[places[i]]) is { } stale)
                {
                    batch.Stale.Add(stale);   // an erasure came in between
                }
            }
        };
    }
}
