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

    [Fact]
    public void Mono_is_the_mean_of_all_channels()
    {
        var clip = new AudioClip { Channels = [[1f, 0f], [0f, -0.5f]], SampleRateHz = 16_000 };

        Assert.Equal([0.5f, -0.25f], clip.ToMono().Channels.Single());
    }
}
