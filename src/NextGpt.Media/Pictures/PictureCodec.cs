using ImageMagick;
using NextGpt.Media.Decoding;

namespace NextGpt.Media.Pictures;

/// <summary>The one place that speaks to ImageMagick; the coder is always named, never guessed.</summary>
internal static class PictureCodec
{
    private const string PolicyFolder = "magick";
    private const int StripRows = 256;

    private static ReadOnlySpan<byte> SmallestGif =>
    [
        0x47, 0x49, 0x46, 0x38, 0x39, 0x61, 1, 0, 1, 0, 0x80, 0, 0, 0, 0, 0, 255, 255, 255, 0x2C, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2,
        0x44, 1, 0, 0x3B,
    ];

    /// <summary>Puts ImageMagick under limits, for this process. Call before the first picture.</summary>
    /// <param name="limits">How large a picture may be.</param>
    public static void Confine(MediaFileOptions limits)
    {
        MagickNET.SetEnvironmentVariable("MAGICK_CONFIGURE_PATH", Path.Combine(AppContext.BaseDirectory, PolicyFolder));
        ResourceLimits.Thread = 1;
        ResourceLimits.Width = (ulong)limits.MaxSide;
        ResourceLimits.Height = (ulong)limits.MaxSide;
        ResourceLimits.Area = (ulong)limits.MaxMegapixels * 4_000_000;   // above it pixels would go to a file; the size itself was checked
        ResourceLimits.Memory = (ulong)limits.DecoderMegabytes * 1024 * 1024 * 3 / 4;
        ResourceLimits.MaxMemoryRequest = (ulong)limits.DecoderMegabytes * 1024 * 1024 * 3 / 4;
        ResourceLimits.MaxProfileSize = 1024 * 1024;
        ResourceLimits.Disk = 0;
        ResourceLimits.ListLength = 2;
    }

    /// <summary>Loads the library and what it needs, by decoding a picture of one pixel.</summary>
    public static void WarmUp()
    {
        Confine(new MediaFileOptions());
        try
        {
            DecodeStill(MediaFormat.Gif, SmallestGif, new PictureHeader(1, 1, 1), Stream.Null, "");
        }
        catch (MediaException)
        {
            // The first real picture will say so.
        }
    }

    /// <summary>Decodes a still picture: upright, sRGB, on white.</summary>
    /// <param name="format">PNG, JPEG, WebP or GIF.</param>
    /// <param name="file">A file of one picture, without anything but its pixels.</param>
    /// <param name="header">What its header said.</param>
    /// <param name="to">Receives the picture and its pixels.</param>
    /// <param name="subject">What sentences call it.</param>
    /// <exception cref="MediaException">It is damaged.</exception>
    public static void DecodeStill(MediaFormat format, ReadOnlySpan<byte> file, PictureHeader header, Stream to, string subject)
    {
        using var image = Read(format, file, header, subject);
        if (image.HasAlpha)
        {
            image.BackgroundColor = MagickColors.White;
            image.Alpha(AlphaAction.Remove);
            image.Alpha(AlphaAction.Off);
        }

        if (header.Orientation != 1)
        {
            image.Orientation = (Orientation)header.Orientation;
            image.AutoOrient();
        }

        var (width, height) = ((int)image.Width, (int)image.Height);
        Message.Write(to, MessageKind.Picture, width, height);
        using var pixels = image.GetPixelsUnsafe();
        for (var row = 0; row < height; row += StripRows)
        {
            var rows = Math.Min(StripRows, height - row);
            var strip = pixels.ToByteArray(0, row, (uint)width, (uint)rows, PixelMapping.RGB);
            Message.Write(to, MessageKind.Pixels, strip ?? throw Undecodable(subject));
        }
    }

    /// <summary>Decodes one frame of an animation.</summary>
    /// <returns>Red, green, blue, alpha of each pixel.</returns>
    /// <exception cref="MediaException">It is damaged.</exception>
    public static byte[] DecodeFrame(MediaFormat format, AnimationFrame frame, string subject)
    {
        using var image = Read(format, frame.File.Value, new PictureHeader(frame.Width, frame.Height, 1), subject);
        image.Alpha(AlphaAction.On);
        using var pixels = image.GetPixelsUnsafe();
        return pixels.ToByteArray(PixelMapping.RGBA) ?? throw Undecodable(subject);
    }

    /// <summary>The picture at another size; Mitchell's filter, which suits both ways.</summary>
    public static byte[] Resize(byte[] pixels, int width, int height, int newWidth, int newHeight)
    {
        using var image = Wrap(pixels, width, height);
        image.Resize(new MagickGeometry((uint)newWidth, (uint)newHeight) { IgnoreAspectRatio = true }, FilterType.Mitchell);
        using var resized = image.GetPixelsUnsafe();
        return resized.ToByteArray(PixelMapping.RGB) ?? throw new InvalidOperationException("The picture could not be resized.");
    }

    /// <summary>Encodes a picture as PNG; without any text or profile.</summary>
    public static byte[] EncodePng(Picture picture)
    {
        using var image = Wrap(picture.Pixels, picture.Width, picture.Height);
        image.Settings.SetDefine(MagickFormat.Png, "exclude-chunks", "all");
        image.Settings.SetDefine(MagickFormat.Png, "compression-level", "6");
        return image.ToByteArray(MagickFormat.Png24);
    }

    /// <summary>Encodes a clip as an animated file that repeats for ever.</summary>
    /// <param name="clip">The frames.</param>
    /// <param name="format"><see cref="MediaFormat.WebP"/> or <see cref="MediaFormat.Gif"/>.</param>
    public static byte[] EncodeAnimation(VideoClip clip, MediaFormat format)
    {
        var isGif = format == MediaFormat.Gif;
        using var images = new MagickImageCollection();
        var shown = 0u;
        for (var i = 0; i < clip.Frames.Count; i++)
        {
            var frame = clip.Frames[i];
            var image = Wrap(frame.Pixels, frame.Width, frame.Height);
            // Rounded from the beginning of the clip, so that the errors of 24 frames do not add up.
            var ticks = isGif ? 100 : 1_000;
            var until = (uint)Math.Round((i + 1) * ticks / clip.FramesPerSecond);
            image.AnimationTicksPerSecond = ticks;
            image.AnimationDelay = Math.Max(isGif ? 2u : 11u, until - shown);
            image.AnimationIterations = 0;
            image.Quality = 90;
            shown = until;
            images.Add(image);
        }

        if (isGif)
        {
            images.Quantize(new QuantizeSettings { Colors = 256, DitherMethod = DitherMethod.FloydSteinberg });
        }

        return images.ToByteArray(isGif ? MagickFormat.Gif : MagickFormat.WebP);
    }

    /// <summary>Whether the policy keeps ImageMagick from reading a drawing; for the probe.</summary>
    public static bool RefusesOtherCoders()
    {
        try
        {
            using var image = new MagickImage("<svg width='32' height='32'/>"u8, new MagickReadSettings { Format = MagickFormat.Svg });
            return false;
        }
        catch (MagickException refused)
        {
            return refused is MagickPolicyErrorException;
        }
    }

    private static MagickImage Read(MediaFormat format, ReadOnlySpan<byte> file, PictureHeader header, string subject)
    {
        var coder = format == MediaFormat.Png ? MagickFormat.Png
            : format == MediaFormat.Jpeg ? MagickFormat.Jpeg
            : format == MediaFormat.WebP ? MagickFormat.WebP
            : MagickFormat.Gif;
        var image = new MagickImage();
        try
        {
            var warned = false;
            image.Warning += (_, _) => warned = true;
            image.Read(file, new MagickReadSettings { Format = coder, FrameIndex = 0, FrameCount = 1 });
            if (warned || image.Width != header.Width || image.Height != header.Height)
            {
                throw Undecodable(subject);
            }

            if (image.ColorSpace != ColorSpace.sRGB)
            {
                image.ColorSpace = ColorSpace.sRGB;
            }

            return image;
        }
        catch (MagickException)
        {
            image.Dispose();
            throw Undecodable(subject);
        }
        catch (MediaException)
        {
            image.Dispose();
            throw;
        }
    }

    private static MagickImage Wrap(byte[] pixels, int width, int height)
    {
        var image = new MagickImage();
        image.ReadPixels(pixels, new PixelReadSettings((uint)width, (uint)height, StorageType.Char, PixelMapping.RGB));
        return image;
    }

    private static MediaException Undecodable(string subject) =>
        Refusal.Corrupt(subject, "its pixels cannot be decoded");
}
