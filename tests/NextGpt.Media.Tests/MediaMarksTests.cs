using System.Text;

namespace NextGpt.Media.Tests;

public sealed class MediaMarksTests(MediaStand stand) : IClassFixture<MediaStand>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string> Kinds => ["picture", "sound", "mp4", "webp", "gif"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task AID_1_Every_file_that_is_written_says_which_model_made_it_and_when(string kind)
    {
        var file = await WriteAsync(kind, MediaStand.Mark);

        Assert.Equal(MediaStand.Mark, MediaMarks.Find(file.Bytes.Span));
        Assert.Contains("trainedAlgorithmicMedia", Encoding.Latin1.GetString(file.Bytes.Span), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task AID_1_A_marked_file_is_still_read(string kind)
    {
        var read = await stand.Reader.ReadAsync((await WriteAsync(kind, MediaStand.Mark)).Bytes, cancellationToken: Token);

        Assert.Equal(kind switch { "picture" => MediaKind.Image, "sound" => MediaKind.Audio, _ => MediaKind.Video }, read.Medium.Kind);
    }

    [Theory]
    [InlineData("picture")]
    [InlineData("sound")]
    public async Task AID_1_An_id_with_any_letters_comes_back_as_it_was(string kind)
    {
        var mark = new GenerationMark("a<b>&\"'; Created=x %41 größe 模型 \U0001F600", MediaStand.Mark.CreatedAt);

        Assert.Equal(mark, MediaMarks.Find((await WriteAsync(kind, mark)).Bytes.Span));
    }

    [Fact]
    public async Task AID_1_Files_without_the_mark_have_none()
    {
        var foreign = MediaStand.Encode(MediaStand.Gradient(32, 32), ImageMagick.MagickFormat.Png);
        var other = (await WriteAsync("picture", MediaStand.Mark)).Bytes.ToArray();
        other.AsSpan(other.AsSpan().IndexOf("trainedAlgorithmic"u8)).Slice(0, 7)[0] = (byte)'x';

        Assert.Null(MediaMarks.Find(foreign));
        Assert.Null(MediaMarks.Find(other));
        Assert.Null(MediaMarks.Find(WaveFile.Write(MediaStand.Tone())));
        Assert.Null(MediaMarks.Find([]));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task AID_1_Looking_for_a_mark_in_a_damaged_file_never_fails(string kind)
    {
        var file = (await WriteAsync(kind, MediaStand.Mark)).Bytes.ToArray();
        var random = new Random(7);
        var found = 0;
        for (var round = 0; round < 2_000; round++)
        {
            found += MediaMarks.Find(Mutation.Of(file, random)) is null ? 0 : 1;
        }

        Assert.InRange(found, 1, 1_999);
    }

    private async Task<MediaFile> WriteAsync(string kind, GenerationMark mark) => kind switch
    {
        "picture" => await stand.Writer.WriteAsync(MediaStand.Gradient(64, 64), mark, Token),
        "sound" => await stand.Writer.WriteAsync(MediaStand.Tone(), mark, Token),
        "mp4" => await stand.Writer.WriteAsync(MediaStand.Clip(), mark, Token),
        "webp" => await stand.PlainWriter.WriteAsync(MediaStand.Clip(), mark, Token),
        _ => await MediaWriter.AnimationAsync(MediaStand.Clip(), MediaFormat.Gif, mark, Token),
    };
}
