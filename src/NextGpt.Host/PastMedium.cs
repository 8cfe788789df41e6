using NextGpt.Media;

namespace NextGpt.Host;

/// <summary>A picture, sound or clip of a turn, to show it again; its bytes come from <see cref="ConversationShelf.ReadMedium"/>.</summary>
/// <param name="MediaId">Its id, 32 hexadecimal digits that cannot be guessed.</param>
/// <param name="FromPerson">True if the person sent it, false if the model made it.</param>
/// <param name="Kind">Picture, sound or clip.</param>
/// <param name="Caption">Its alternative text; of a person's file its name.</param>
public sealed record PastMedium(string MediaId, bool FromPerson, MediaKind Kind, string Caption)
{
    /// <summary>For example <c>image/png</c>.</summary>
    public required string MediaType { get; init; }

    /// <summary>Its place in the answer's text, in UTF-16 units from the start; 0 for a person's file.</summary>
    public int TextOffset { get; init; }

    /// <summary>What to show in its place where it could not be made, or null.</summary>
    public string? Lost { get; init; }

    /// <summary>Whether its bytes can still be had; old ones are given up so that memory stays bounded.</summary>
    public bool IsThere { get; init; } = true;
}
