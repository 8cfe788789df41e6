using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using NextGpt.Bots.Discord.Answers;
using NextGpt.Media;

namespace NextGpt.Bots.Discord.Tests.Answers;

public sealed class MediaFittingTests
{
    [Fact]
    public async Task M5_a_picture_a_sound_and_a_clip_are_made_smaller_until_they_fit()
    {
        var codec = new RawCodec();
        var fitting = new MediaFitting(codec, codec, TimeProvider.System);
        foreach (var medium in (Medium[])[
            new Picture(1_024, 1_024, new byte[1_024 * 1_024 * 3]),
            new AudioClip { SampleRateHz = 48_000, Channels = [new float[480_000], new float[480_000]] },
            new VideoClip { FramesPerSecond = 8, Frames = [.. Enumerable.Range(0, 16).Select(_ => new Picture(256, 256, new byte[256 * 256 * 3]))] }])
        {
            codec.Medium = medium;
            var whole = await codec.WriteAsync(medium, null);
            var small = await fitting.FitAsync(whole, whole.Bytes.Length / 3, "m", TestContext.Current.CancellationToken);

            Assert.NotNull(small);
            Assert.True(small.Bytes.Length <= whole.Bytes.Length / 3, $"{medium.Kind}: {small.Bytes.Length} of {whole.Bytes.Length}");
            Assert.Equal("m", codec.Mark?.ModelId);
            Assert.Same(whole, await fitting.FitAsync(whole, whole.Bytes.Length, "m", TestContext.Current.CancellationToken));
        }
    }

    [Fact]
    public async Task M5_with_the_real_encoders_a_picture_of_more_than_ten_MiB_becomes_a_smaller_one_that_can_be_read()
    {
        const int most = 10 * 1024 * 1024;
        using var services = new ServiceCollection().AddSingleton<IConfiguration>(new ConfigurationBuilder().Build()).AddLogging()
            .AddNextGptMedia().BuildServiceProvider();
        var (reader, writer) = (services.GetRequiredService<IMediaReader>(), services.GetRequiredService<IMediaWriter>());
        var noise = new byte[1_900 * 1_900 * 3];   // nothing in it can be compressed
        new Random(1).NextBytes(noise);
        var whole = await writer.WriteAsync(new Picture(1_900, 1_900, noise), null, TestContext.Current.CancellationToken);
        Assert.True(whole.Bytes.Length > most);

        var small = await new MediaFitting(reader, writer, TimeProvider.System).FitAsync(whole, most, "m", TestContext.Current.CancellationToken);

        Assert.NotNull(small);
        Assert.InRange(small.Bytes.Length, 1, most);
        var read = await reader.ReadAsync(small.Bytes, null, TestContext.Current.CancellationToken);
        Assert.InRange(Assert.IsType<Picture>(read.Medium).Width, 600, 1_898);
    }

    [Fact]
    public async Task M5_what_cannot_be_made_to_fit_is_given_up()
    {
        var codec = new RawCodec { Medium = new Picture(64, 64, new byte[64 * 64 * 3]) };
        var fitting = new MediaFitting(codec, codec, TimeProvider.System);
        var whole = await codec.WriteAsync(codec.Medium, null);

        Assert.Null(await fitting.FitAsync(whole, 1_000, "m", TestContext.Current.CancellationToken));
    }

    /// <summary>A file has as many bytes as its medium has numbers.</summary>
    private sealed class RawCodec : IMediaReader, IMediaWriter
    {
        public Medium? Medium { get; set; }

        public GenerationMark? Mark { get; private set; }

        public Task<ReadMedium> ReadAsync(ReadOnlyMemory<byte> bytes, string? name = null, CancellationToken cancellationToken = default) =>
            Task.FromResult(new ReadMedium(Medium!, MediaFormat.Png));

        public Task<MediaFile> WriteAsync(Medium medium, GenerationMark? mark, CancellationToken cancellationToken = default)
        {
            Mark = mark;
            return Task.FromResult(new MediaFile(
                new byte[medium switch
                {
                    Picture picture => picture.Width * picture.Height * 3,
                    AudioClip sound => sound.Length * sound.Channels.Count * 2,
                    VideoClip clip => clip.Frames.Sum(frame => frame.Width * frame.Height * 3),
                    _ => 0,
                }],
                MediaFormat.Png));
        }
    }
}
