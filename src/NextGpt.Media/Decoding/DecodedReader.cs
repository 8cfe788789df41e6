using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace NextGpt.Media.Decoding;

/// <summary>A refusal as a decoder told it.</summary>
internal sealed class RefusedException(MediaProblem problem, bool isWorn, string sentence) : Exception(sentence)
{
    public bool IsWorn => isWorn;

    public MediaException ToMediaException() => new(problem, Message);
}

/// <summary>Reads what a decoder makes of one file. Its words are distrusted: it may have been taken over by the file.</summary>
internal sealed class DecodedReader(Stream from, DecodeTask task)
{
    private const int LongestSentence = 2_000;
    private readonly List<Picture> _frames = [];
    private readonly List<float[]> _channels = [];
    private (int Width, int Height, double FramesPerSecond) _clip;
    private (int Width, int Height, byte[]? Pixels, int Filled) _picture;
    private (int RateHz, int Channels, int Length) _sound;
    private MediaFormat _format = MediaFormat.All[task.Format];
    private string? _notice;

    /// <exception cref="RefusedException">The file is refused.</exception>
    /// <exception cref="IOException">The decoder is gone.</exception>
    /// <exception cref="InvalidDataException">It speaks nonsense.</exception>
    public async Task<ReadMedium> ReadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var (kind, length) = await Message.ReadHeadAsync(from, cancellationToken);
            switch (kind)
            {
                case MessageKind.Failure:
                    var failure = await BodyAsync(length, LongestSentence, cancellationToken);
                    Demand(failure.Length > 2 && failure[0] <= (byte)MediaProblem.TooLong);
                    throw new RefusedException((MediaProblem)failure[0], failure[1] != 0, Sentence(failure.AsSpan(2)));
                case MessageKind.Picture:
                    BeginPicture(await BodyAsync(length, 8, cancellationToken));
                    break;
                case MessageKind.Clip:
                    BeginClip(await BodyAsync(length, 16, cancellationToken));
                    break;
                case MessageKind.Sound:
                    BeginSound(await BodyAsync(length, 12, cancellationToken));
                    break;
                case MessageKind.Pixels:
                    await PixelsAsync(length, cancellationToken);
                    break;
                case MessageKind.Again:
                    Demand(length == 0 && _frames.Count > 0 && _frames.Count < task.Limits.MaxClipFrames);
                    _frames.Add(_frames[^1]);
                    break;
                case MessageKind.Samples:
                    await SamplesAsync(length, cancellationToken);
                    break;
                case MessageKind.Format:
                    var format = (await BodyAsync(length, 1, cancellationToken))[0];
                    Demand(format < MediaFormat.All.Count);
                    _format = MediaFormat.All[format];
                    break;
                case MessageKind.Notice:
                    _notice = Sentence(await BodyAsync(length, LongestSentence, cancellationToken));
                    break;
                case MessageKind.End:
                    Demand(length == 0);
                    return new ReadMedium(Whole(), _format) { Notice = _notice };
                default:
                    throw new InvalidDataException($"A decoder does not say {kind}.");
            }
        }
    }

    private static void Demand(bool holds)
    {
        if (!holds)
        {
            throw new InvalidDataException("The decoder broke the rules of its messages.");
        }
    }

    private static string Sentence(ReadOnlySpan<byte> utf8) =>
        new([.. Encoding.UTF8.GetString(utf8).Where(letter => !char.IsControl(letter))]);

    private async Task<byte[]> BodyAsync(int length, int longest, CancellationToken cancellationToken)
    {
        Demand(length <= longest && length > 0);
        var body = new byte[length];
        await from.ReadExactlyAsync(body, cancellationToken);
        return body;
    }

    private void BeginPicture(ReadOnlySpan<byte> body)
    {
        Demand(body.Length == 8 && _picture.Pixels is null && _clip.Width == 0 && _sound.RateHz == 0);
        var (width, height) = (BinaryPrimitives.ReadInt32LittleEndian(body), BinaryPrimitives.ReadInt32LittleEndian(body[4..]));
        Demand(width >= 1 && height >= 1 && Math.Max(width, height) <= task.Limits.MaxSide
            && (long)width * height <= task.Limits.MaxMegapixels * 1_000_000L);
        _picture = (width, height, new byte[3L * width * height], 0);
    }

    private void BeginClip(ReadOnlySpan<byte> body)
    {
        Demand(body.Length == 16 && _picture.Pixels is null && _clip.Width == 0 && _sound.RateHz == 0);
        var (width, height) = (BinaryPrimitives.ReadInt32LittleEndian(body), BinaryPrimitives.ReadInt32LittleEndian(body[4..]));
        var pace = BinaryPrimitives.ReadDoubleLittleEndian(body[8..]);
        Demand(width >= 1 && height >= 1 && Math.Max(width, height) <= task.Limits.MaxClipSide
            && double.IsFinite(pace) && pace > 0);
        _clip = (width, height, pace);
    }

    private void BeginSound(ReadOnlySpan<byte> body)
    {
        Demand(body.Length == 12 && _picture.Pixels is null && _clip.Width == 0 && _sound.RateHz == 0);
        _sound = (BinaryPrimitives.ReadInt32LittleEndian(body), BinaryPrimitives.ReadInt32LittleEndian(body[4..]),
            BinaryPrimitives.ReadInt32LittleEndian(body[8..]));
        Demand(_sound.RateHz is >= WaveFile.LowestRateHz and <= WaveFile.HighestRateHz
            && _sound.Channels is >= 1 and <= WaveFile.MostChannels
            && _sound.Length >= 1 && _sound.Length <= task.Limits.MaxSound.TotalSeconds * _sound.RateHz + 1);
    }

    private async Task PixelsAsync(int length, CancellationToken cancellationToken)
    {
        if (_picture.Pixels is { } pixels)
        {
            Demand(length <= pixels.Length - _picture.Filled);
            await from.ReadExactlyAsync(pixels.AsMemory(_picture.Filled, length), cancellationToken);
            _picture.Filled += length;
            return;
        }

        Demand(_clip.Width > 0 && length == 3L * _clip.Width * _clip.Height && _frames.Count < task.Limits.MaxClipFrames
            && (_frames.Count + 1L) * length <= Math.Max(length, task.Limits.MaxClipMegabytes * 1024L * 1024));
        var frame = new byte[length];
        await from.ReadExactlyAsync(frame, cancellationToken);
        _frames.Add(new Picture(_clip.Width, _clip.Height, frame));
    }

    private async Task SamplesAsync(int length, CancellationToken cancellationToken)
    {
        Demand(_channels.Count < _sound.Channels && length == 4L * _sound.Length);
        var bytes = new byte[length];
        await from.ReadExactlyAsync(bytes, cancellationToken);
        var samples = new float[_sound.Length];
        bytes.CopyTo(MemoryMarshal.AsBytes(samples.AsSpan()));
        Demand(!samples.AsSpan().ContainsAnyExceptInRange(-1f, 1f));
        _channels.Add(samples);
    }

    private Medium Whole()
    {
        if (_picture.Pixels is { } pixels)
        {
            Demand(_picture.Filled == pixels.Length);
            return new Picture(_picture.Width, _picture.Height, pixels);
        }

        if (_clip.Width > 0)
        {
            Demand(_frames.Count > 0);
            return new VideoClip { Frames = _frames, FramesPerSecond = _clip.FramesPerSecond };
        }

        Demand(_sound.RateHz > 0 && _channels.Count == _sound.Channels);
        return new AudioClip { SampleRateHz = _sound.RateHz, Channels = _channels };
    }
}
