using System.Runtime.CompilerServices;
using NextGpt.Media;
using NextGpt.Model;

namespace NextGpt.Server.Tests;

/// <summary>
/// Stands for the network alone: it says what it was sent and draws what was demanded, so that everything around it (files
/// read and written by child processes, chat service, host, page) is the real thing.
/// </summary>
internal sealed class PaintingGenerator : IGenerator
{
    public string ModelId => "painter-1";

    public ModelAbilities Abilities => ModelAbilities.AnyToAny;

    /// <summary>Media wait for it, half made; null does not wait.</summary>
    public Task? Gate { get; set; }

    public async IAsyncEnumerable<GenerationEvent> GenerateAsync(
        GenerationRequest request, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await Task.Yield();
        yield return new GenerationStarted
        {
            ModelId = ModelId,
            Seed = request.Seed ?? 1,
            PromptTokens = 3,
            CachedPromptTokens = 0,
        };
        var sent = request.Messages[^1].Parts.OfType<MediaPart>().Select(part => Describe(part.Medium)).ToList();
        yield return new TextGenerated(sent.Count == 0 ? "Here it is." : $"I got {string.Join(", ", sent)}.");
        var (index, made) = (0, request.Media?.Required ?? []);
        foreach (var kind in made)
        {
            yield return new MediaBegun(index, kind);
            yield return new MediaProgressed(index, kind, 0.5);
            if (Gate is { } gate)
            {
                await gate.WaitAsync(cancellationToken);
            }

            yield return new MediaGenerated(index++, Make(kind))
            {
                Caption = kind == MediaKind.Audio ? "two tones, one after the other" : "a red ball on a blue ground",
                Seed = 1,
                Steps = 4,
                GuidanceScale = 3,
            };
        }

        yield return new GenerationFinished { Reason = GenerationFinishReason.Stop, PromptTokens = 3, ReplyTokens = 4 };
    }

    /// <summary>A ball on a ground.</summary>
    public static Picture Ball(int width, int height, double x, double y)
    {
        var pixels = new byte[width * height * 3];
        for (var row = 0; row < height; row++)
        {
            for (var column = 0; column < width; column++)
            {
                var (across, down) = (column - (x * width), row - (y * height));
                var inside = (across * across) + (down * down) < height * height / 16.0;
                byte[] colour = inside ? [200, 60, 45] : [138, 182, (byte)(150 + (row * 80 / height))];
                colour.CopyTo(pixels, ((row * width) + column) * 3);
            }
        }

        return new Picture(width, height, pixels);
    }

    /// <summary>A tone and another.</summary>
    public static AudioClip Tones(double seconds) => new()
    {
        SampleRateHz = 16_000,
        Channels =
        [
            [
                .. Enumerable.Range(0, (int)(16_000 * seconds)).Select(i =>
                    MathF.Sin(i * MathF.Tau * (i < 8_000 * seconds ? 440 : 660) / 16_000) * 0.2f),
            ],
        ],
    };

    /// <summary>The ball, rolling.</summary>
    public static VideoClip Rolling(int frames, int side = 64) => new()
    {
        FramesPerSecond = 8,
        Frames = [.. Enumerable.Range(0, frames).Select(i => Ball(side, side, 0.2 + (0.6 * i / frames), 0.6))],
    };

    private static Medium Make(MediaKind kind) => kind switch
    {
        MediaKind.Image => Ball(256, 256, 0.5, 0.55),
        MediaKind.Audio => Tones(1.5),
        _ => Rolling(16),
    };

    private static string Describe(Medium medium) => medium switch
    {
        Picture picture => $"a picture of {picture.Width} by {picture.Height}",
        AudioClip sound => FormattableString.Invariant($"a sound of {sound.Duration.TotalSeconds:0.0} s"),
        VideoClip clip => $"a clip of {clip.Frames.Count} pictures",
        _ => "something else",
    };
}
