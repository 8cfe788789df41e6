using Microsoft.Extensions.AI;
using NextGpt.Media;
using NextGpt.Model;

namespace NextGpt.ChatService;

/// <summary>The media of one answer: where each stands in the text, how far it is, and its file once it is whole.</summary>
/// <param name="writer">Makes files; null where none is registered.</param>
/// <param name="time">Measures, and holds progress back.</param>
/// <param name="meter">Counts what was made.</param>
/// <param name="modelId">The id under which the model was asked.</param>
internal sealed class AnswerMedia(IMediaWriter? writer, TimeProvider time, MediaMeter meter, string modelId)
{
    private static readonly TimeSpan BetweenProgress = TimeSpan.FromSeconds(0.5);

    private readonly Dictionary<int, Begun> _begun = [];
    private readonly Dictionary<MediaKind, int> _named = [];

    /// <summary>Bytes of all files so far.</summary>
    public long Bytes { get; private set; }

    /// <summary>A medium was begun at a place of the text.</summary>
    public AdditionalPropertiesDictionary Begin(MediaBegun begun, int textOffset)
    {
        _begun[begun.Index] = new Begun(begun.Kind, textOffset, time.GetTimestamp());
        return Moment("started", begun.Index, begun.Kind);
    }

    /// <summary>What to tell of a medium's progress, or null where the reader heard of it less than half a second ago.</summary>
    public AdditionalPropertiesDictionary? Progress(MediaProgressed progressed)
    {
        var medium = Find(progressed.Index, progressed.Kind);
        var share = Math.Clamp(progressed.Share, 0, 1);
        if (share <= medium.Share || (medium.Told is { } told && time.GetElapsedTime(told) < BetweenProgress))
        {
            return null;
        }

        (medium.Share, medium.Told) = (share, time.GetTimestamp());
        var moment = Moment("progress", progressed.Index, progressed.Kind);
        moment[AnswerMetadata.MediaProgress] = share;
        return moment;
    }

    /// <summary>A medium could not be made; the answer goes on.</summary>
    public (ErrorContent Content, AdditionalPropertiesDictionary Moment) Fail(int index, MediaKind kind, string reason)
    {
        var medium = Find(index, kind);
        var moment = Moment("failed", index, kind);
        moment[AnswerMetadata.MediaError] = reason;
        var content = new ErrorContent(reason)
        {
            ErrorCode = "media_failed",
            Details = MediaOptionsReader.NameOf(kind),
            AdditionalProperties = new()
            {
                [AnswerMetadata.MediaKind] = MediaOptionsReader.NameOf(kind),
                [AnswerMetadata.MediaIndex] = index,
                [AnswerMetadata.TextOffset] = medium.TextOffset,
            },
        };
        return (content, moment);
    }

    /// <summary>The file of a medium that is whole, marked as made by a model.</summary>
    /// <param name="made">The medium.</param>
    /// <param name="mark">What its file says of its origin.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="MediaException">It could not be encoded.</exception>
    public async ValueTask<(DataContent Content, AdditionalPropertiesDictionary Moment)> CompleteAsync(
        MediaGenerated made, GenerationMark mark, CancellationToken cancellationToken)
    {
        var kind = made.Medium.Kind;
        var medium = Find(made.Index, kind);
        if (writer is null)
        {
            throw new InvalidOperationException(
                "No writer of media is registered, so the answer's media cannot become files; " +
                "call AddNextGptMedia on the same collection.");
        }

        var file = await writer.WriteAsync(made.Medium, mark, cancellationToken);
        Bytes += file.Bytes.Length;
        meter.Rendered(modelId, kind, time.GetElapsedTime(medium.Begin));
        var number = _named[kind] = _named.GetValueOrDefault(kind) + 1;
        var content = new DataContent(file.Bytes, file.Format.MediaType)
        {
            Name = $"{MediaOptionsReader.NameOf(kind)}-{number}.{file.Format.Extension}",
            AdditionalProperties = Describe(made, medium.TextOffset),
        };
        return (content, Moment("completed", made.Index, kind));
    }

    private static AdditionalPropertiesDictionary Describe(MediaGenerated made, int textOffset)
    {
        var description = new AdditionalPropertiesDictionary
        {
            [AnswerMetadata.MediaKind] = MediaOptionsReader.NameOf(made.Medium.Kind),
            [AnswerMetadata.MediaIndex] = made.Index,
            [AnswerMetadata.TextOffset] = textOffset,
            [AnswerMetadata.Seed] = made.Seed,
            [AnswerMetadata.Steps] = made.Steps,
            [AnswerMetadata.GuidanceScale] = made.GuidanceScale,
        };
        if (made.Caption.Length > 0)
        {
            description[AnswerMetadata.Caption] = made.Caption;
        }

        switch (made.Medium)
        {
            case Picture picture:
                AddSize(picture);
                break;

            case AudioClip sound:
                description[AnswerMetadata.DurationSeconds] = sound.Duration.TotalSeconds;
                break;

            case VideoClip clip:
                AddSize(clip.Frames[0]);
                description[AnswerMetadata.DurationSeconds] = clip.Duration.TotalSeconds;
                description[AnswerMetadata.FramesPerSecond] = clip.FramesPerSecond;
                break;
        }

        return description;

        void AddSize(Picture picture)
        {
            description[AnswerMetadata.Width] = picture.Width;
            description[AnswerMetadata.Height] = picture.Height;
        }
    }

    private static AdditionalPropertiesDictionary Moment(string status, int index, MediaKind kind) => new()
    {
        [AnswerMetadata.MediaStatus] = status,
        [AnswerMetadata.MediaKind] = MediaOptionsReader.NameOf(kind),
        [AnswerMetadata.MediaIndex] = index,
    };

    private Begun Find(int index, MediaKind kind) => _begun.TryGetValue(index, out var medium) && medium.Kind == kind
        ? medium
        : throw new InvalidOperationException(
            $"The model sent news of medium {index} ({MediaOptionsReader.NameOf(kind)}), which it had not begun.");

    private sealed class Begun(MediaKind kind, int textOffset, long begin)
    {
        public MediaKind Kind => kind;

        public int TextOffset => textOffset;

        public long Begin => begin;

        /// <summary>The share last told; only more is told.</summary>
        public double Share { get; set; } = -1;

        public long? Told { get; set; }
    }
}
