using NextGpt.Conversations;
using NextGpt.Host;
using NextGpt.Media;

namespace NextGpt.Server.Web.Chats;

/// <summary>How far a turn is.</summary>
internal enum ChatTurnState
{
    /// <summary>It waits or is being answered.</summary>
    Running,

    /// <summary>The answer is complete, or was stopped by the person.</summary>
    Answered,

    /// <summary>It ended with a sentence of the catalogue.</summary>
    Failed,
}

/// <summary>A question with its answer as the page shows it; one step of a <see cref="Chat"/>. A snapshot: read freely.</summary>
internal sealed record ChatTurn
{
    public required string Id { get; init; }

    public required string ConversationId { get; init; }

    /// <summary>The turn it follows; null for the first of a branch.</summary>
    public required string? ParentId { get; init; }

    /// <summary>The page's own id of the message, so that one sent twice is asked once.</summary>
    public string? MessageId { get; init; }

    public required string Question { get; init; }

    public required DateTimeOffset AskedAt { get; init; }

    /// <summary>Markdown as the model wrote it, so far.</summary>
    public string Answer { get; init; } = "";

    /// <summary>Files of the question, then media of the answer, the lost ones too.</summary>
    public IReadOnlyList<PastMedium> Media { get; init; } = [];

    /// <summary>Media that are being made.</summary>
    public IReadOnlyList<MediumUnderWay> UnderWay { get; init; } = [];

    /// <summary>Names of attached files until they have been read.</summary>
    public IReadOnlyList<string> FileNames { get; init; } = [];

    /// <summary>What the answer had to contain, or null.</summary>
    public MediaKind? Make { get; init; }

    public ChatTurnState State { get; init; }

    public string? ModelId { get; init; }

    public long? Seed { get; init; }

    public IReadOnlyList<string> Notices { get; init; } = [];

    public TurnError? Error { get; init; }

    public string? FinishReason { get; init; }

    public int ReplyTokens { get; init; }

    public TimeSpan Duration { get; init; }

    public bool IsKept { get; init; }

    /// <summary>Whether it may improve the model; never without <see cref="IsKept"/>.</summary>
    public bool IsTrainable { get; init; }

    public TurnVote Vote { get; init; }

    public string? VoteReason { get; init; }

    /// <summary>The person's better answer, or null.</summary>
    public string? Correction { get; init; }

    /// <summary>Whether the next question can follow it: it has an answer the model may be reminded of.</summary>
    public bool CanBeFollowed => State == ChatTurnState.Answered
        && (Answer.Length > 0 || Media.Any(medium => !medium.FromPerson && medium.Lost is null));

    /// <summary>The turn after a piece of the reply.</summary>
    public ChatTurn After(ReplyPart part) => part switch
    {
        TurnStarted started => this with { ModelId = started.ModelId, Seed = started.Seed },
        AnswerText text => this with { Answer = Answer + text.Text },
        AnswerNotice notice => this with { Notices = [.. Notices, notice.Text] },
        MediaStarted begun => this with { UnderWay = [.. UnderWay, new MediumUnderWay(begun.Index, begun.Kind, 0)] },
        MediaProgress progress => this with
        {
            UnderWay =
            [
                .. UnderWay.Select(medium => medium.Index == progress.Index ? medium with { Share = progress.Share } : medium),
            ],
        },
        MediaReady ready => Without(ready.Index) with
        {
            Media =
            [
                .. Media, new PastMedium(ready.MediaId, FromPerson: false, ready.File.Kind, ready.Caption)
                {
                    MediaType = ready.File.Format.MediaType,
                    TextOffset = ready.TextOffset,
                },
            ],
        },
        MediaLost lost => Without(lost.Index) with
        {
            Media =
            [
                .. Media, new PastMedium("", FromPerson: false, lost.Kind, lost.Sentence)
                {
                    MediaType = "",
                    TextOffset = Answer.Length,
                    Lost = lost.Sentence,
                    IsThere = false,
                },
            ],
        },
        TurnFinished finished => this with
        {
            UnderWay = [],
            State = ChatTurnState.Answered,
            FinishReason = finished.FinishReason,
            ReplyTokens = finished.ReplyTokens,
            Duration = finished.Duration,
            IsKept = finished.Kept,
        },
        TurnFailed failed => this with { State = ChatTurnState.Failed, Error = failed.Error, UnderWay = [] },
        _ => this,
    };

    private ChatTurn Without(int index) =>
        this with { UnderWay = [.. UnderWay.Where(medium => medium.Index != index)] };
}
