using ImageMagick;

namespace NextGpt.Media.Tests;

public sealed class PictureReadingTests(MediaStand stand) : IClassFixture<MediaStand>
{
    private static readonly Picture Original = MediaStand.Gradient(90, 60);

    [Theory]
    [InlineData(MagickFormat.Png, "image/png", 0)]
    [InlineData(MagickFormat.Png8, "image/png", 120)]
    [InlineData(MagickFormat.Gif, "image/gif", 120)]
    [InlineData(MagickFormat.Jpeg, "image/jpeg", 60)]
    [InlineData(MagickFormat.WebP, "image/webp", 60)]
    public async Task A_picture_of_each_format_is_read_and_looks_as_it_was(MagickFormat format, string mediaType, double distance)
    {
        var read = await stand.Reader.ReadAsync(MediaStand.Encode(Original, format));

        Assert.Equal(mediaType, read.Format.MediaType);
        Assert.Null(read.Notice);
        Assert.InRange(MediaStand.Distance(Original, Assert.IsType<Picture>(read.Medium)), 0, distance);
    }

    [Fact]
    public async Task A_lossless_webp_a_progressive_jpeg_and_grey_and_cmyk_files_are_read()
    {
        var lossless = MediaStand.Encode(Original, MagickFormat.WebP, image => image.Settings.SetDefine(MagickFormat.WebP, "lossless", "true"));
        var progressive = MediaStand.Encode(Original, MagickFormat.Pjpeg);
        var cmyk = MediaStand.Encode(Original, MagickFormat.Jpeg, image => image.ColorSpace = ColorSpace.CMYK);
        var grey = MediaStand.Encode(Original, MagickFormat.Png, image => image.ColorSpace = ColorSpace.Gray);

        Assert.Equal(0, MediaStand.Distance(Original, await ReadAsync(lossless)));
        Assert.InRange(MediaStand.Distance(Original, await ReadAsync(progressive)), 0, 60);
        Assert.InRange(MediaStand.Distance(Original, await ReadAsync(cmyk)), 0, 120);
        var read = await ReadAsync(grey);
        Assert.All(Enumerable.Range(0, 90 * 60), i => Assert.Equal(read.Pixels[3 * i], read.Pixels[(3 * i) + 1]));
    }

    [Theory]
    [InlineData(MagickFormat.Png)]
    [InlineData(MagickFormat.WebP)]
    public async Task Transparent_pixels_are_laid_on_white(MagickFormat format)
    {
        var file = MediaStand.Encode(Original, format, image =>
        {
            image.Settings.SetDefine(MagickFormat.WebP, "lossless", "true");
            image.Alpha(AlphaAction.Set);
            image.Evaluate(Channels.Alpha, EvaluateOperator.Set, new Percentage(50));
        });

        var read = await ReadAsync(file);

        // Half of the colour, half of white; ±1 for the rounding of the alpha itself.
        Assert.All(Original.Pixels.Zip(read.Pixels), pair => Assert.InRange(pair.Second, (pair.First / 2) + 126, (pair.First / 2) + 129));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public async Task A_cameras_orientation_is_applied(int orientation)
    {
        var upright = MediaStand.Encode(Original, MagickFormat.Jpeg, image => image.Quality = 100);
        var turned = WithOrientation(upright, orientation);

        var read = await ReadAsync(turned);

        using var expected = new MagickImage(upright) { Orientation = (Orientation)orientation };
        expected.AutoOrient();
        Assert.Equal(orientation >= 5 ? (60, 90) : (90, 60), (read.Width, read.Height));
        using var pixels = expected.GetPixels();
        Assert.Equal(pixels.ToByteArray(PixelMapping.RGB), read.Pixels);
    }

    [Theory]
    [InlineData(30_000, 20_000, "30,000 x 20,000 px (600 megapixels)")]
    [InlineData(12_001, 100, "12,001 x 100")]
    [InlineData(8_000, 8_000, "64 megapixels")]
    [InlineData(1, 12_000, "each side must have 16")]
    [InlineData(15, 15, "15 x 15 px")]
    public async Task THR_7_The_size_is_refused_by_the_header_before_a_decoder_is_asked(int width, int height, string said)
    {
        using var reader = MediaStand.NewReader(new MediaFileOptions(), MediaStand.ChildWith("mute"));   // it would fail if asked

        var refusal = await Assert.ThrowsAsync<MediaException>(() => reader.ReadAsync(MediaStand.PngClaiming(width, height), "photo.png"));

        Assert.Equal(MediaProblem.TooLarge, refusal.Problem);
        Assert.StartsWith("photo.png is ", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(said, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_largest_picture_that_is_accepted_fits_into_a_decoder()
    {
        var big = MediaStand.Gradient(8_000, 5_000);
        var file = WithOrientation(MediaStand.Encode(big, MagickFormat.Jpeg), 6);   // and turned, which takes it twice

        var read = await ReadAsync(file);

        Assert.Equal((5_000, 8_000), (read.Width, read.Height));
    }

    [Theory]
    [InlineData(MagickFormat.Png)]
    [InlineData(MagickFormat.Jpeg)]
    [InlineData(MagickFormat.WebP)]
    [InlineData(MagickFormat.Gif)]
    public async Task THR_8_A_file_that_ends_early_is_damaged(MagickFormat format)
    {
        var file = MediaStand.Encode(Original, format);
        foreach (var part in new[] { 0.2, 0.5, 0.9 })
        {
            var refusal = await Assert.ThrowsAsync<MediaException>(
                () => stand.Reader.ReadAsync(file.AsMemory(0, (int)(file.Length * part)), "a.bin"));

            Assert.Equal(MediaProblem.Corrupt, refusal.Problem);
            Assert.EndsWith("upload it again.", refusal.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task THR_8_What_follows_the_end_of_a_picture_is_not_looked_at()
    {
        byte[] polyglot = [.. MediaStand.Encode(Original, MagickFormat.Png), .. "PK\u0003\u0004 an archive"u8];

        Assert.Equal(0, MediaStand.Distance(Original, await ReadAsync(polyglot)));
    }

    [Theory]
    [InlineData("II*\0aaaaaaaaaaaaaaaa", "image/tiff is not supported; send PNG, JPEG, WebP or GIF")]
    [InlineData("<svg xmlns='http://www.w3.org/2000/svg'/>", "markup")]
    [InlineData("PK\u0003\u0004aaaaaaaaaaaaaaaaa", "a ZIP file")]
    public async Task What_is_not_read_is_named_with_what_to_send(string bytes, string said)
    {
        var refusal = await Assert.ThrowsAsync<MediaException>(
            () => stand.Reader.ReadAsync(System.Text.Encoding.Latin1.GetBytes(bytes)));

        Assert.Equal(MediaProblem.Unsupported, refusal.Problem);
        Assert.Contains(said, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_over_the_limit_of_bytes_is_refused()
    {
        using var reader = MediaStand.NewReader(new MediaFileOptions { MaxFileMegabytes = 1 });

        var refusal = await Assert.ThrowsAsync<MediaException>(() => reader.ReadAsync(new byte[1_100_000], "a.png"));

        Assert.Equal(MediaProblem.TooManyBytes, refusal.Problem);
    }

    [Fact]
    public void A_picture_is_enlarged_for_looking_at()
    {
        var large = MediaStand.Gradient(64, 64).Resize(256, 256);

        Assert.Equal((256, 256), (large.Width, large.Height));
        Assert.InRange(MediaStand.Distance(MediaStand.Gradient(64, 64), large.Resize(64, 64)), 0, 60);
    }

    private async Task<Picture> ReadAsync(byte[] file) =>
        Assert.IsType<Picture>((await stand.Reader.ReadAsync(file, cancellationToken: TestContext.Current.CancellationToken)).Medium);

    /// <summary>The JPEG with an EXIF segment that says how the camera was held.</summary>
    private static byte[] WithOrientation(byte[] jpeg, int orientation) =>
    [
        .. jpeg[..2], 0xFF, 0xE1, 0, 34, .. "Exif\0\0"u8, .. "MM\0*"u8, 0, 0, 0, 8, 0, 1,
        0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, (byte)orientation, 0, 0, 0, 0, 0, 0, .. jpeg[2..],
    ];
}
