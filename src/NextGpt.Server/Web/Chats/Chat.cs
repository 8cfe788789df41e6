using NextGpt.Server.Web.Rendering;

namespace NextGpt.Server.Web.Chats;

/// <summary>A conversation as the page shows it: a tree of turns, of which one branch is seen at a time. A snapshot.</summary>
/// <param name="Id">The conversation's id.</param>
/// <param name="Name">The name its person gave it, or null.</param>
/// <param name="Turns">Every turn, in order of asking.</param>
internal sealed record Chat(string Id, string? Name, IReadOnlyList<ChatTurn> Turns)
{
    /// <summary>Its name, else the beginning of the first question.</summary>
    public string Title =>
        Name is { Length: > 0 } ? PlainText.FirstWords(Name, 80)
        : Turns.Count > 0 ? PlainText.FirstWords(Turns[0].Question, 80)
        : "New conversation";

    /// <summary>The turn with this id, or null.</summary>
    public ChatTurn? Find(string? turnId) => Turns.FirstOrDefault(turn => turn.Id == turnId);

    /// <summary>The turns from the first question to the end of a branch.</summary>
    /// <param name="through">A turn the branch goes through; null, or one that is gone, is the newest branch.</param>
    public IReadOnlyList<ChatTurn> Branch(string? through)
    {
        var named = Find(through);
        var turn = named ?? (Turns.Count > 0 ? Turns[^1] : null);
        var branch = new List<ChatTurn>();
        for (var step = turn; step is not null && !branch.Contains(step); step = Find(step.ParentId))
        {
            branch.Insert(0, step);
        }

        while (named is not null && turn is not null
            && Turns.LastOrDefault(other => other.ParentId == turn.Id) is { } next && !branch.Contains(next))
        {
            branch.Add(turn = next);
        }

        return branch;
    }

    /// <summary>The versions of a turn: those that follow the same turn, in order of asking.</summary>
    public IReadOnlyList<ChatTurn> VersionsOf(ChatTurn turn) => [.. Turns.Where(other => other.ParentId == turn.ParentId)];

    /// <summary>The turn a new question after the given one continues: itself, or the nearest before it with an answer.</summary>
    /// <returns>The id; the empty string for the beginning; null if the given turn is gone.</returns>
    public string? Follow(string? after)
    {
        if (string.IsNullOrEmpty(after))
        {
            return "";
        }

        var turn = Find(after);
        if (turn is null)
        {
            return null;
        }

        while (turn is { CanBeFollowed: false })
        {
            turn = Find(turn.ParentId);
        }

        return turn?.Id ?? "";
    }
}
