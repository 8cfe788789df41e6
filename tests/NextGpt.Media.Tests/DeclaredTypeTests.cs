namespace NextGpt.Media.Tests;

public sealed class DeclaredTypeTests
{
    private const string Png = "89504E470D0A1A0A0000000D49484452";
    private const string Jpeg = "FFD8FFE000104A464946";
    private const string Zip = "504B0304140000000800";
    private const string Mp4 = "000000186674797069736F6D00000200";
    private const string Wav = "524946462400000057415645666D7420";

    [Theory]
    [InlineData(Png, "image/png", "a.png")]
    [InlineData(Jpeg, "image/png", "a.png")]                  // the same kind under another name is read as what it is
    [InlineData(Jpeg, "image/jpg; q=1", null)]
    [InlineData(Wav, "audio/x-wav", null)]
    [InlineData(Mp4, "audio/mp4", "voice.m4a")]               // a container of sounds and clips
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
    public void What_is_not_what_it_says_is_a_mismatch(string bytes, string? type, string? name, string sentence)
    {
        var refusal = Assert.Throws<MediaException>(() => DeclaredType.Check(Convert.FromHexString(bytes), type, name));

        Assert.Equal(MediaProblem.Mismatch, refusal.Problem);
        Assert.Equal(sentence, refusal.Message);
    }
}
