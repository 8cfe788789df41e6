using System.Buffers.Binary;
using NextGpt.Media.Clips;
using NextGpt.Media.Pictures;

namespace NextGpt.Media.Decoding;

/// <summary>Pictures and animations: what is looked at before decoding, and decoding.</summary>
internal static class PictureDecoder
{
    /// <summary>Looks at headers alone; nothing is decoded, nothing larger than the file is allocated.</summary>
    /// <exception cref="MediaException">The file is damaged, or outside the limits.</exception>
    public static void Check(MediaFormat format, ReadOnlyMemory<byte> file, string subject, MediaFileOptions limits)
    {
        if (format == MediaFormat.Png || format == MediaFormat.Jpeg)
        {
            var header = HeaderOf(format, file.Span, subject);
            Refusal.CheckSize(subject, header.Width, header.Height, limits);
        }
        else
        {
            AnimationOf(format, file, subject).Check(subject, limits);
        }
    }

    /// <summary>Decodes a checked file.</summary>
    /// <exception cref="MediaException">It is damaged.</exception>
    public static void Decode(MediaFormat format, ReadOnlyMemory<byte> file, DecodeTask task, Stream to)
    {
        Check(format, file, task.Subject, task.Limits);
        if (format == MediaFormat.Png || format == MediaFormat.Jpeg)
        {
            var essential = format == MediaFormat.Png
                ? PngFile.Essential(file.Span, task.Subject)
                : JpegFile.Essential(file.Span, task.Subject);
            PictureCodec.DecodeStill(format, essential, HeaderOf(format, file.Span, task.Subject), to, task.Subject);
            return;
        }

        var animation = AnimationOf(format, file, task.Subject);
        if (animation.Frames.Count > 1)
        {
            DecodeClip(format, animation, task, to);
        }
        else if (animation.Frames[0] is var only && IsWhole(only, animation.Header))
        {
            PictureCodec.DecodeStill(format, only.File.Value, animation.Header, to, task.Subject);
        }
        else
        {
            var canvas = new AnimationCanvas(animation.Header.Width, animation.Header.Height);
            canvas.Draw(only, PictureCodec.DecodeFrame(format, Checked(only, task), task.Subject));
            Message.Write(to, MessageKind.Picture, animation.Header.Width, animation.Header.Height);
            Message.Write(to, MessageKind.Pixels, canvas.OnWhite());
        }
    }

    private static bool IsWhole(AnimationFrame frame, PictureHeader canvas) =>
        frame is { Left: 0, Top: 0 } && frame.Width == canvas.Width && frame.Height == canvas.Height;

    // A frame may be larger than its canvas; it must still not be larger than what is accepted.
    private static AnimationFrame Checked(AnimationFrame frame, DecodeTask task)
    {
        if ((long)frame.Width * frame.Height > task.Limits.MaxMegapixels * 1_000_000L)
        {
            Refusal.CheckSize(task.Subject, frame.Width, frame.Height, task.Limits);
        }

        return frame;
    }

    private static void DecodeClip(MediaFormat format, Animation animation, DecodeTask task, Stream to)
    {
        var (width, height) = (animation.Header.Width, animation.Header.Height);
        var even = EvenFrames(animation);
        var plan = ClipPlan.For(width, height, even, animation.Frames.Count, animation.Duration, task.Limits);
        var body = new byte[16];
        BinaryPrimitives.WriteInt32LittleEndian(body, plan.Width);
        BinaryPrimitives.WriteInt32LittleEndian(body.AsSpan(4), plan.Height);
        BinaryPrimitives.WriteDoubleLittleEndian(body.AsSpan(8), plan.FramesPerSecond);
        Message.Write(to, MessageKind.Clip, body);

        var canvas = new AnimationCanvas(width, height);
        var (written, until) = (0, 0L);
        var total = animation.Duration.Ticks;
        foreach (var frame in animation.Frames)
        {
            canvas.Draw(frame, PictureCodec.DecodeFrame(format, Checked(frame, task), task.Subject));
            until += frame.Duration.Ticks;

            // Kept frame k stands for the moment k · duration / kept; half a tick lets equal moments meet.
            var isSent = false;
            for (; written < plan.Frames && (2 * total * (long)written) < ((2 * until) - 1) * plan.Frames; written++)
            {
                if (isSent)
                {
                    Message.Write(to, MessageKind.Again, ReadOnlySpan<byte>.Empty);
                    continue;
                }

                var seen = canvas.OnWhite();
                Message.Write(to, MessageKind.Pixels, (plan.Width, plan.Height) == (width, height)
                    ? seen
                    : PictureCodec.Resize(seen, width, height, plan.Width, plan.Height));
                isSent = true;
            }

            canvas.Dispose(frame);
        }

        if (plan.Notice is { } notice)
        {
            Message.Write(to, MessageKind.Notice, System.Text.Encoding.UTF8.GetBytes(notice));
        }
    }

    /// <summary>Pictures at an even pace that show every frame for its time: the greatest step that divides all durations.</summary>
    private static int EvenFrames(Animation animation)
    {
        var step = 0L;
        foreach (var frame in animation.Frames)
        {
            var (a, b) = (step, frame.Duration.Ticks);
            while (b != 0)
            {
                (a, b) = (b, a % b);
            }

            step = a;
        }

        return (int)Math.Min(int.MaxValue, animation.Duration.Ticks / step);
    }

    private static PictureHeader HeaderOf(MediaFormat format, ReadOnlySpan<byte> file, string subject) =>
        format == MediaFormat.Png ? PngFile.Inspect(file, subject) : JpegFile.Inspect(file, subject);

    private static Animation AnimationOf(MediaFormat format, ReadOnlyMemory<byte> file, string subject) =>
        format == MediaFormat.Gif ? GifFile.Inspect(file, subject) : WebPFile.Inspect(file, subject);
}
