using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace NextGpt.Conversations.State;

/// <summary>What a turn record holds as JSON. Names are on disk and never change; new ones may come.</summary>
internal sealed record TurnContent
{
    public required string MessageKey { get; init; }

    public required string ConversationId { get; init; }

    public string? ParentTurnId { get; init; }

    public required string Surface { get; init; }

    public required string Question { get; init; }

    public required string Answer { get; init; }

    public IReadOnlyList<MediumContent> Media { get; init; } = [];

    public required string ModelId { get; init; }

    public required long Seed { get; init; }

    public required string FinishReason { get; init; }

    public int PromptTokens { get; init; }

    public int ReplyTokens { get; init; }

    public required DateTimeOffset AskedAt { get; init; }

    public required DateTimeOffset AnsweredAt { get; init; }

    public int Redactions { get; init; }

    public SensitiveTopics Topics { get; init; }
}

/// <summary>A medium in a turn record.</summary>
internal sealed record MediumContent(bool FromPerson, string MediaType, string Hash, long Bytes, string? Caption)
{
    /// <summary>Number of the kind where the type alone does not say.</summary>
    public int? Kind { get; init; }

    public int TextOffset { get; init; }
}

/// <summary>What a vote record holds.</summary>
internal sealed record VoteContent(TurnVote Vote, string? Reason, string? Correction);

/// <summary>What a consent record holds.</summary>
internal sealed record ConsentContent(bool Keep, bool Train, string TextVersion, string Act)
{
    /// <summary>The act that a statement of age brings about.</summary>
    public const string UnderAge = "under age";
}

/// <summary>What the record of a conversation's name holds; no name takes it away.</summary>
internal sealed record NameContent(string ConversationId, string? Name);

/// <summary>What a dataset record holds.</summary>
internal sealed record DatasetContent(string Dataset, IReadOnlyList<string> Turns);

/// <summary>JSON of everything the log writes. Text stays readable: no escapes beyond those JSON demands.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(TurnContent))]
[JsonSerializable(typeof(VoteContent))]
[JsonSerializable(typeof(ConsentContent))]
[JsonSerializable(typeof(DatasetContent))]
[JsonSerializable(typeof(NameContent))]
[JsonSerializable(typeof(Messages.MessageContent))]
[JsonSerializable(typeof(Audit.AuditContent))]
[JsonSerializable(typeof(LogManifest))]
[JsonSerializable(typeof(BackupManifest))]
[JsonSerializable(typeof(Index.IndexMark))]
[JsonSerializable(typeof(Tombstone[]))]
internal sealed partial class LogJson : JsonSerializerContext
{
    /// <summary>The context to use.</summary>
    public static LogJson Plain { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
