using NextGpt.Host;

namespace NextGpt.Bots.Discord.Answers;

/// <summary>A question as it was asked at Discord.</summary>
internal sealed record AskedQuestion
{
    /// <summary>Id of the message or interaction.</summary>
    public required string Id { get; init; }

    /// <summary>Who asked.</summary>
    public required string Person { get; init; }

    /// <summary>Where the question stands.</summary>
    public required string Channel { get; init; }

    /// <summary>The server, or null.</summary>
    public string? Server { get; init; }

    /// <summary>The conversation it belongs to.</summary>
    public required ConversationId Conversation { get; init; }

    /// <summary>What was asked.</summary>
    public required string Text { get; init; }

    /// <summary>What was attached.</summary>
    public IReadOnlyList<IncomingFile> Files { get; init; } = [];

    /// <summary>Rises with each edit.</summary>
    public int Revision { get; init; }

    /// <summary>The turn whose files an edited question keeps, or null.</summary>
    public string? FilesOfTurnId { get; init; }

    /// <summary>Whether what is made is hidden until it is clicked.</summary>
    public bool HideMedia { get; init; }

    /// <summary>Whether somebody else's words stand in it who did not allow keeping: then it is answered and not kept.</summary>
    public bool IsNotKept { get; init; }

    /// <summary>Settings of the turn.</summary>
    public TurnSettings? Settings { get; init; }
}
