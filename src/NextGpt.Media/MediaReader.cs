using System.IO.Pipelines;
using NextGpt.Media.Decoding;
using NextGpt.Media.Ffmpeg;

namespace NextGpt.Media;

/// <summary>Looks at headers here, has everything else done by a decoding process.</summary>
internal sealed class MediaReader : IMediaReader, IDisposable
{
    private const string KnownFormats = "PNG, JPEG, WebP or GIF, WAV, MP3, OGG, FLAC or M4A, MP4 or WebM";
    private readonly MediaFileOptions _options;
    private readonly FfmpegPrograms _ffmpeg;
    private readonly DecoderPool? _pool;

    /// <param name="options">The limits.</param>
    /// <param name="ffmpeg">Where ffmpeg is.</param>
    /// <param name="command">How a decoding process is started; null decodes in this process, without its limits.</param>
    public MediaReader(MediaFileOptions options, FfmpegPrograms ffmpeg, MediaChildCommand? command)
    {
        _options = options;
        _ffmpeg = ffmpeg;
        _pool = command is null ? null : new DecoderPool(command, options);
    }

    public Task<ReadMedium> ReadAsync(
        ReadOnlyMemory<byte> bytes, string? name = null, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var format = Check(bytes, name);
        var task = new DecodeTask
        {
            Format = IndexOf(format),
            Subject = Refusal.Subject(name, format),
            Limits = _options,
            Ffmpeg = _ffmpeg.Ffmpeg,
            Ffprobe = _ffmpeg.Ffprobe,
        };
        return _pool is null
            ? DecodeHereAsync(task, bytes, cancellationToken)
            : _pool.DecodeAsync(task, bytes, cancellationToken);
    }

    /// <summary>Has a decoding process try what it must not be able to do; one word each, for example <c>socket:refused</c>.</summary>
    internal async Task<string> ProbeAsync(CancellationToken cancellationToken = default)
    {
        var pool = _pool ?? throw new InvalidOperationException("Files are decoded in this process.");
        return await pool.ProbeAsync(cancellationToken);
    }

    /// <summary>The number of a decoder that waits for work, or null; for tests.</summary>
    internal int? IdleDecoder => _pool?.Idle;

    public void Dispose() => _pool?.Dispose();

    /// <summary>What can be said without decoding; throws what the file is refused for.</summary>
    private MediaFormat Check(ReadOnlyMemory<byte> bytes, string? name)
    {
        if (bytes.Length > _options.MaxFileBytes)
        {
            throw new MediaException(MediaProblem.TooManyBytes, FormattableString.Invariant(
                $"{Refusal.Subject(name, null)} has {bytes.Length / 1048576.0:0.#} MiB, the limit is {_options.MaxFileMegabytes}; send a smaller one."));
        }

        if (MediaFormat.Sniff(bytes.Span) is not { } format)
        {
            throw bytes.IsEmpty
                ? new MediaException(MediaProblem.Corrupt, $"{Refusal.Subject(name, null)} is empty; upload it again.")
                : Refusal.Unsupported(DeclaredType.Describe(bytes.Span), KnownFormats);
        }

        var subject = Refusal.Subject(name, format);
        if (format.Kind == MediaKind.Image)
        {
            PictureDecoder.Check(format, bytes, subject, _options);
        }
        else if (format == MediaFormat.Wav)
        {
            WaveFile.Check(bytes.Span, subject, _options);
        }
        else if (!_ffmpeg.AreThere)
        {
            throw Refusal.Unsupported(
                $"{format.Extension.ToUpperInvariant()} (ffmpeg is not installed here)",
                format.Kind == MediaKind.Audio ? "WAV" : "an animated WebP or GIF");
        }

        return format;
    }

    private static int IndexOf(MediaFormat format)
    {
        for (var i = 0; i < MediaFormat.All.Count; i++)
        {
            if (MediaFormat.All[i] == format)
            {
                return i;
            }
        }

        throw new InvalidOperationException($"{format.MediaType} is not in the list of formats.");
    }

    private static async Task<ReadMedium> DecodeHereAsync(
        DecodeTask task, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        var pipe = new Pipe();
        var decoding = Task.Run(
            () =>
            {
                using var output = pipe.Writer.AsStream();
                MediaChild.Answer(task, bytes, output);
            },
            CancellationToken.None);
        try
        {
            return await new DecodedReader(pipe.Reader.AsStream(), task).ReadAsync(cancellationToken);
        }
        catch (RefusedException refused)
        {
            throw refused.ToMediaException();
        }
        catch (Exception lost) when (lost is IOException or InvalidDataException)
        {
            throw Refusal.Corrupt(task.Subject, "it cannot be decoded");
        }
        finally
        {
            await pipe.Reader.CompleteAsync();
            await decoding.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }
    }
}
