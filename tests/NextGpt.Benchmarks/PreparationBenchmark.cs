using System.Diagnostics;
using NextGpt.Media;
using NextGpt.Model;
using NextGpt.Model.Encoders;
using static TorchSharp.torch;

namespace NextGpt.Benchmarks;

/// <summary>Measures the preparation of media for ImageBind-huge.</summary>
internal static class PreparationBenchmark
{
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
        var preparation = new MediaPreparation(ImageBindConfig.Huge);
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
