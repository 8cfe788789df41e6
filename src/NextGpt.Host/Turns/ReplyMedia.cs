using System.Globalization;
using Microsoft.Extensions.AI;
using NextGpt.Host.Memory;
using NextGpt.Media;

namespace NextGpt.Host.Turns;

/// <summary>Reads the media in the updates of one answer: begun, further, whole, lost; in bounds and as wanted.</summary>
/// <param name="reply">Filled.</param>
/// <param name="turnId">The turn, for the media's ids.</param>
/// <param name="settings">What must and must not come, or null.</param>
/// <param name="most">Most media of an answer.</param>
internal sealed class ReplyMedia(Reply reply, string turnId, TurnSettings? settings, int most)
{
    private const string Status = "MediaStatus";
    private const string Kind = "MediaKind";
    private const string Index = "MediaIndex";
    private const string Progress = "MediaProgress";
    private const string Caption = "Caption";
    private const int LongestCaption = 300;

    private readonly Dictionary<int, (MediaKind Kind, int TextOffset)> _pending = [];
    private readonly HashSet<int> _seen = [];
    private readonly HashSet<int> _leftOut = [];
    private int _nextIndex;

    /// <summary>Media that were left out because an answer has only so many.</summary>
    public int LeftOut => _leftOut.Count;

    /// <summary>What an update says of media, apart from its contents: begun or further.</summary>
    public IEnumerable<ReplyPart> ReadStatus(ChatResponseUpdate update)
    {
        if (update.AdditionalProperties is not { } properties || Text(properties, Status) is not { } status
            || KindOf(properties) is not { } kind)
        {
            yield break;
        }

        var index = IndexOf(properties) ?? _nextIndex;
        if (status.Equals("started", StringComparison.OrdinalIgnoreCase))
        {
            foreach (var part in Begin(index, kind))
            {
                yield return part;
            }
        }
        else if (status.Equals("progress", StringComparison.OrdinalIgnoreCase) && _pending.TryGetValue(index, out var begun))
        {
            yield return new MediaProgress(index, begun.Kind, Math.Clamp(Number(properties, Progress) ?? 0, 0, 1));
        }
    }

    /// <summary>A whole medium.</summary>
    public IEnumerable<ReplyPart> Read(DataContent data, ChatResponseUpdate update)
    {
        var properties = update.AdditionalProperties;
        var index = (properties is null ? null : IndexOf(properties)) ?? IndexOf(data.AdditionalProperties) ?? NextPending();
        var format = MediaFormat.Sniff(data.Data.Span);
        var kind = (_pending.TryGetValue(index, out var begun) ? begun.Kind : null as MediaKind?)
            ?? (properties is null ? null : KindOf(properties)) ?? KindOf(data.MediaType) ?? format?.Kind;
        if (kind is not { } known)
        {
            yield break;   // nothing that a surface could show
        }

        foreach (var part in Begin(index, known))
        {
            yield return part;
        }

        if (!_pending.Remove(index, out var place))
        {
            yield break;   // not wanted, or one too many
        }

        if (format is null)
        {
            yield return Lose(index, known, place.TextOffset, "Its bytes are of no known format.");
            yield break;
        }

        var medium = new RememberedMedium
        {
            MediaId = RememberedMedium.IdOf(turnId, fromPerson: false, reply.Media.Count(made => made.Lost is null)),
            FromPerson = false,
            Kind = known,
            Format = format,
            File = new MediaFile(data.Data, format) { Kind = known },
            Caption = CaptionOf(data, update, known, place.TextOffset),
            TextOffset = place.TextOffset,
        };
        reply.Media.Add(medium);
        yield return new MediaReady(index, medium.File)
        {
            Caption = medium.Caption,
            TextOffset = medium.TextOffset,
            MediaId = medium.MediaId,
        };
    }

    /// <summary>A medium that could not be made.</summary>
    public IEnumerable<ReplyPart> Read(ErrorContent error, ChatResponseUpdate update)
    {
        var properties = update.AdditionalProperties ?? error.AdditionalProperties;
        if (properties is null || KindOf(properties) is not { } kind)
        {
            yield break;
        }

        var index = IndexOf(properties) ?? NextPending();
        foreach (var part in Begin(index, kind))
        {
            yield return part;
        }

        if (_pending.Remove(index, out var begun))
        {
            yield return Lose(index, begun.Kind, begun.TextOffset, error.Message);
        }
    }

    /// <summary>What never came: media begun and not ended, and those that had to come (TRN-7).</summary>
    public IEnumerable<ReplyPart> Close()
    {
        foreach (var (index, begun) in _pending.OrderBy(pair => pair.Key))
        {
            yield return Lose(index, begun.Kind, begun.TextOffset, "The answer ended before it was whole.");
        }

        _pending.Clear();
        if (reply.Error is not null || reply.FinishReason == "cancelled")
        {
            yield break;
        }

        foreach (var kind in (settings?.RequiredMedia ?? []).Where(kind => reply.Media.All(made => made.Kind != kind)))
        {
            var index = _nextIndex++;
            yield return new MediaStarted(index, kind);
            yield return Lose(index, kind, reply.Text.Length, "It had to come and the model did not make it.");
        }
    }

    private IEnumerable<ReplyPart> Begin(int index, MediaKind kind)
    {
        if (!_seen.Add(index))
        {
            yield break;
        }

        _nextIndex = Math.Max(_nextIndex, index + 1);
        if (settings?.ForbiddenMedia.Contains(kind) ?? false)
        {
            yield break;
        }

        if (reply.Media.Count + _pending.Count >= most)
        {
            _leftOut.Add(index);
            yield break;
        }

        _pending[index] = (kind, reply.Text.Length);
        yield return new MediaStarted(index, kind);
    }

    private MediaLost Lose(int index, MediaKind kind, int textOffset, string because)
    {
        var error = reply.FinishReason == "cancelled"
            ? null
            : ErrorCatalogue.MediaFailed.With(WordOf(kind));
        if (error is not null)
        {
            reply.Losses.Add((error.Reference, because));
        }

        var sentence = error?.Message ?? $"Stopped before {WordOf(kind)} was done.";
        reply.Media.Add(new RememberedMedium
        {
            MediaId = RememberedMedium.IdOf(turnId, fromPerson: false, -1 - index),
            FromPerson = false,
            Kind = kind,
            Format = null,
            Caption = sentence,
            TextOffset = textOffset,
            Lost = sentence,
        });
        return new MediaLost(index, kind, sentence);
    }

    private int NextPending() => _pending.Count > 0 ? _pending.Keys.Min() : _nextIndex;

    /// <summary>The medium's own caption, else the sentence before it, else what it is; never empty (WEB-4).</summary>
    private string CaptionOf(DataContent data, ChatResponseUpdate update, MediaKind kind, int textOffset)
    {
        var caption = Text(data.AdditionalProperties, Caption) ?? Text(update.AdditionalProperties, Caption) ?? "";
        if (string.IsNullOrWhiteSpace(caption))
        {
            var before = reply.Text[..Math.Min(textOffset, reply.Text.Length)].TrimEnd();
            var start = before.Length < 2 ? -1 : before.LastIndexOfAny(['.', '!', '?', '\n'], before.Length - 2);
            caption = before[(start + 1)..];
        }

        caption = Question.Clean(caption).ReplaceLineEndings(" ").Trim();
        return caption.Length == 0 ? RememberedMedium.NameOf(kind, fromPerson: false)
            : caption.Length <= LongestCaption ? caption
            : $"{caption[..(char.IsHighSurrogate(caption[LongestCaption - 2]) ? LongestCaption - 2 : LongestCaption - 1)]}…";
    }

    private static string WordOf(MediaKind kind) => kind switch
    {
        MediaKind.Image => "a picture",
        MediaKind.Audio => "a sound",
        _ => "a clip",
    };

    private static MediaKind? KindOf(AdditionalPropertiesDictionary properties) =>
        !properties.TryGetValue(Kind, out var value) ? null
        : value is MediaKind kind ? kind
        : value?.ToString()?.ToLowerInvariant() switch
        {
            "image" or "picture" => MediaKind.Image,
            "audio" or "sound" => MediaKind.Audio,
            "video" or "clip" => MediaKind.Video,
            _ => null,
        };

    private static MediaKind? KindOf(string mediaType) =>
        mediaType.StartsWith("audio/", StringComparison.OrdinalIgnoreCase) ? MediaKind.Audio
        : mediaType.StartsWith("video/", StringComparison.OrdinalIgnoreCase) ? MediaKind.Video
        : mediaType.StartsWith("image/", StringComparison.OrdinalIgnoreCase) ? MediaKind.Image
        : null;

    private static int? IndexOf(AdditionalPropertiesDictionary? properties) =>
        Number(properties, Index) is { } number and >= 0 and < 1_000 ? (int)number : null;

    private static string? Text(AdditionalPropertiesDictionary? properties, string name) =>
        properties is not null && properties.TryGetValue(name, out var value) ? value?.ToString() : null;

    private static double? Number(AdditionalPropertiesDictionary? properties, string name)
    {
        if (properties is null || !properties.TryGetValue(name, out var value))
        {
            return null;
        }

        try
        {
            return value is IConvertible number ? number.ToDouble(CultureInfo.InvariantCulture) : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
