using System.Buffers.Binary;
using NextGpt.Media.Decoding;

namespace NextGpt.Media.Pictures;

/// <summary>The blocks of a GIF file, read without decoding; CompuServe GIF89a.</summary>
internal static class GifFile
{
    private const byte ImageBlock = 0x2C;
    private const byte ExtensionBlock = 0x21;
    private const byte Trailer = 0x3B;
    private const byte ControlLabel = 0xF9;
    private const int ScreenLength = 13;

    /// <summary>More frames than any clip within the limits can have (60 s, 50 a second at most); reading stops there.</summary>
    private const int MostFrames = 10_000;

    /// <summary>Canvas and frames, each found to lie inside the file.</summary>
    /// <exception cref="MediaException">It is damaged, or never ends.</exception>
    public static Animation Inspect(ReadOnlyMemory<byte> memory, string subject)
    {
        var file = memory.Span;
        if (file.Length < ScreenLength)
        {
            throw Refusal.EndsEarly(subject, file.Length, ScreenLength);
        }

        int width = BinaryPrimitives.ReadUInt16LittleEndian(file[6..]);
        int height = BinaryPrimitives.ReadUInt16LittleEndian(file[8..]);
        var at = ScreenLength + PaletteLength(file[10]);
        var head = at;
        var frames = new List<AnimationFrame>();
        var control = ReadOnlyMemory<byte>.Empty;
        while (true)
        {
            // Some writers leave the trailer out; a file that ends between two blocks is taken as whole.
            if ((at >= file.Length && frames.Count > 0) || (at < file.Length && file[at] == Trailer))
            {
                return frames.Count > 0 ? new Animation(new PictureHeader(width, height, 1), frames)
                    : throw Refusal.Corrupt(subject, "it holds no picture");
            }

            var start = at;
            switch (At(file, at, subject))
            {
                case ExtensionBlock:
                    var label = At(file, at + 1, subject);
                    at = SubBlocksEnd(file, at + 2, subject);
                    if (label == ControlLabel && at - start >= 8)
                    {
                        control = memory[start..at];
                    }

                    break;
                case ImageBlock:
                    if (file.Length - at < 11 || head > start)
                    {
                        throw Refusal.EndsEarly(subject, file.Length, 0);
                    }

                    at += 10 + PaletteLength(file[start + 9]);
                    at = SubBlocksEnd(file, at + 1, subject);
                    frames.Add(FrameOf(memory, head, start, at, control, subject));
                    control = ReadOnlyMemory<byte>.Empty;
                    if (frames.Count > MostFrames)
                    {
                        throw new MediaException(
                            MediaProblem.TooLong, $"{subject} has more than {MostFrames} frames; send a part of it.");
                    }

                    break;
                default:
                    throw Refusal.Corrupt(subject, "bytes stand where a block should begin");
            }
        }
    }

    private static int PaletteLength(byte flags) => (flags & 0x80) == 0 ? 0 : 3 << ((flags & 7) + 1);

    private static byte At(ReadOnlySpan<byte> file, int at, string subject) =>
        at < file.Length ? file[at] : throw Refusal.EndsEarly(subject, file.Length, 0);

    private static int SubBlocksEnd(ReadOnlySpan<byte> file, int at, string subject)
    {
        while (true)
        {
            var length = At(file, at, subject);
            at += length + 1;
            if (length == 0)
            {
                return at;
            }
        }
    }

    private static AnimationFrame FrameOf(
        ReadOnlyMemory<byte> memory, int head, int start, int end, ReadOnlyMemory<byte> control, string subject)
    {
        var image = memory.Span[start..];
        int left = BinaryPrimitives.ReadUInt16LittleEndian(image[1..]);
        int top = BinaryPrimitives.ReadUInt16LittleEndian(image[3..]);
        int width = BinaryPrimitives.ReadUInt16LittleEndian(image[5..]);
        int height = BinaryPrimitives.ReadUInt16LittleEndian(image[7..]);
        if (width == 0 || height == 0)
        {
            throw Refusal.Corrupt(subject, "a frame has no pixels");
        }

        var (hundredths, disposal) = (0, Disposal.Keep);
        if (!control.IsEmpty)
        {
            hundredths = BinaryPrimitives.ReadUInt16LittleEndian(control.Span[4..]);
            disposal = ((control.Span[3] >> 2) & 7) switch { 2 => Disposal.Clear, 3 => Disposal.Restore, _ => Disposal.Keep };
        }

        // Browsers show a frame without a delay, or with one of 10 ms, for 100 ms; files are made for them.
        var duration = TimeSpan.FromMilliseconds(hundredths <= 1 ? 100 : hundredths * 10);
        return new AnimationFrame(left, top, width, height, duration, disposal, Blends: true,
            new Lazy<byte[]>(() => Alone(memory.Span, head, start, end, control.Span)));
    }

    /// <summary>A GIF of one frame at the corner of a canvas of its own size.</summary>
    private static byte[] Alone(ReadOnlySpan<byte> file, int head, int start, int end, ReadOnlySpan<byte> control)
    {
        var alone = new MemoryStream(head + end - start + 16);
        alone.Write("GIF89a"u8);
        alone.Write(file[(start + 5)..(start + 9)]);   // its width and height
        alone.Write([file[10], 0, 0]);
        alone.Write(file[ScreenLength..head]);
        if (!control.IsEmpty && (control[3] & 1) != 0)
        {
            alone.Write([ExtensionBlock, ControlLabel, 4, 1, 0, 0, control[6], 0]);
        }

        alone.Write([ImageBlock, 0, 0, 0, 0]);
        alone.Write(file[(start + 5)..end]);
        alone.WriteByte(Trailer);
        return alone.ToArray();
    }
}
