using NextGpt.Conversations.State;

namespace NextGpt.Conversations;

/// <summary>What a turn must look like before the log looks at it; breaking a rule is a mistake of the caller.</summary>
internal static class DraftRules
{
    public const int MostCharacters = 1_000_000;
    private const int MostIdCharacters = 500;

    public static void Check(TurnDraft turn)
    {
        ArgumentNullException.ThrowIfNull(turn);
        Require(TurnDirectory.TryNumber(turn.TurnId, out _), nameof(turn.TurnId), "must have 32 hexadecimal digits");
        Require(
            turn.ParentTurnId is null || TurnDirectory.TryNumber(turn.ParentTurnId, out _),
            nameof(turn.ParentTurnId), "must have 32 hexadecimal digits or be null");
        RequireId(turn.MessageKey, nameof(turn.MessageKey));
        RequireId(turn.ConversationId, nameof(turn.ConversationId));
        RequireId(turn.Surface, nameof(turn.Surface));
        Require(turn.ModelId is { Length: <= MostIdCharacters }, nameof(turn.ModelId), "must have at most 500 characters");
        Require(turn.FinishReason is { Length: <= 100 }, nameof(turn.FinishReason), "must have at most 100 characters");
        Require(
            turn.Question is { Length: <= MostCharacters }, nameof(turn.Question), "must have at most 1,000,000 characters");
        Require(turn.Answer is { Length: <= MostCharacters }, nameof(turn.Answer), "must have at most 1,000,000 characters");
        Require(turn.Media is { Count: <= 64 }, nameof(turn.Media), "must hold at most 64 media");
        Require(turn.Links is { Count: <= 100 }, nameof(turn.Links), "must hold at most 100 links");
        foreach (var link in turn.Links)
        {
            Require(link.Id is { Length: > 0 and <= MostIdCharacters }, nameof(turn.Links), "holds an id that has not 1 to 500 characters");
        }

        foreach (var medium in turn.Media)
        {
            Require(!medium.Bytes.IsEmpty, nameof(turn.Media), "holds an empty medium");
            Require(medium.MediaType is { Length: > 0 and <= 100 }, nameof(turn.Media), "holds a medium without a type");
        }
    }

    private static void RequireId(string? id, string name) => Require(
        id is { Length: > 0 and <= MostIdCharacters } && !id.Any(char.IsControl),
        name,
        "must have 1 to 500 characters, none of them a control character");

    private static void Require(bool holds, string name, string rule)
    {
        if (!holds)
        {
            throw new ArgumentException($"{name} {rule}.", name);
        }
    }
}
