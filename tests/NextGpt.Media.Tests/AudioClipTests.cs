namespace NextGpt.Media.Tests;

public sealed class AudioClipTests
{
    [Theory]
    [InlineData(8_000)]
    [InlineData(22_050)]
    [InlineData(44_100)]
    [InlineData(48_000)]
    public void Resampling_to_16_kHz_equals_the_reference(int rate)
    {
        var golden = new GoldenTensors("audio_resample");
        var clip = new AudioClip { Channels = [golden.Read($"in.{rate}")], SampleRateHz = rate };
        var expected = golden.Read($"out.{rate}");

        var actual = clip.Resample(16_000).Channels[0];

        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
        {
            // Tolerance of the fixture: atol 2e-5, rtol 1e-4.
            Assert.True(Math.Abs(actual[i] - expected[i]) <= 2e-5 + (1e-4 * Math.Abs(expected[i])),
                $"sample {i}: {actual[i]} instead of {expected[i]}");
        }
    }

    [Fact]
    public void Resampling_to_the_same_rate_changes_nothing()
    {
        var clip = new AudioClip { Channels = [[0.25f, -0.5f]], SampleRateHz = 16_000 };

        Assert.Same(clip, clip.Resample(16_000));
    }

    [Theory]
    [InlineData(44_099)]
    [InlineData(47_999)]
    public void Rates_without_a_common_divisor_take_a_small_table(int rate)
    {
        var tone = Enumerable.Range(0, rate / 10).Select(i => (float)Math.Sin(2 * Math.PI * 440 * i / rate)).ToArray();
        var before = GC.GetAllocatedBytesForCurrentThread();

        var resampled = new AudioClip { Channels = [tone], SampleRateHz = rate }.Resample(16_000).Channels[0];

        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 16 << 20);
        Assert.Equal((((rate / 10) * 16_000L) + rate - 1) / rate, resampled.Length);
        for (var i = 100; i < resampled.Length - 100; i++)
        {
            Assert.InRange(resampled[i] - Math.Sin(2 * Math.PI * 440 * i / 16_000), -1e-3, 1e-3);
        }
    }

    [Fact]
    public void Mono_is_the_mean_of_all_channels()
    {
        var clip = new AudioClip { Channels = [[1f, 0f], [0f, -0.5f]], SampleRateHz = 16_000 };

        Assert.Equal([0.5f, -0.25f], clip.ToMono().Channels.Single());
    }
}
