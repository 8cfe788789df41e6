using System.Diagnostics;
using NextGpt.Media;
using NextGpt.Model;
using NextGpt.Model.Decoders.AudioLdm;
using NextGpt.Model.Decoders.StableDiffusion;
using NextGpt.Model.Encoders;
using static TorchSharp.torch;

namespace NextGpt.Benchmarks;

/// <summary>Measures what reads people's media and captions, at published widths, with random weights.</summary>
/// <remarks>
/// ImageBind's towers are cut to two blocks: all blocks of a tower are alike, and the whole of it does not fit every machine.
/// A row's name holds the shape of its input, so that another implementation can be measured on the same.
/// </remarks>
internal static class EncoderBenchmark
{
    private const int Blocks = 2;

    /// <summary>Measures every row and prints the table.</summary>
    /// <param name="options">Threads and rounds.</param>
    public static void Run(BenchmarkOptions options)
    {
        TorchRuntime.Load();
        using var mode = inference_mode();
        Console.WriteLine($"milliseconds: best of {options.Rounds} rounds (median); float32");
        Console.WriteLine();
        Console.WriteLine("| work | threads | NextGpt.Chat |");
        Console.WriteLine("| --- | ---: | ---: |");
        foreach (var (name, prepare) in Rows())
        {
            using var scope = NewDisposeScope();
            var work = prepare();
            foreach (var threads in options.Threads)
            {
                set_num_threads(threads);
                Once(work);
                double[] times = [.. Enumerable.Range(0, options.Rounds).Select(_ => Once(work)).Order()];
                var median = (times[(times.Length - 1) / 2] + times[times.Length / 2]) / 2;
                Console.WriteLine($"| {name} | {threads} | {times[0]:0.0} ({median:0.0}) |");
            }
        }
    }

    private static IEnumerable<(string Name, Func<Func<Tensor>> Prepare)> Rows()
    {
        var huge = ImageBindConfig.Huge;
        var seeing = huge with { Vision = huge.Vision! with { Layers = Blocks }, Audio = null, Text = null };
        var hearing = huge with { Vision = null, Audio = huge.Audio! with { Layers = Blocks }, Text = null };

        // Networks
        yield return ("ImageBind-huge vision, 2 of 32 blocks, picture [1, 3, 224, 224]",
            () => Pool(seeing, MediaKind.Image, [1, 3, 224, 224]));
        yield return ("ImageBind-huge vision, 2 of 32 blocks, clip [1, 15, 3, 2, 224, 224]",
            () => Pool(seeing, MediaKind.Video, [1, 15, 3, 2, 224, 224]));
        yield return ("ImageBind-huge audio, 2 of 12 blocks, sound [1, 3, 1, 128, 204]",
            () => Pool(hearing, MediaKind.Audio, [1, 3, 1, 128, 204]));
        yield return ("CLAP text, 12 layers of 768, caption [1, 16]", () => Clap(16));
        yield return ("CLAP text, 12 layers of 768, caption [1, 512]", () => Clap(512));
        yield return ("CLIP text of Stable Diffusion 1.5, 12 layers of 768, captions [2, 77]", Clip);

        // Preparation
        var preparation = new MediaPreparation(huge);
        yield return ("Preparation of a picture of 1920 x 1080", () => Preparing(preparation, Noise(1_920, 1_080)));
        yield return ("Preparation of a sound of 10 s, stereo, 44.1 kHz", () => Preparing(preparation, Sound(10)));
        yield return ("Preparation of a clip of 10 s, 640 x 360, 24 frames a second", () => Preparing(preparation, new VideoClip
        {
            Frames = [.. Enumerable.Repeat(Noise(640, 360), 240)],
            FramesPerSecond = 24,
        }));
    }

    private static double Once(Func<Tensor> work)
    {
        using var scope = NewDisposeScope();
        var since = Stopwatch.GetTimestamp();
        _ = work();
        return Stopwatch.GetElapsedTime(since).TotalMilliseconds;
    }

    private static Func<Tensor> Pool(ImageBindConfig config, MediaKind kind, long[] shape)
    {
        var network = new ImageBind(config);
        network.eval();
        var views = randn(shape);
        return () => network.Pool(kind, views);
    }

    private static Func<Tensor> Clap(int length)
    {
        var network = new ClapTextEncoder(new ClapTextEncoderConfig
        {
            VocabularySize = 50_265,
            HiddenSize = 768,
            IntermediateSize = 3_072,
            Layers = 12,
            Heads = 12,
        });
        network.eval();
        var tokens = randint(4, 50_000, [1, length], ScalarType.Int64);
        var mask = ones_like(tokens);
        return () => network.call(tokens, mask);
    }

    private static Func<Tensor> Clip()
    {
        var network = new ClipTextEncoder(new ClipTextEncoderConfig
        {
            VocabularySize = 49_408,
            HiddenSize = 768,
            IntermediateSize = 3_072,
            Layers = 12,
            Heads = 12,
            QuickGelu = true,
        });
        network.eval();
        var tokens = randint(0, 49_400, [2, 77], ScalarType.Int64);
        return () => network.call(tokens);
    }

    private static Func<Tensor> Preparing(MediaPreparation preparation, Medium medium) => () => preparation.Prepare(medium);

    private static Picture Noise(int width, int height)
    {
        var pixels = new byte[3 * width * height];
        new Random(1).NextBytes(pixels);
        return new Picture(width, height, pixels);
    }

    private static AudioClip Sound(int seconds)
    {
        var random = new Random(2);
        float[] Channel() => [.. Enumerable.Range(0, seconds * 44_100).Select(_ => (float)(random.NextDouble() - 0.5))];
        return new AudioClip { Channels = [Channel(), Channel()], SampleRateHz = 44_100 };
    }
}
