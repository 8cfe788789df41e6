namespace NextGpt.Media.Tests;

public sealed class SoundReadingTests(MediaStand stand) : IClassFixture<MediaStand>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("mp3", "libmp3lame", "mp3", 0.1)]
    [InlineData("ogg", "libvorbis", "ogg", 0.1)]
    [InlineData("ogg", "libopus", "ogg", 0.1)]
    [InlineData("flac", "flac", "flac", 0.0001)]
    public async Task A_sound_of_each_format_is_read_through_ffmpeg(string extension, string codec, string container, double distance)
    {
        var tone = MediaStand.Tone(seconds: 1.5, rateHz: 48_000, channels: 2);
        var file = MediaStand.Ffmpeg(WaveFile.Write(tone), "-c:a", codec, "-b:a", "192k", "-f", container);

        var read = await stand.Reader.ReadAsync(file, cancellationToken: Token);

        var sound = Assert.IsType<AudioClip>(read.Medium);
        Assert.Equal(extension, read.Format.Extension);
        Assert.Equal((48_000, 2), (sound.SampleRateHz, sound.Channels.Count));
        Assert.Equal(1.5, sound.Duration.TotalSeconds, 0.08);
        Assert.InRange(Loudness(sound.Channels[0].AsSpan(24_000, 24_000)), 0.353 - distance, 0.354 + distance);   // of a sine of 0.5
        Assert.Equal(330, Pitch(sound.Channels[0], 48_000), 3.0);
        Assert.Equal(660, Pitch(sound.Channels[1], 48_000), 3.0);
    }

    [Fact]
    public async Task An_m4a_is_read_also_where_its_container_says_it_is_a_clip()
    {
        var wave = WaveFile.Write(MediaStand.Tone(seconds: 1, rateHz: 44_100));
        var m4a = MediaStand.Ffmpeg(wave, "-c:a", "aac", "-movflags", "frag_keyframe+empty_moov", "-f", "ipod");
        var mp4 = MediaStand.Ffmpeg(wave, "-c:a", "aac", "-movflags", "frag_keyframe+empty_moov", "-f", "mp4");
        foreach (var file in new[] { m4a, mp4 })
        {
            var read = await stand.Reader.ReadAsync(file, cancellationToken: Token);

            Assert.Equal(MediaFormat.M4a, read.Format);
            Assert.Equal(1, Assert.IsType<AudioClip>(read.Medium).Duration.TotalSeconds, 0.1);
        }
    }

    [Fact]
    public async Task A_wave_file_comes_back_from_its_decoder_as_it_is()
    {
        var file = WaveFile.Write(MediaStand.Tone(seconds: 0.5, channels: 2));

        var read = await stand.Reader.ReadAsync(file, cancellationToken: Token);

        Assert.Equal(WaveFile.Read(file).Channels, Assert.IsType<AudioClip>(read.Medium).Channels);
    }

    [Theory]
    [InlineData(0.1)]
    [InlineData(121)]
    public async Task A_sound_too_short_or_too_long_is_refused_in_every_format(double seconds)
    {
        var wave = WaveFile.Write(MediaStand.Tone(seconds, rateHz: 8_000));
        var flac = MediaStand.Ffmpeg(wave, "-c:a", "flac", "-f", "flac");
        foreach (var file in new[] { wave, flac })
        {
            var refusal = await Assert.ThrowsAsync<MediaException>(() => stand.Reader.ReadAsync(file, "a.snd", Token));

            Assert.Equal(MediaProblem.TooLong, refusal.Problem);
            Assert.EndsWith("0.2 to 120 s are accepted; send a part of it.", refusal.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_sound_of_192_kHz_is_refused_and_one_of_120_s_in_8_channels_is_mixed_to_one()
    {
        var fast = MediaStand.Ffmpeg(WaveFile.Write(MediaStand.Tone(0.5, 96_000)), "-ar", "192000", "-c:a", "flac", "-f", "flac");
        var wide = MediaStand.Ffmpeg(
            WaveFile.Write(MediaStand.Tone(1, 48_000)), "-af", "apad=whole_dur=120", "-ac", "8", "-c:a", "flac", "-f", "flac");

        var refusal = await Assert.ThrowsAsync<MediaException>(() => stand.Reader.ReadAsync(fast, cancellationToken: Token));
        var read = await stand.Reader.ReadAsync(wide, cancellationToken: Token);

        Assert.Equal(MediaProblem.Unsupported, refusal.Problem);
        Assert.Single(Assert.IsType<AudioClip>(read.Medium).Channels);
        Assert.Equal("Its 8 channels are mixed to one.", read.Notice);
    }

    [Fact]
    public async Task Without_ffmpeg_an_mp3_is_refused_with_what_to_send()
    {
        using var reader = MediaStand.NewReader(new MediaFileOptions { Ffmpeg = "/nowhere/ffmpeg" });

        var refusal = await Assert.ThrowsAsync<MediaException>(() => reader.ReadAsync("ID3 and so on"u8.ToArray(), cancellationToken: Token));

        Assert.Equal(MediaProblem.Unsupported, refusal.Problem);
        Assert.Equal("MP3 (ffmpeg is not installed here) is not supported; send WAV.", refusal.Message);
    }

    private static double Loudness(ReadOnlySpan<float> samples) =>
        Math.Sqrt(samples.ToArray().Average(sample => (double)sample * sample));

    private static double Pitch(float[] samples, int rateHz)
    {
        // The second half second: what a coder adds before and after is not part of the tone.
        var middle = samples.AsSpan(rateHz / 2, rateHz / 2);
        var crossings = 0;
        for (var i = 1; i < middle.Length; i++)
        {
            crossings += middle[i - 1] < 0 && middle[i] >= 0 ? 1 : 0;
        }

        return crossings * 2.0;
    }
}
