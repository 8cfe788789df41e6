using System.Diagnostics;
using NextGpt.Benchmarks;
using NextGpt.Model.Language.Quantized;
using NextGpt.Model.Weights;
using (var bandwidth = new MemoryBandwidth(2))
{
    Console.Write($"bandwidth {Enumerable.Range(0, 4).Max(_ => bandwidth.Measure()) / 1e9:0.0} GB/s; ");
}

using var gguf = new GgufLlama(Path.Combine(AppContext.BaseDirectory, "Embedded", "SmolLM2-135M-Instruct.Q4_1.gguf"));
using var model = new QuantizedLlama(gguf, gguf.Config);
var logits = new float[49152];
var tokens = Enumerable.Range(0, 128).Select(i => 100 + (i * 37 % 4000)).ToArray();
foreach (var what in args)
{
    var parts = what.Split(':');
    using var decoder = new QuantizedDecoder(model, parts[1][0] - '0', Enum.Parse<KernelPath>(parts[0]));
    using var cache = decoder.NewCache(1024);
    var best = 0.0;
    if (parts[2] == "p")
    {
        for (var round = 0; round < 5; round++)
        {
            cache.Truncate(0);
            var t = Stopwatch.GetTimestamp();
            decoder.Run(cache, tokens, logits, []);
            best = Math.Max(best, 128 / Stopwatch.GetElapsedTime(t).TotalSeconds);
        }
    }
    else
    {
        for (var round = 0; round < 12; round++)
        {
            cache.SetLength(16);
            var t = Stopwatch.GetTimestamp();
            for (var i = 0; i < 16; i++) { decoder.Run(cache, [100 + i], logits, []); }
            best = Math.Max(best, 16 / Stopwatch.GetElapsedTime(t).TotalSeconds);
        }
    }

    Console.Write($"{what} {best:0}; ");
}

Console.WriteLine();
