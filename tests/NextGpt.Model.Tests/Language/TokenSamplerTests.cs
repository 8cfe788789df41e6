using NextGpt.Model.Language;

namespace NextGpt.Model.Tests.Language;

public sealed class TokenSamplerTests
{
    // Shares at temperature 1: 0.5, 0.25, 0.125, 0.0625, 0.0625.
    private static readonly float[] Halves = [.. new[] { 0.5, 0.25, 0.125, 0.0625, 0.0625 }.Select(p => (float)Math.Log(p))];
    private static readonly HashSet<int> NoEnds = [];

    [Fact]
    public void Sampling_at_temperature_zero_takes_the_likeliest_token_and_the_first_of_equals()
    {
        Assert.Equal(1, Sampler(new() { Temperature = 0 }).Next([0.1f, 3f, 3f, float.NaN, -1f]));
    }

    [Fact]
    public void Shares_drawn_are_the_shares_of_the_logits()
    {
        Near([0.5, 0.25, 0.125, 0.0625, 0.0625], Shares(new() { Temperature = 1 }));
    }

    [Fact]
    public void A_lower_temperature_sharpens()
    {
        // Squares of the shares, renormalised.
        Near([0.7356, 0.1839, 0.0460, 0.0115, 0.0115], Shares(new() { Temperature = 0.5 }), 0.02);
    }

    [Fact]
    public void Top_k_keeps_the_k_likeliest() =>
        Near([2 / 3d, 1 / 3d, 0, 0, 0], Shares(new() { Temperature = 1, TopK = 2 }));

    [Fact]
    public void Top_p_keeps_the_likeliest_until_their_sum_is_reached() =>
        Near([4 / 7d, 2 / 7d, 1 / 7d, 0, 0], Shares(new() { Temperature = 1, TopP = 0.8 }));

    [Fact]
    public void Top_p_counts_within_the_top_k() =>
        Near([1, 0, 0, 0, 0], Shares(new() { Temperature = 1, TopK = 2, TopP = 0.6 }));

    [Fact]
    public void Min_p_keeps_tokens_at_least_that_share_of_the_likeliest() =>
        Near([4 / 7d, 2 / 7d, 1 / 7d, 0, 0], Shares(new() { Temperature = 1, MinP = 0.2 }));

    [Fact]
    public void A_repetition_penalty_weakens_what_the_prompt_has_whatever_its_sign()
    {
        var sampler = Sampler(new() { Temperature = 0, RepetitionPenalty = 2 }, prompt: [0, 1]);

        Assert.Equal(2, sampler.Next([3f, -0.1f, 2f, -5f]));          // 3 / 2 is below 2
        Assert.Equal(3, sampler.Next([-3f, -4f, -3f, -5f]));          // -3 x 2 is below -5, and 2 was said since
    }

    [Fact]
    public void A_frequency_penalty_grows_with_each_occurrence_in_the_reply()
    {
        var sampler = Sampler(new() { Temperature = 0, FrequencyPenalty = 0.4 }, prompt: [0]);

        Assert.Equal([0, 0, 0, 1], Enumerable.Range(0, 4).Select(_ => sampler.Next([1f, 0f])));
    }

    [Fact]
    public void A_presence_penalty_counts_once()
    {
        var sampler = Sampler(new() { Temperature = 0, PresencePenalty = 0.6 }, prompt: [0]);

        Assert.Equal([0, 1, 0, 0, 0], Enumerable.Range(0, 5).Select(_ => sampler.Next([1f, 0.5f])));
    }

    [Fact]
    public void End_tokens_are_never_penalised()
    {
        var sampler = new TokenSampler(
            SamplingSettings.Resolve(new() { RepetitionPenalty = 5, FrequencyPenalty = 2 }, new()), 1, [0], new HashSet<int> { 0 });

        Assert.Equal(0, sampler.Next([1f, 0.9f]));
        Assert.Equal(0, sampler.Next([1f, 0.9f]));
    }

    [Fact]
    public void A_constraint_decides_what_may_come_next_and_sees_the_reply_so_far()
    {
        var constraint = new Descending();
        var sampler = new TokenSampler(SamplingSettings.Resolve(new() { Temperature = 1 }, new()), 3, [], NoEnds, constraint);

        Assert.Equal([4, 3, 2, 1], Enumerable.Range(0, 4).Select(_ => sampler.Next((float[])Halves.Clone())));
    }

    [Fact]
    public void TRN_8_the_same_seed_draws_the_same_tokens_and_another_seed_others()
    {
        int[] Draw(long seed)
        {
            var sampler = Sampler(new() { Temperature = 1 }, seed);
            return [.. Enumerable.Range(0, 64).Select(_ => sampler.Next((float[])Halves.Clone()))];
        }

        Assert.Equal(Draw(7), Draw(7));
        Assert.NotEqual(Draw(7), Draw(8));
    }

    [Fact]
    public void Draws_are_the_published_numbers_of_SplitMix64()
    {
        var draws = new SeededDraws(1_234_567);

        Assert.Equal((6457827717110365317UL >> 11) * Math.Pow(2, -53), draws.Next());
        Assert.Equal((3203168211198807973UL >> 11) * Math.Pow(2, -53), draws.Next());
        Assert.Equal((9817491932198370423UL >> 11) * Math.Pow(2, -53), draws.Next());
    }

    [Fact]
    public void Cutting_a_whole_vocabulary_keeps_exactly_what_sorting_it_would()
    {
        var random = new Random(17);
        var logits = new float[49_152];
        for (var i = 0; i < logits.Length; i++)
        {
            logits[i] = (float)(random.NextDouble() * 12 - 6);
        }

        var order = Enumerable.Range(0, logits.Length).OrderByDescending(i => logits[i]).ThenBy(i => i).ToArray();
        var total = order.Sum(i => Math.Exp(logits[i]));
        var nucleus = new HashSet<int>();
        for (var (i, sum) = (0, 0d); sum < 0.3 * total; i++)
        {
            nucleus.Add(order[i]);
            sum += Math.Exp(logits[order[i]]);
        }

        var topP = Sampler(new() { Temperature = 1, TopP = 0.3 }, 5);
        var topK = Sampler(new() { Temperature = 1, TopK = 50 }, 5);
        var drawn = new HashSet<int>();
        for (var i = 0; i < 400; i++)
        {
            Assert.Contains(topP.Next((float[])logits.Clone()), nucleus);
            drawn.Add(topK.Next((float[])logits.Clone()));
        }

        Assert.Subset(order.Take(50).ToHashSet(), drawn);
        Assert.True(drawn.Count > 40);
    }

    [Fact]
    public void Logits_that_are_no_numbers_or_all_forbidden_are_an_error_not_a_token()
    {
        Assert.Throws<InvalidOperationException>(() => Sampler(new()).Next([float.NaN, float.NaN]));
        Assert.Throws<InvalidOperationException>(() => Sampler(new()).Next([float.NegativeInfinity]));
    }

    [Theory]
    [InlineData("Temperature", 3.5, "temperature is 3.5, it must lie between 0 and 2.")]
    [InlineData("Temperature", double.NaN, "temperature is NaN, it must lie between 0 and 2.")]
    [InlineData("TopK", 0, "top_k is 0, it must be at least 1; leave it out to keep all.")]
    [InlineData("TopP", 0, "top_p is 0, it must lie above 0 and at most 1.")]
    [InlineData("MinP", -0.1, "min_p is -0.1, it must lie between 0 and 1.")]
    [InlineData("RepetitionPenalty", 0, "repetition_penalty is 0, it must lie above 0 and at most 10.")]
    [InlineData("FrequencyPenalty", 2.5, "frequency_penalty is 2.5, it must lie between -2 and 2.")]
    [InlineData("PresencePenalty", -3, "presence_penalty is -3, it must lie between -2 and 2.")]
    public void A_setting_out_of_its_range_is_refused_by_name(string setting, double value, string sentence)
    {
        var options = setting switch
        {
            "Temperature" => new SamplingOptions { Temperature = value },
            "TopK" => new SamplingOptions { TopK = (int)value },
            "TopP" => new SamplingOptions { TopP = value },
            "MinP" => new SamplingOptions { MinP = value },
            "RepetitionPenalty" => new SamplingOptions { RepetitionPenalty = value },
            "FrequencyPenalty" => new SamplingOptions { FrequencyPenalty = value },
            _ => new SamplingOptions { PresencePenalty = value },
        };

        var refusal = Assert.Throws<GenerationRefusedException>(() => SamplingSettings.Resolve(options, new()));

        Assert.Equal(GenerationRefusal.InvalidRequest, refusal.Refusal);
        Assert.Equal(sentence, refusal.Message);
    }

    [Fact]
    public void What_is_not_asked_is_the_models_default_and_zero_is_asked()
    {
        SamplingOptions defaults = new() { Temperature = 0.7, TopK = 40, RepetitionPenalty = 1.1 };

        var settings = SamplingSettings.Resolve(new() { Temperature = 0 }, defaults);

        Assert.Equal(0, settings.Temperature);
        Assert.Equal(40, settings.TopK);
        Assert.Equal(1.1, settings.RepetitionPenalty);
        Assert.Equal(1, settings.TopP);
    }

    private static TokenSampler Sampler(SamplingOptions options, long seed = 1, int[]? prompt = null) =>
        new(SamplingSettings.Resolve(options, new()), seed, prompt ?? [], NoEnds);

    private static double[] Shares(SamplingOptions options)
    {
        const int Draws = 20_000;
        var sampler = Sampler(options, seed: 42);
        var counts = new double[Halves.Length];
        for (var i = 0; i < Draws; i++)
        {
            counts[sampler.Next((float[])Halves.Clone())] += 1d / Draws;
        }

        return counts;
    }

    private static void Near(double[] expected, double[] shares, double tolerance = 0.015)
    {
        for (var i = 0; i < expected.Length; i++)
        {
            Assert.InRange(shares[i], expected[i] - tolerance, expected[i] + tolerance);
            Assert.True(expected[i] > 0 || shares[i] == 0, $"token {i} was cut off but drawn");
        }
    }

    private sealed class Descending : ITokenConstraint
    {
        public void Apply(IReadOnlyList<int> generated, Span<float> logits)
        {
            for (var token = 0; token < logits.Length; token++)
            {
                logits[token] = token == 4 - generated.Count ? logits[token] : float.NegativeInfinity;
            }
        }
    }
}
