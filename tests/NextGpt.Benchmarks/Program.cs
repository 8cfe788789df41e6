using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using NextGpt.Benchmarks;
using NextGpt.Model.Language;
using NextGpt.Model.Language.Quantized;
using NextGpt.Model.Weights;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args is ["networks", .. var rest])
{
    return NetworkBenchmark.Run(rest, Cpu());
}

BenchmarkOptions options;
try
{
    options = BenchmarkOptions.Parse(args is ["preparation", ..] ? args[1..] : args);
}
catch (FormatException problem)
{
    Console.Error.WriteLine(problem.Message);
    Console.Error.WriteLine(BenchmarkOptions.Usage);
    return 2;
}

if (args is ["preparation", ..])
{
    Console.WriteLine($"{Cpu()}, {Environment.ProcessorCount} cores, {RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}");
    PreparationBenchmark.Run(options);
    return 0;
}

const int Context = 1_024;
Work[] works = [new("prompt of 128", 128, 0), new("prompt of 512", 512, 0), new("decode 64 after 16", 16, 64), new("decode 64 after 512", 512, 64)];

// 1. Loading
var begin = Stopwatch.GetTimestamp();
using var gguf = new GgufLlama(options.Model);
var opened = Stopwatch.GetElapsedTime(begin);
begin = Stopwatch.GetTimestamp();
using var weights = new QuantizedLlama(gguf, gguf.Config);
var packed = Stopwatch.GetElapsedTime(begin);
begin = Stopwatch.GetTimestamp();
using (var first = new DecoderEngine(weights, options.Threads[^1], Context))
{
    first.Reset();
    first.Read([1]);
}

var started = Stopwatch.GetElapsedTime(begin);
var cpu = Cpu();
Console.WriteLine($"{cpu}, {Environment.ProcessorCount} cores, {RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}");
Console.WriteLine(
    $"{Path.GetFileName(options.Model)}: opened in {opened.TotalMilliseconds:0} ms, packed in {packed.TotalMilliseconds:0} ms " +
    $"({weights.SizeBytes / 1e6:0.0} MB), first token after {started.TotalMilliseconds:0} ms more");

// 2. The engine to compare with
LlamaCppLibrary? library = null;
nint model = 0;
var without = "it was switched off";
if (options.WithLlamaCpp)
{
    try
    {
        library = new LlamaCppLibrary(LlamaCppPackage.Fetch(options.Cache));
        model = library.OpenModel(options.Model);
    }
    catch (Exception problem) when (problem is InvalidOperationException or PlatformNotSupportedException or DllNotFoundException
        or EntryPointNotFoundException or IOException or UnauthorizedAccessException)
    {
        library = null;
        without = problem.Message;
    }
}

if (library is null)
{
    Console.WriteLine($"Without llama.cpp: {without}");
}

const string Question = "The capital of France is";
var tokenizer = GgufTokenizer.Read(gguf.File.Metadata);
int[] question = [.. tokenizer.Encode(Question, SpecialTokens.AsText)];

// 3. Rounds: engines take turns, the bandwidth is measured between them
var measurements = new List<Measurement>();
var bandwidths = new Dictionary<int, double>();
foreach (var threads in options.Threads)
{
    using var bandwidth = new MemoryBandwidth(threads);
    using var ours = new DecoderEngine(weights, threads, Context);
    using var theirs = library is null ? null : new LlamaCppEngine(library, model, gguf.Config.VocabularySize, threads, Context);
    IEngine[] engines = theirs is null ? [ours] : [ours, theirs];
    Measurement[] table = [.. works.SelectMany(work => engines.Select(engine => new Measurement(engine.Name, threads, work)))];
    foreach (var engine in engines)
    {
        engine.Reset();
        engine.Read(question);
        Console.WriteLine($"{engine.Name}, {threads} thread{(threads == 1 ? "" : "s")}: \"{Question}{tokenizer.Decode([engine.Likeliest()])}\"");
        for (var warming = 0; warming < 2; warming++)
        {
            new Measurement(engine.Name, threads, new Work("", 32, 8)).Measure(engine);
        }
    }

    for (var round = 1; round <= options.Rounds; round++)
    {
        Console.Error.Write($"\r{threads} thread{(threads == 1 ? "" : "s")}, round {round} of {options.Rounds}   ");
        bandwidths[threads] = Math.Max(bandwidths.GetValueOrDefault(threads), bandwidth.Measure());
        foreach (var measurement in table)
        {
            measurement.Measure(engines.Single(engine => engine.Name == measurement.Engine));
        }
    }

    measurements.AddRange(table);
}

Console.Error.WriteLine();
if (model != 0)
{
    library?.CloseModel(model);
}

// 4. The table
Console.WriteLine();
Console.WriteLine(
    $"{cpu}, {DateTime.UtcNow:yyyy-MM-dd}, {Path.GetFileName(options.Model)}, tokens per second: best of {options.Rounds} rounds (median); " +
    $"bound: {weights.SizeBytes / 1e6:0.0} MB of weights per token at the bandwidth measured between the rounds");
Console.WriteLine();
Console.WriteLine($"| work | threads | NextGpt.Chat | {(library is null ? "" : "llama.cpp | ratio of best (median) | ")}bandwidth bound |");
Console.WriteLine($"| --- | ---: | ---: | {(library is null ? "" : "---: | ---: | ")}---: |");
foreach (var row in measurements.GroupBy(measurement => (measurement.Work, measurement.Threads)))
{
    var all = row.ToArray();
    var bound = row.Key.Work.Decoded == 0
        ? "-"
        : $"{bandwidths[row.Key.Threads] / weights.SizeBytes:0} ({bandwidths[row.Key.Threads] / 1e9:0.0} GB/s)";
    var comparison = all.Length == 1
        ? ""
        : $"{all[1].Best:0} ({all[1].Median:0}) | {all[0].Best / all[1].Best:0.00} ({all[0].Median / all[1].Median:0.00}) | ";
    Console.WriteLine($"| {row.Key.Work.Name} | {row.Key.Threads} | {all[0].Best:0} ({all[0].Median:0}) | {comparison}{bound} |");
}

return 0;

static string Cpu()
{
    const string Facts = "/proc/cpuinfo";
    var line = File.Exists(Facts)
        ? File.ReadLines(Facts).FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))
        : null;
    return line is null ? RuntimeInformation.ProcessArchitecture.ToString() : line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
}
