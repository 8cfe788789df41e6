using NextGpt.Model.Language.Quantized;
using NextGpt.Model.Weights;

namespace NextGpt.Model.Tests.Language.Quantized;

/// <summary>
/// The embedded model against its golden: the same four-bit weights in float32 by transformers. The limits are llama.cpp's
/// own distance on this file.
/// </summary>
public sealed class QuantizedDecoderClosenessTests(EmbeddedDecoder embedded, ITestOutputHelper output) : IClassFixture<EmbeddedDecoder>
{
    private const double RelativeDistance = 0.036;
    private const double Margin = 0.3;
    private const double MeanLogProbability = 0.012;

    [Theory]
    [InlineData("capital")]
    [InlineData("list")]
    [InlineData("two_turns")]
    [InlineData("plain")]
    public void Logits_stay_as_close_to_float32_as_those_of_llama_cpp(string name)
    {
        using var golden = GoldenFixture.Open("smollm2_q4_1");
        int[] prompt = [.. golden.Integers($"{name}.prompt_ids").Select(id => (int)id)];
        int[] ids = [.. prompt, .. golden.Integers($"{name}.continuation_ids").Select(id => (int)id)];
        var vocabulary = embedded.Decoder.Config.VocabularySize;
        var logits = new float[ids.Length * vocabulary];
        using var cache = embedded.Decoder.NewCache(ids.Length);

        // The prompt at once, the rest token by token, as a reply is made.
        embedded.Decoder.Run(cache, prompt, logits.AsSpan(0, prompt.Length * vocabulary), []);
        for (var position = prompt.Length; position < ids.Length; position++)
        {
            embedded.Decoder.Run(cache, ids.AsSpan(position, 1), logits.AsSpan(position * vocabulary, vocabulary), []);
        }

        var distance = Distance(logits.AsSpan((prompt.Length - 1) * vocabulary, vocabulary), golden.Floats($"{name}.logits_last"));
        Assert.True(distance <= RelativeDistance, $"relative distance of the centred logits {distance:0.0000}");

        var likeliest = golden.Integers($"{name}.argmax_ids");
        var margins = golden.Floats($"{name}.top1_margin");
        var expected = golden.Floats($"{name}.token_logprobs");
        var mean = 0.0;
        for (var position = 0; position < ids.Length; position++)
        {
            var row = logits.AsSpan(position * vocabulary, vocabulary);
            var best = Best(row);
            Assert.True(
                best == likeliest[position] || margins[position] < Margin,
                $"position {position}: {best} instead of {likeliest[position]}, which leads by {margins[position]:0.000}");
            if (position + 1 < ids.Length)
            {
                mean += (LogProbability(row, ids[position + 1]) - expected[position]) / expected.Length;
            }
        }

        Assert.True(Math.Abs(mean) <= MeanLogProbability, $"mean log-probability off by {mean:0.0000}");
        output.WriteLine($"{name}: distance {distance:0.0000}, mean log-probability {mean:+0.0000;-0.0000}");
    }

    [Theory]
    [InlineData("capital")]
    [InlineData("list")]
    [InlineData("two_turns")]
    [InlineData("plain")]
    public void Greedy_continuations_are_those_of_float32_up_to_a_tie(string name)
    {
        using var golden = GoldenFixture.Open("smollm2_q4_1");
        int[] prompt = [.. golden.Integers($"{name}.prompt_ids").Select(id => (int)id)];
        int[] expected = [.. golden.Integers($"{name}.continuation_ids").Select(id => (int)id)];
        var logits = new float[embedded.Decoder.Config.VocabularySize];
        using var cache = embedded.Decoder.NewCache(prompt.Length + expected.Length);
        var continuation = new List<int>();
        embedded.Decoder.Run(cache, prompt, logits, []);
        while (continuation.Count < expected.Length)
        {
            continuation.Add(Best(logits));
            embedded.Decoder.Run(cache, [continuation[^1]], logits, []);
        }

        // One case runs into two tokens 0.0025 apart, which a rounding decides.
        var margins = golden.Floats($"{name}.top1_margin").AsSpan(prompt.Length - 1);
        var tie = margins.IndexOfAnyInRange(0, 0.01f);
        var same = tie >= 0 && tie < expected.Length ? tie : expected.Length;
        Assert.Equal(expected[..same], continuation[..same]);
        Assert.Equal(name == "two_turns", same < expected.Length);
    }

    [Fact]
    public void A_token_is_decoded_without_allocating()
    {
        var logits = new float[embedded.Decoder.Config.VocabularySize];
        using var cache = embedded.Decoder.NewCache(64);
        embedded.Decoder.Run(cache, [1, 2, 3], logits, []);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var token = 0; token < 20; token++)
        {
            embedded.Decoder.Run(cache, [token], logits, []);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static int Best(ReadOnlySpan<float> logits)
    {
        var best = 0;
        for (var index = 1; index < logits.Length; index++)
        {
            best = logits[index] > logits[best] ? index : best;
        }

        return best;
    }

    private static double Distance(ReadOnlySpan<float> actual, ReadOnlySpan<float> expected)
    {
        var (actualMean, expectedMean) = (Mean(actual), Mean(expected));
        var (difference, size) = (0.0, 0.0);
        for (var index = 0; index < actual.Length; index++)
        {
            var centred = expected[index] - expectedMean;
            difference += Math.Pow(actual[index] - actualMean - centred, 2);
            size += centred * centred;
        }

        return Math.Sqrt(difference / size);

        static double Mean(ReadOnlySpan<float> values)
        {
            var sum = 0.0;
            foreach (var value in values)
            {
                sum += value;
            }

            return sum / values.Length;
        }
    }

    private static double LogProbability(ReadOnlySpan<float> logits, int token)
    {
        var largest = logits[0];
        foreach (var logit in logits)
        {
            largest = Math.Max(largest, logit);
        }

        var sum = 0.0;
        foreach (var logit in logits)
        {
            sum += Math.Exp(logit - largest);
        }

        return logits[token] - largest - Math.Log(sum);
    }
}

/// <summary>The embedded model with two threads.</summary>
public sealed class EmbeddedDecoder : IDisposable
{
    public EmbeddedDecoder()
    {
        using var gguf = new GgufLlama(Path.Combine(AppContext.BaseDirectory, "Embedded", "SmolLM2-135M-Instruct.Q4_1.gguf"));
        Weights = new QuantizedLlama(gguf, gguf.Config);
        Decoder = new QuantizedDecoder(Weights, 2);
    }

    internal QuantizedLlama Weights { get; }

    internal QuantizedDecoder Decoder { get; }

    public void Dispose()
    {
        Decoder.Dispose();
        Weights.Dispose();
    }
}
