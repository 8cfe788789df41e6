using System.Buffers.Binary;
using System.Text;
using NextGpt.Media.Decoding;

namespace NextGpt.Media;

/// <summary>RIFF WAVE files: reads PCM of 8 to 32 bits and float of 32 bits, writes PCM of 16 bits.</summary>
/// <remarks>
/// Every length in the file is distrusted: nothing is allocated before it was found to lie inside the file (THR-8).
/// Source of the layout: Multimedia Programming Interface and Data Specifications 1.0 (IBM and Microsoft, 1991).
/// </remarks>
public static class WaveFile
{
    private const ushort PcmTag = 1;
    private const ushort FloatTag = 3;
    private const ushort ExtensibleTag = 0xFFFE;

    /// <summary>Least samples a second of a sound that is read.</summary>
    internal const int LowestRateHz = 8_000;

    /// <summary>Most samples a second of a sound that is read.</summary>
    internal const int HighestRateHz = 96_000;

    /// <summary>Most channels of a sound that is read.</summary>
    internal const int MostChannels = 8;

    /// <summary>Decodes a file.</summary>
    /// <param name="file">The whole file.</param>
    /// <returns>0.2 to 120 s, 1 to 8 channels, 8 to 96 kHz, samples −1..1.</returns>
    /// <exception cref="MediaException">The file is none we read; the message says what to send instead.</exception>
    public static AudioClip Read(ReadOnlySpan<byte> file) =>
        Read(file, Refusal.Subject(null, MediaFormat.Wav), new MediaFileOptions());

    /// <summary>Decodes a file under other limits of length.</summary>
    internal static AudioClip Read(ReadOnlySpan<byte> file, string subject, MediaFileOptions limits)
    {
        var (format, data) = Examine(file, subject, limits);
        var samples = Deinterleave(data, format.Channels, format.Bits, format.Tag == FloatTag);
        return new AudioClip { SampleRateHz = format.RateHz, Channels = samples };
    }

    /// <summary>Looks at the header alone.</summary>
    /// <exception cref="MediaException">It is damaged, too long, or of an encoding that is not read.</exception>
    internal static void Check(ReadOnlySpan<byte> file, string subject, MediaFileOptions limits) =>
        Examine(file, subject, limits);

    private static Examined Examine(ReadOnlySpan<byte> file, string subject, MediaFileOptions limits)
    {
        if (MediaFormat.Sniff(file) != MediaFormat.Wav)
        {
            throw new MediaException(MediaProblem.Mismatch, "The bytes are not a WAV file; send the real sound.");
        }

        var format = Chunk(file, "fmt "u8, subject);
        var data = Chunk(file, "data"u8, subject);
        if (format.Length < 16)
        {
            throw Refusal.Corrupt(subject, "its format chunk has fewer than 16 bytes");
        }

        var tag = BinaryPrimitives.ReadUInt16LittleEndian(format);
        if (tag == ExtensibleTag && format.Length >= 26)
        {
            tag = BinaryPrimitives.ReadUInt16LittleEndian(format[24..]);   // first two bytes of the sub-format
        }

        int channels = BinaryPrimitives.ReadUInt16LittleEndian(format[2..]);
        var rate = BinaryPrimitives.ReadUInt32LittleEndian(format[4..]);
        int bits = BinaryPrimitives.ReadUInt16LittleEndian(format[14..]);
        CheckEncoding(tag, channels, rate, bits);
        var frame = channels * (bits / 8);
        var frames = data.Length / frame;
        Refusal.CheckSound(subject, TimeSpan.FromSeconds((double)frames / rate), limits);
        return new Examined(new Encoded(tag, channels, (int)rate, bits), data[..(frames * frame)]);
    }

    /// <summary>Encodes a clip as PCM of 16 bits; samples outside −1..1 are clipped.</summary>
    /// <param name="clip">The sound.</param>
    /// <param name="information">
    /// Entries of the INFO list by their four-letter keys (ISFT software, ICRD date, ICMT comment); none by default.
    /// </param>
    public static byte[] Write(AudioClip clip, IReadOnlyDictionary<string, string>? information = null)
    {
        var info = InformationList(information ?? new Dictionary<string, string>());
        var dataLength = checked(clip.Length * clip.Channels.Count * 2);
        var file = new byte[44 + info.Length + dataLength];
        var span = file.AsSpan();
        "RIFF"u8.CopyTo(span);
        BinaryPrimitives.WriteInt32LittleEndian(span[4..], file.Length - 8);
        "WAVEfmt "u8.CopyTo(span[8..]);
        BinaryPrimitives.WriteInt32LittleEndian(span[16..], 16);
        BinaryPrimitives.WriteUInt16LittleEndian(span[20..], PcmTag);
        BinaryPrimitives.WriteUInt16LittleEndian(span[22..], (ushort)clip.Channels.Count);
        BinaryPrimitives.WriteInt32LittleEndian(span[24..], clip.SampleRateHz);
        BinaryPrimitives.WriteInt32LittleEndian(span[28..], clip.SampleRateHz * clip.Channels.Count * 2);
        BinaryPrimitives.WriteUInt16LittleEndian(span[32..], (ushort)(clip.Channels.Count * 2));
        BinaryPrimitives.WriteUInt16LittleEndian(span[34..], 16);
        info.CopyTo(span[36..]);
        var data = span[(36 + info.Length)..];
        "data"u8.CopyTo(data);
        BinaryPrimitives.WriteInt32LittleEndian(data[4..], dataLength);
        data = data[8..];
        for (var i = 0; i < clip.Length; i++)
        {
            foreach (var channel in clip.Channels)
            {
                var level = Math.Clamp(channel[i], -1f, 1f) * short.MaxValue;
                BinaryPrimitives.WriteInt16LittleEndian(data, (short)MathF.Round(level));
                data = data[2..];
            }
        }

        return file;
    }

    private static ReadOnlySpan<byte> Chunk(ReadOnlySpan<byte> file, ReadOnlySpan<byte> name, string subject)
    {
        var rest = file[12..];
        while (rest.Length >= 8)
        {
            var length = BinaryPrimitives.ReadUInt32LittleEndian(rest[4..]);
            var isWanted = rest[..4].SequenceEqual(name);
            rest = rest[8..];
            if (length > rest.Length)
            {
                // A streamed file has 0xFFFFFFFF (or 0x7FFFFFFF...) here: its data runs to the end of the file.
                return isWanted && name.SequenceEqual("data"u8) && length >= 0x7FFF_0000
                    ? rest
                    : throw Refusal.EndsEarly(subject, file.Length, file.Length - rest.Length + (long)length);
            }

            if (isWanted)
            {
                return rest[..(int)length];
            }

            rest = rest[(int)Math.Min(rest.Length, length + (length & 1))..];
        }

        throw Refusal.Corrupt(subject, $"it has no \"{Encoding.ASCII.GetString(name)}\" chunk");
    }

    private static void CheckEncoding(ushort tag, int channels, uint rate, int bits)
    {
        var readable = (tag == PcmTag && bits is 8 or 16 or 24 or 32) || (tag == FloatTag && bits == 32);
        if (!readable)
        {
            throw new MediaException(MediaProblem.Unsupported,
                $"WAV encoding {tag} with {bits} bits is not supported; send PCM of 8, 16, 24 or 32 bits, or float of 32.");
        }

        if (channels is < 1 or > MostChannels || rate is < LowestRateHz or > HighestRateHz)
        {
            throw new MediaException(MediaProblem.Unsupported,
                $"The sound has {channels} channels at {rate} Hz; 1 to 8 channels at 8,000 to 96,000 Hz are supported.");
        }
    }

    private static float[][] Deinterleave(ReadOnlySpan<byte> data, int channels, int bits, bool isFloat)
    {
        var size = bits / 8;
        var result = new float[channels][];
        for (var c = 0; c < channels; c++)
        {
            var samples = result[c] = new float[data.Length / size / channels];
            for (var i = 0; i < samples.Length; i++)
            {
                samples[i] = Sample(data[(((i * channels) + c) * size)..], bits, isFloat);
            }
        }

        return result;
    }

    private static float Sample(ReadOnlySpan<byte> at, int bits, bool isFloat) => (bits, isFloat) switch
    {
        (8, _) => (at[0] - 128) / 128f,
        (16, _) => BinaryPrimitives.ReadInt16LittleEndian(at) / 32_768f,
        (24, _) => ((at[0] << 8) | (at[1] << 16) | (at[2] << 24)) / 2_147_483_648f,
        (_, false) => BinaryPrimitives.ReadInt32LittleEndian(at) / 2_147_483_648f,
        _ => Finite(BinaryPrimitives.ReadSingleLittleEndian(at)),
    };

    private static float Finite(float sample) => float.IsFinite(sample) ? Math.Clamp(sample, -1f, 1f) : 0f;

    internal static byte[] InformationList(IReadOnlyDictionary<string, string> information)
    {
        if (information.Count == 0)
        {
            return [];
        }

        using var list = new MemoryStream();
        list.Write("LIST\0\0\0\0INFO"u8);
        Span<byte> length = stackalloc byte[4];
        foreach (var (key, value) in information)
        {
            if (key.Length != 4 || !key.All(char.IsAsciiLetterOrDigit))
            {
                throw new ArgumentException($"\"{key}\" is not a four-letter INFO key.", nameof(information));
            }

            var text = Encoding.ASCII.GetBytes(value + '\0');
            list.Write(Encoding.ASCII.GetBytes(key));
            BinaryPrimitives.WriteInt32LittleEndian(length, text.Length);
            list.Write(length);
            list.Write(text);
            if (text.Length % 2 == 1)
            {
                list.WriteByte(0);
            }
        }

        var bytes = list.ToArray();
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), bytes.Length - 8);
        return bytes;
    }

    /// <summary>How samples are stored.</summary>
    private readonly record struct Encoded(ushort Tag, int Channels, int RateHz, int Bits);

    /// <summary>A header that was found good, and where its samples lie.</summary>
    private readonly ref struct Examined(Encoded format, ReadOnlySpan<byte> data)
    {
        private readonly ReadOnlySpan<byte> _data = data;

        public void Deconstruct(out Encoded encoded, out ReadOnlySpan<byte> samples)
        {
            encoded = format;
            samples = _data;
        }
    }
}
