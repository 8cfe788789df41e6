namespace NextGpt.Media.Tests;

public sealed class DeclaredTypeTests
{
    private const string Png = "89504E470D0A1A0A0000000D49484452";
    private const string Jpeg = "FFD8FFE000104A464946";
    private const string Zip = "504B0304140000000800";
    private const string Mp4 = "000000186674797069736F6D00000200";
    private const string Ogg = "4F67675300020000";
    private const string Gif = "474946383961";
    private const string Wav = "524946462400000057415645666D7420";

    [Theory]
    [InlineData(Png, "image/png", "a.png")]
    [InlineData(Jpeg, "image/png", "a.png")]                  // the same kind under another name is read as what it is
    [InlineData(Jpeg, "image/jpg; q=1", null)]
    [InlineData(Wav, "audio/x-wav", null)]
    [InlineData(Mp4, "audio/mp4", "voice.m4a")]               // a container of sounds and clips
    [InlineData(Ogg, "video/ogg", "a.ogv")]
    [InlineData(Ogg, "video/mp4", null)]
    [InlineData(Png, "image/*", null)]
    [InlineData(Png, "image/heic", "a.heic")]
    [InlineData(Png, null, "notes.txt")]                      // an ending that is no media's promises nothing
    [InlineData(Zip, "image/tiff", null)]                     // not read anyway, under its own name
    [InlineData(Zip, null, null)]                             // nothing was said
    [InlineData(Zip, "application/zip", "a.zip")]             // nothing that promises a medium
    [InlineData(Png, "application/octet-stream", "a.jpeg")]
    public void What_may_be_what_it_says_passes(string bytes, string? type, string? name) =>
        Assert.Null(Record.Exception(() => DeclaredType.Check(Convert.FromHexString(bytes), type, name)));

    [Theory]
    [InlineData(Zip, "image/png", "photo.png", "photo.png says PNG but its bytes are a ZIP file; send the real image.")]
    [InlineData(Zip, null, "photo.JPEG", "photo.JPEG says JPEG but its bytes are a ZIP file; send the real image.")]
    [InlineData(Png, "audio/mpeg", null, "The file says MP3 but its bytes are PNG; send the real sound.")]
    [InlineData(Mp4, "image/gif", "a.gif", "a.gif says GIF but its bytes are MP4; send the real image.")]
    [InlineData(Wav, "video/mp4", "a.mp4", "a.mp4 says MP4 but its bytes are WAV; send the real clip.")]
    [InlineData(Gif, "text/html", "a.gif", "a.gif says text/html but its bytes are GIF; send the real file.")]
    [InlineData(Wav, "image/heic", null, "The file says image/heic but its bytes are WAV; send the real image.")]
    [InlineData(Ogg, "image/png", null, "The file says PNG but its bytes are OGG; send the real image.")]
    [InlineData(Gif, "te<b>xt/ht\nml; charset=x", null, "The file says tebxt/html but its bytes are GIF; send the real file.")]
    public void What_is_not_what_it_says_is_a_mismatch(string bytes, string? type, string? name, string sentence)
    {
        var refusal = Assert.Throws<MediaException>(() => DeclaredType.Check(Convert.FromHexString(bytes), type, name));

        Assert.Equal(MediaProblem.Mismatch, refusal.Problem);
        Assert.Equal(sentence, refusal.Message);
    }

    [Theory]
    [InlineData(Zip, "application/zip", "application/zip")]
    [InlineData(Zip, "application/octet-stream", "a ZIP file")]
    [InlineData(Zip, null, "a ZIP file")]
    [InlineData("25504446", null, "a PDF file")]
    [InlineData("", null, "nothing")]
    public void What_is_no_medium_is_called_what_it_says_else_what_it_looks_like(string bytes, string? type, string words) =>
        Assert.Equal(words, DeclaredType.Describe(Convert.FromHexString(bytes), type));

    [Fact]
    public void Every_format_has_a_name_for_people_and_a_GIF_or_WebP_may_be_a_clip()
    {
        Assert.Equal(
            ["PNG", "JPEG", "WebP", "GIF", "WAV", "MP3", "OGG", "FLAC", "M4A", "MP4", "WebM"],
            MediaFormat.All.Select(format => format.DisplayName));
        Assert.Equal(
            [MediaFormat.WebP, MediaFormat.Gif, MediaFormat.Mp4, MediaFormat.WebM],
            MediaFormat.All.Where(format => format.MayHold(MediaKind.Video)));
    }
}
