using NextGpt.Conversations;
using NextGpt.Media;

namespace NextGpt.Host;

/// <summary>A person's question as a surface hands it over.</summary>
public sealed record IncomingTurn
{
    /// <summary><c>console</c>, <c>web</c>, <c>api</c>, <c>discord</c> or <c>teams</c>.</summary>
    public required string Surface { get; init; }

    /// <summary>The conversation it belongs to.</summary>
    public required ConversationId Conversation { get; init; }

    /// <summary>The surface's own id of the person (hashed before anything is kept).</summary>
    public required string PersonId { get; init; }

    /// <summary>The surface's id of the message: the same one arriving twice is answered once (TRN-1).</summary>
    public required string MessageId { get; init; }

    /// <summary>Rises with each edit of the message (TRN-5).</summary>
    public int Revision { get; init; }

    /// <summary>The server or tenant, for quotas; null where there is none.</summary>
    public string? GroupId { get; init; }

    /// <summary>
    /// Whether the conversation is this person's alone although they are in a group: then what is kept of it is remembered
    /// again after a restart. False (default) lets everybody of the group share it.
    /// </summary>
    public bool IsOnesOwn { get; init; }

    /// <summary>
    /// Whether it must not be kept although its person allows keeping, for it quotes somebody who does not. Default false.
    /// </summary>
    public bool IsNotKept { get; init; }

    /// <summary>
    /// What leads to this turn on its platform once it is kept: the message that asks and the places where it stands. With
    /// them deletions and departures find it after a restart.
    /// </summary>
    public IReadOnlyList<TurnLink> Links { get; init; } = [];

    /// <summary>What was written, as it came.</summary>
    public required string Text { get; init; }

    /// <summary>What was attached, in order, as it came; read, checked and refused by the router.</summary>
    public IReadOnlyList<IncomingFile> Files { get; init; } = [];

    /// <summary>
    /// A turn of the same person whose files this one has too (a regeneration or an edit keeps them); null is none.
    /// </summary>
    public string? FilesOfTurnId { get; init; }

    /// <summary>
    /// Continue after this turn instead of the conversation's last (an edit or a regeneration makes a branch);
    /// null continues after the last, the empty string starts at the beginning.
    /// </summary>
    public string? AfterTurnId { get; init; }

    /// <summary>
    /// What was said before, where the surface keeps the history itself (HTTP API); null uses the conversation's memory,
    /// which a turn with its own history neither reads nor fills.
    /// </summary>
    public IReadOnlyList<EarlierMessage>? History { get; init; }

    /// <summary>Settings of this turn alone; null is the defaults.</summary>
    public TurnSettings? Settings { get; init; }
}

/// <summary>A file that a person attached.</summary>
/// <param name="Name">What the person calls it; only ever shown, never a path.</param>
/// <param name="Bytes">The whole file.</param>
/// <param name="DeclaredType">The media type that the sender claims, or null; a claim that the bytes contradict is refused (THR-8).</param>
public sealed record IncomingFile(string Name, ReadOnlyMemory<byte> Bytes, string? DeclaredType = null);

/// <summary>A message of a history that the surface brings along.</summary>
/// <param name="FromModel">True for the model's own words, false for the person's.</param>
/// <param name="Text">What was said.</param>
public sealed record EarlierMessage(bool FromModel, string Text)
{
    /// <summary>What was attached to it, in order, as it came; read and checked by the router.</summary>
    public IReadOnlyList<IncomingFile> Files { get; init; } = [];
}

/// <summary>Settings of one turn; null means the default.</summary>
public sealed record TurnSettings
{
    /// <summary>0 to 2.</summary>
    public double? Temperature { get; init; }

    /// <summary>Above 0 to 1.</summary>
    public double? TopP { get; init; }

    /// <summary>Seed of the reply.</summary>
    public long? Seed { get; init; }

    /// <summary>Most tokens of the reply.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>Texts that end the reply.</summary>
    public IReadOnlyList<string> StopSequences { get; init; } = [];

    /// <summary>Media that the answer must contain (TRN-7), whatever the model would have chosen.</summary>
    public IReadOnlyList<MediaKind> RequiredMedia { get; init; } = [];

    /// <summary>Media that the answer must not contain.</summary>
    public IReadOnlyList<MediaKind> ForbiddenMedia { get; init; } = [];

    /// <summary>System text instead of the host's.</summary>
    public string? SystemText { get; init; }
}
