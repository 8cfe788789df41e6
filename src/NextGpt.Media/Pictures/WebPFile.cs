using System.Buffers.Binary;
using NextGpt.Media.Decoding;

namespace NextGpt.Media.Pictures;

/// <summary>The chunks of a WebP file, read without decoding; RFC 9649.</summary>
internal static class WebPFile
{
    private const int HeadLength = 12;
    private const int AnimationHeadLength = 16;
    private const int MostFrames = 10_000;
    private const byte AlphaFlag = 0x10;

    /// <summary>Canvas and frames, each found to lie inside the file.</summary>
    /// <exception cref="MediaException">It is damaged.</exception>
    public static Animation Inspect(ReadOnlyMemory<byte> memory, string subject)
    {
        var announced = BinaryPrimitives.ReadUInt32LittleEndian(memory.Span[4..]) + 8L;
        if (announced > memory.Length)
        {
            throw Refusal.EndsEarly(subject, memory.Length, announced);
        }

        memory = memory[..(int)announced];   // what follows the end is not part of the picture
        PictureHeader? canvas = null;
        var still = new Bitstream();
        var frames = new List<AnimationFrame>();
        var orientation = 1;
        for (var at = HeadLength; memory.Length - at >= 8;)
        {
            var (type, body, next) = ChunkAt(memory, at, subject);
            at = next;
            if (type.SequenceEqual("VP8X"u8) && canvas is null)
            {
                canvas = body.Length >= 10
                    ? new PictureHeader(UInt24(body.Span[4..]) + 1, UInt24(body.Span[7..]) + 1, 1)
                    : throw Refusal.Corrupt(subject, "its header is too short");
            }
            else if (type.SequenceEqual("ANMF"u8))
            {
                frames.Add(FrameOf(body, subject));
                if (frames.Count > MostFrames)
                {
                    throw new MediaException(
                        MediaProblem.TooLong, $"{subject} has more than {MostFrames} frames; send a part of it.");
                }
            }
            else if (type.SequenceEqual("EXIF"u8))
            {
                var exif = body.Span;
                orientation = ExifOrientation.Read(exif.StartsWith("Exif\0\0"u8) ? exif[6..] : exif);
            }
            else
            {
                still.Take(type, body, subject);
            }
        }

        if (frames.Count > 0)
        {
            return canvas is { } size ? new Animation(size, frames) : throw Refusal.Corrupt(subject, "it has frames but no canvas");
        }

        var (width, height) = still.Size(subject);
        if (canvas is { } stated && (stated.Width, stated.Height) != (width, height))
        {
            throw Refusal.Corrupt(subject, "its header and its pixels are of different sizes");
        }

        return new Animation(
            new PictureHeader(width, height, orientation),
            [new AnimationFrame(0, 0, width, height, TimeSpan.FromSeconds(1), Disposal.Keep, Blends: false, still.Alone())]);
    }

    private static int UInt24(ReadOnlySpan<byte> at) => at[0] | (at[1] << 8) | (at[2] << 16);

    private static Chunk ChunkAt(ReadOnlyMemory<byte> memory, int at, string subject)
    {
        var length = BinaryPrimitives.ReadUInt32LittleEndian(memory.Span[(at + 4)..]);
        var end = at + 8L + length;
        return end > memory.Length
            ? throw Refusal.Corrupt(subject, "a chunk says it is longer than the file")
            : new Chunk(memory.Span.Slice(at, 4), memory[(at + 8)..(int)end], (int)Math.Min(memory.Length, end + (length & 1)));
    }

    private static AnimationFrame FrameOf(ReadOnlyMemory<byte> body, string subject)
    {
        if (body.Length < AnimationHeadLength)
        {
            throw Refusal.Corrupt(subject, "a frame is too short");
        }

        var head = body.Span;
        var (width, height) = (UInt24(head[6..]) + 1, UInt24(head[9..]) + 1);
        var bitstream = new Bitstream();
        for (var at = AnimationHeadLength; body.Length - at >= 8;)
        {
            var (type, part, next) = ChunkAt(body, at, subject);
            at = next;
            bitstream.Take(type, part, subject);
        }

        if (bitstream.Size(subject) != (width, height))
        {
            throw Refusal.Corrupt(subject, "a frame's header and its pixels are of different sizes");
        }

        var milliseconds = UInt24(head[12..]);
        return new AnimationFrame(
            UInt24(head) * 2, UInt24(head[3..]) * 2, width, height,
            TimeSpan.FromMilliseconds(milliseconds <= 10 ? 100 : milliseconds),   // as browsers show it
            (head[15] & 1) != 0 ? Disposal.Clear : Disposal.Keep,
            Blends: (head[15] & 2) == 0, bitstream.Alone());
    }

    private readonly ref struct Chunk(ReadOnlySpan<byte> type, ReadOnlyMemory<byte> body, int next)
    {
        private readonly ReadOnlySpan<byte> _type = type;

        public void Deconstruct(out ReadOnlySpan<byte> type, out ReadOnlyMemory<byte> part, out int end)
        {
            type = _type;
            part = body;
            end = next;
        }
    }

    /// <summary>The compressed pixels of one picture: VP8 with or without an alpha chunk, or VP8L.</summary>
    private sealed class Bitstream
    {
        private ReadOnlyMemory<byte> _alpha;
        private ReadOnlyMemory<byte> _lossy;
        private ReadOnlyMemory<byte> _lossless;

        public void Take(ReadOnlySpan<byte> type, ReadOnlyMemory<byte> body, string subject)
        {
            var isPixels = type.SequenceEqual("VP8 "u8) || type.SequenceEqual("VP8L"u8);
            if (isPixels && !(_lossy.IsEmpty && _lossless.IsEmpty))
            {
                throw Refusal.Corrupt(subject, "it holds two pictures in the place of one");
            }

            if (type.SequenceEqual("VP8 "u8))
            {
                _lossy = body;
            }
            else if (type.SequenceEqual("VP8L"u8))
            {
                _lossless = body;
            }
            else if (type.SequenceEqual("ALPH"u8))
            {
                _alpha = body;
            }
        }

        public (int Width, int Height) Size(string subject)
        {
            if (_lossy.Span is [_, _, _, 0x9D, 0x01, 0x2A, _, _, _, _, ..] lossy)
            {
                return (BinaryPrimitives.ReadUInt16LittleEndian(lossy[6..]) & 0x3FFF,
                    BinaryPrimitives.ReadUInt16LittleEndian(lossy[8..]) & 0x3FFF);
            }

            if (_lossless.Span is [0x2F, _, _, _, _, ..] lossless)
            {
                var bits = BinaryPrimitives.ReadUInt32LittleEndian(lossless[1..]);
                return ((int)(bits & 0x3FFF) + 1, (int)((bits >> 14) & 0x3FFF) + 1);
            }

            throw Refusal.Corrupt(subject, "it has no pixels");
        }

        /// <summary>The picture alone as a file.</summary>
        public Lazy<byte[]> Alone() => new(() =>
        {
            var file = new MemoryStream(_lossy.Length + _lossless.Length + _alpha.Length + 48);
            file.Write("RIFF\0\0\0\0WEBP"u8);
            if (!_alpha.IsEmpty && _lossless.IsEmpty)
            {
                var (width, height) = Size("");
                Span<byte> header = stackalloc byte[10];
                header.Clear();
                header[0] = AlphaFlag;
                BinaryPrimitives.WriteInt32LittleEndian(header[4..], width - 1);
                BinaryPrimitives.WriteUInt16LittleEndian(header[7..], (ushort)(height - 1));
                Write(file, "VP8X"u8, header);
                Write(file, "ALPH"u8, _alpha.Span);
            }

            Write(file, _lossless.IsEmpty ? "VP8 "u8 : "VP8L"u8, (_lossless.IsEmpty ? _lossy : _lossless).Span);
            var bytes = file.ToArray();
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), bytes.Length - 8);
            return bytes;
        });

        private static void Write(MemoryStream file, ReadOnlySpan<byte> type, ReadOnlySpan<byte> body)
        {
            Span<byte> length = stackalloc byte[4];
            BinaryPrimitives.WriteInt32LittleEndian(length, body.Length);
            file.Write(type);
            file.Write(length);
            file.Write(body);
            if (body.Length % 2 == 1)
            {
                file.WriteByte(0);
            }
        }
    }
}
