namespace NextGpt.Conversations;

/// <summary>What an id of a platform is to a turn.</summary>
public enum TurnLinkKind
{
    /// <summary>The message that asked; an edited one may lead to several turns.</summary>
    Question = 1,

    /// <summary>A message that answers.</summary>
    Answer = 2,

    /// <summary>Where it was asked (server, channel, conversation, tenant): when that goes, its turns go.</summary>
    Place = 3,
}

/// <summary>
/// Leads from an id of a platform to a kept turn, also after a restart. Written as a keyed hash only; lives and dies with
/// its turn.
/// </summary>
/// <param name="Kind">What the id is to the turn.</param>
/// <param name="Id">Unique on its surface within the kind; 1 to 500 characters.</param>
public sealed record TurnLink(TurnLinkKind Kind, string Id);
