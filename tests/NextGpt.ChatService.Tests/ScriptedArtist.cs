using System.Runtime.CompilerServices;
using NextGpt.Media;
using NextGpt.Model;

namespace NextGpt.ChatService.Tests;

/// <summary>A scripted any-to-any model: speaks and makes what a request asks for, in the size and with the seed it asks for.</summary>
internal static class ScriptedArtist
{
    public const string Caption = "A red apple.";

    /// <summary>Signal tokens of a medium.</summary>
    public const int Signals = 4;

    /// <summary>A model that makes a picture, a sound and a clip unless told otherwise.</summary>
    public static ScriptedGenerator Create(ModelAbilities? abilities = null) =>
        new((request, token) => AnswerAsync(request, token)) { Abilities = abilities ?? ModelAbilities.AnyToAny };

    public static async IAsyncEnumerable<GenerationEvent> AnswerAsync(
        GenerationRequest request, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await Task.Yield();
        var media = request.Media ?? new MediaOptions();
        MediaKind[] kinds = media.Required.Count > 0
            ? [.. media.Required]
            : [.. Enum.GetValues<MediaKind>().Except(media.Forbidden)];
        var seed = request.Seed ?? 7;
        var words = 0;
        var steps = 0;
        yield return ScriptedGenerator.Started(request);
        for (var i = 0; i < kinds.Length; i++)
        {
            if (media.Text)
            {
                words++;
                yield return new TextGenerated(i == 0 ? "Look" : " and");
            }

            yield return new MediaBegun(i, kinds[i]);
            if (media.Text)
            {
                words++;
                yield return new TextGenerated(" here");   // text does not wait for a picture
            }

            cancellationToken.ThrowIfCancellationRequested();
            yield return new MediaProgressed(i, kinds[i], 0.5);
            var made = Make(kinds[i], i, media, seed);
            steps += made.Steps;
            yield return made;
        }

        if (media.Text)
        {
            words++;
            yield return new TextGenerated(".");
        }

        yield return ScriptedGenerator.Finished(
            request, GenerationFinishReason.Stop, words + (kinds.Length * Signals)) with
        {
            Media = new MediaUsage
            {
                PromptTokens = request.Messages.SelectMany(message => message.Parts).OfType<MediaPart>()
                    .CountBy(part => part.Medium.Kind).ToDictionary(),
                SignalTokens = kinds.CountBy(kind => kind).ToDictionary(pair => pair.Key, pair => pair.Value * Signals),
                DenoisingSteps = steps,
            },
        };
    }

    public static MediaGenerated Make(MediaKind kind, int index, MediaOptions media, long seed)
    {
        Medium medium = kind switch
        {
            MediaKind.Image => TestMedia.PictureOf(media.ImageWidth ?? 16, media.ImageHeight ?? 16, seed),
            MediaKind.Audio => TestMedia.SoundOf(media.AudioSeconds ?? 0.5, seed),
            _ => TestMedia.ClipOf(16, 24, media.VideoFrames ?? 4, seed),
        };
        return new MediaGenerated(index, medium)
        {
            Caption = Caption,
            Seed = seed,
            Steps = kind switch
            {
                MediaKind.Image => media.ImageSteps ?? 20,
                MediaKind.Audio => media.AudioSteps ?? 10,
                _ => media.VideoSteps ?? 30,
            },
            GuidanceScale = kind == MediaKind.Image ? media.ImageGuidance ?? 7.5 : 2.5,
        };
    }
}
