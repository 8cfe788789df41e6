using NextGpt.Host;
using NextGpt.Media;

namespace NextGpt.Server.Web.Chats;

/// <summary>A question from the page.</summary>
internal sealed record WebQuestion
{
    /// <summary>The conversation, new or theirs.</summary>
    public required string Conversation { get; init; }

    /// <summary>The turn the question follows; empty for the beginning.</summary>
    public string? After { get; init; }

    /// <summary>The page's own id of the message: sent twice, it is asked once.</summary>
    public required string MessageId { get; init; }

    public required string Text { get; init; }

    public IReadOnlyList<IncomingFile> Files { get; init; } = [];

    /// <summary>A turn whose files this one has too, or null.</summary>
    public string? FilesOf { get; init; }

    /// <summary>What the answer must contain, or null.</summary>
    public MediaKind? Make { get; init; }

    /// <summary>Whether it was asked before, so that a second answer should differ.</summary>
    public bool Again { get; init; }

    /// <summary>A second answer to the same question should differ, whatever the host's default is.</summary>
    public TurnSettings? Settings => Again || Make is not null
        ? new TurnSettings { Temperature = Again ? 0.8 : null, RequiredMedia = Make is { } kind ? [kind] : [] }
        : null;
}
