using System.Globalization;
using NextGpt.Media;
using NextGpt.Model;

namespace NextGpt.ChatService;

/// <summary>Reads the settings about media as the model takes them; what it cannot honour it refuses by name.</summary>
internal static class MediaOptionsReader
{
    private static readonly Dictionary<string, MediaKind> Kinds = new(StringComparer.OrdinalIgnoreCase)
    {
        ["image"] = MediaKind.Image,
        ["audio"] = MediaKind.Audio,
        ["video"] = MediaKind.Video,
    };

    private static readonly Limit[] Limits =
    [
        new("image_steps", MediaKind.Image, settings => settings.ImageSteps, 1, 1_000),
        new("image_guidance", MediaKind.Image, settings => settings.ImageGuidance, 1, 30),
        new("image_width", MediaKind.Image, settings => settings.ImageWidth, 8, 768),
        new("image_height", MediaKind.Image, settings => settings.ImageHeight, 8, 768),
        new("audio_steps", MediaKind.Audio, settings => settings.AudioSteps, 1, 1_000),
        new("audio_seconds", MediaKind.Audio, settings => settings.AudioSeconds, 0.1, 10),
        new("video_steps", MediaKind.Video, settings => settings.VideoSteps, 1, 1_000),
        new("video_frames", MediaKind.Video, settings => settings.VideoFrames, 1, 24),
    ];

    /// <summary>What the settings say about media, or null where they say nothing.</summary>
    /// <param name="settings">The settings.</param>
    /// <param name="abilities">Which media the model makes.</param>
    /// <exception cref="NotSupportedException">Something is asked for that the model does not make.</exception>
    /// <exception cref="ArgumentException">A value is out of its range, or two contradict each other.</exception>
    public static MediaOptions? Read(NextGptPromptExecutionSettings settings, ModelAbilities abilities)
    {
        var (required, text) = ReadModalities(settings.Modalities, abilities);
        var forbidden = ReadForbidden(settings.ForbiddenModalities);
        if (required is not null)
        {
            foreach (var kind in required.Intersect(forbidden))
            {
                throw new ArgumentException(
                    $"{NameOf(kind)} stands in modalities and in forbidden_modalities; leave it out of one.");
            }

            forbidden = [.. Kinds.Values.Except(required)];
        }

        forbidden = [.. forbidden.Intersect(abilities.Makes)];   // what it cannot make need not be forbidden
        ThrowIfUnfit(settings, abilities, forbidden);
        var options = new MediaOptions
        {
            Required = required ?? [],
            Forbidden = forbidden,
            Text = text,
            ImageSteps = settings.ImageSteps,
            ImageGuidance = settings.ImageGuidance,
            ImageWidth = settings.ImageWidth,
            ImageHeight = settings.ImageHeight,
            AudioSteps = settings.AudioSteps,
            AudioSeconds = settings.AudioSeconds,
            VideoSteps = settings.VideoSteps,
            VideoFrames = settings.VideoFrames,
        };
        var saysSomething = required is { Count: > 0 } || forbidden.Count > 0 || !text ||
            Limits.Any(limit => limit.Value(settings) is not null);
        return saysSomething ? options : null;
    }

    /// <summary>The name of a kind in settings and metadata.</summary>
    public static string NameOf(MediaKind kind) => kind switch
    {
        MediaKind.Image => "image",
        MediaKind.Audio => "audio",
        _ => "video",
    };

    private static (IReadOnlyList<MediaKind>? Required, bool Text) ReadModalities(
        IList<string>? modalities, ModelAbilities abilities)
    {
        if (modalities is null)
        {
            return (null, true);
        }

        if (modalities.Count == 0)
        {
            throw new ArgumentException(
                "modalities is empty, so nothing could be said; leave it out or ask for \"text\".");
        }

        List<MediaKind> required = [];
        var text = false;
        foreach (var modality in modalities)
        {
            if (string.Equals(modality, "text", StringComparison.OrdinalIgnoreCase))
            {
                text = true;
            }
            else if (!Kinds.TryGetValue(modality, out var kind) || !abilities.Makes.Contains(kind))
            {
                throw new NotSupportedException(
                    $"modalities asks for \"{modality}\", which this model does not make; ask for {Offer(abilities)}.");
            }
            else if (!required.Contains(kind))
            {
                required.Add(kind);
            }
        }

        return (required, text);
    }

    private static IReadOnlyList<MediaKind> ReadForbidden(IList<string>? modalities) =>
    [
        .. (modalities ?? []).Select(modality => Kinds.TryGetValue(modality, out var kind)
            ? kind
            : throw new ArgumentException(
                $"forbidden_modalities names \"{modality}\"; it may name \"image\", \"audio\" and \"video\".")),
    ];

    private static void ThrowIfUnfit(
        NextGptPromptExecutionSettings settings, ModelAbilities abilities, IReadOnlyList<MediaKind> forbidden)
    {
        foreach (var limit in Limits)
        {
            if (limit.Value(settings) is not { } value)
            {
                continue;
            }

            if (!abilities.Makes.Contains(limit.Kind))
            {
                throw new NotSupportedException(
                    $"{limit.Name} is set, but this model does not make \"{NameOf(limit.Kind)}\"; leave it out.");
            }

            if (forbidden.Contains(limit.Kind))
            {
                throw new ArgumentException(
                    $"{limit.Name} is set, but the answer may not contain \"{NameOf(limit.Kind)}\"; leave one of the two out.");
            }

            if (!(value >= limit.Least && value <= limit.Most))   // NaN is neither
            {
                throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
                    $"{limit.Name} is {value}, it must lie between {limit.Least} and {limit.Most:#,0.##}."));
            }
        }
    }

    private static string Offer(ModelAbilities abilities)
    {
        string[] names = ["text", .. abilities.Makes.Select(NameOf)];
        return string.Join(" or ", names.Select(name => $"\"{name}\""));
    }

    private sealed record Limit(
        string Name, MediaKind Kind, Func<NextGptPromptExecutionSettings, double?> Value, double Least, double Most);
}
