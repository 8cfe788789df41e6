using System.Buffers.Binary;
using System.Text;

namespace NextGpt.Media.Tests;

public sealed class WaveFileTests
{
    [Fact]
    public void A_written_clip_is_read_back_within_one_level_of_16_bits()
    {
        var clip = Sine(channels: 2, rate: 16_000, seconds: 0.5);

        var read = WaveFile.Read(WaveFile.Write(clip));

        Assert.Equal(clip.SampleRateHz, read.SampleRateHz);
        Assert.Equal(clip.Channels.Count, read.Channels.Count);
        for (var c = 0; c < 2; c++)
        {
            Assert.All(clip.Channels[c].Zip(read.Channels[c]),
                pair => Assert.True(Math.Abs(pair.First - pair.Second) <= 1f / 16_384));
        }
    }

    [Fact]
    public void Information_is_written_as_an_INFO_list_and_does_not_disturb_the_sound()
    {
        var clip = Sine(channels: 1, rate: 16_000, seconds: 0.3);

        var file = WaveFile.Write(clip, new Dictionary<string, string> { ["ISFT"] = "NextGpt.Chat", ["ICMT"] = "made by an AI" });

        Assert.Contains("LIST", Encoding.Latin1.GetString(file), StringComparison.Ordinal);
        Assert.Contains("ICMT", Encoding.Latin1.GetString(file), StringComparison.Ordinal);
        Assert.Equal(WaveFile.Read(WaveFile.Write(clip)).Channels[0], WaveFile.Read(file).Channels[0]);
    }

    [Theory]
    [InlineData(8)]
    [InlineData(16)]
    [InlineData(24)]
    [InlineData(32)]
    public void Every_pcm_width_reads_the_same_half_scale_sample(int bits)
    {
        var sample = bits == 8 ? new byte[] { 192 } : [.. Enumerable.Repeat((byte)0, (bits / 8) - 1), 0x40];
        var file = Pcm(tag: 1, channels: 1, rate: 8_000, bits, [.. Enumerable.Repeat(sample, 4_000).SelectMany(s => s)]);

        Assert.All(WaveFile.Read(file).Channels[0], value => Assert.Equal(0.5f, value, 6));
    }

    [Fact]
    public void Float_samples_that_are_not_numbers_become_silence()
    {
        var data = new byte[4_000 * 4];
        for (var i = 0; i < 4_000; i++)
        {
            BinaryPrimitives.WriteSingleLittleEndian(data.AsSpan(i * 4), i % 2 == 0 ? float.NaN : 7f);
        }

        var read = WaveFile.Read(Pcm(tag: 3, channels: 1, rate: 8_000, bits: 32, data));

        Assert.Equal(0f, read.Channels[0][0]);
        Assert.Equal(1f, read.Channels[0][1]);
    }

    [Theory]
    [InlineData(2, 1, 16_000, 16, MediaProblem.Unsupported)]
    [InlineData(1, 1, 16_000, 12, MediaProblem.Unsupported)]
    [InlineData(1, 9, 16_000, 16, MediaProblem.Unsupported)]
    [InlineData(1, 0, 16_000, 16, MediaProblem.Unsupported)]
    [InlineData(1, 1, 192_000, 16, MediaProblem.Unsupported)]
    [InlineData(1, 1, 16_000, 16, MediaProblem.TooLong)]
    public void What_is_not_read_is_refused_in_a_sentence(int tag, int channels, int rate, int bits, MediaProblem problem)
    {
        var file = Pcm((ushort)tag, channels, rate, bits, new byte[320]);

        var refusal = Assert.Throws<MediaException>(() => WaveFile.Read(file));

        Assert.Equal(problem, refusal.Problem);
        Assert.EndsWith(".", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Ten_thousand_mutated_files_give_only_documented_errors()
    {
        var random = new Random(20_261_123);
        var original = WaveFile.Write(Sine(channels: 2, rate: 8_000, seconds: 0.25));
        var refused = 0;
        for (var round = 0; round < 10_000; round++)
        {
            var file = original.AsSpan(0, random.Next(4) == 0 ? random.Next(original.Length) : original.Length).ToArray();
            for (var change = random.Next(1, 6); change > 0 && file.Length > 0; change--)
            {
                file[random.Next(Math.Min(file.Length, 64))] = (byte)random.Next(256);
            }

            try
            {
                WaveFile.Read(file);
            }
            catch (MediaException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 1_000, 10_000);
    }

    private static AudioClip Sine(int channels, int rate, double seconds) => new()
    {
        SampleRateHz = rate,
        Channels = [.. Enumerable.Range(1, channels).Select(c => Enumerable.Range(0, (int)(rate * seconds))
            .Select(i => (float)(0.8 * Math.Sin(2 * Math.PI * 220 * c * i / rate))).ToArray())],
    };

    private static byte[] Pcm(ushort tag, int channels, int rate, int bits, byte[] data)
    {
        var file = new byte[44 + data.Length];
        "RIFF"u8.CopyTo(file);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(4), file.Length - 8);
        "WAVEfmt "u8.CopyTo(file.AsSpan(8));
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(16), 16);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(20), tag);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(22), (ushort)channels);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(24), rate);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(34), (ushort)bits);
        "data"u8.CopyTo(file.AsSpan(36));
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(40), data.Length);
        data.CopyTo(file.AsSpan(44));
        return file;
    }
}
