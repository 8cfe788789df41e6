using System.Net.Sockets;
using System.Text;
using NextGpt.Media.Ffmpeg;
using NextGpt.Media.Pictures;

namespace NextGpt.Media;

/// <summary>The inside of a decoding process: what a program runs when it was started only to decode files (THR-7, THR-8).</summary>
/// <remarks>
/// A program that wants its files decoded in processes of their own calls <see cref="RunAsync"/> as the first thing of its
/// life when it finds <see cref="Verb"/> as its only argument, and registers
/// <see cref="MediaChildCommand.Of"/> itself.
/// </remarks>
public static class MediaChild
{
    /// <summary>The argument that says a program was started to decode.</summary>
    public const string Verb = "decode-media";

    /// <summary>Name of the environment variable with the memory a decoding process may use, in MiB.</summary>
    internal const string MegabytesVariable = "NEXTGPT_DECODER_MEGABYTES";

    /// <summary>Gives up the rights that decoding does not need, then decodes files until the input ends.</summary>
    /// <param name="input">Tasks and files, from the parent.</param>
    /// <param name="output">Decoded media, to the parent.</param>
    /// <returns>The exit code.</returns>
    public static Task<int> RunAsync(Stream input, Stream output)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(output);
        var megabytes = int.TryParse(Environment.GetEnvironmentVariable(MegabytesVariable), out var set)
            ? set
            : new MediaFileOptions().DecoderMegabytes;
        var confinement = Decoding.Sandbox.Enter(megabytes);
        using var buffered = new BufferedStream(output, 64 * 1024);
        Decoding.Message.Write(buffered, Decoding.MessageKind.Hello, confinement.ToBytes());
        buffered.Flush();
        PictureCodec.WarmUp();   // while nobody waits
        var isFirst = true;
        try
        {
            while (ServeOne(input, buffered, ref isFirst))
            {
                buffered.Flush();
            }

            return Task.FromResult(0);
        }
        catch (Exception gone) when (gone is IOException or InvalidDataException)
        {
            return Task.FromResult(1);   // the parent is gone, or speaks nonsense: nobody is left to tell
        }
    }

    /// <summary>Decodes one file, in this process.</summary>
    internal static bool ServeOne(Stream input, Stream output, ref bool isFirst)
    {
        var task = Decoding.Message.Read(input, Decoding.MessageKind.Task, Decoding.DecodeTask.LongestBytes);
        if (task is null)
        {
            return false;
        }

        var decodeTask = Decoding.DecodeTask.FromJson(task);
        var file = Decoding.Message.Read(input, Decoding.MessageKind.File, decodeTask.Limits.MaxFileBytes);
        if (file is null)
        {
            return false;
        }

        if (isFirst)
        {
            PictureCodec.Confine(decodeTask.Limits);
            isFirst = false;
        }

        Answer(decodeTask, file, output);
        return true;
    }

    /// <summary>Decodes one file in this process and writes what a decoding process would answer.</summary>
    internal static void Answer(Decoding.DecodeTask task, ReadOnlyMemory<byte> file, Stream output)
    {
        try
        {
            if (task.Probe)
            {
                Decoding.Message.Write(output, Decoding.MessageKind.Notice, Encoding.UTF8.GetBytes(Probe()));
            }
            else
            {
                Decode(task, file, output);
            }

            Decoding.Message.Write(output, Decoding.MessageKind.End, ReadOnlySpan<byte>.Empty);
        }
        catch (MediaException refused)
        {
            // Headers were found good before the file came here, so it is the codec that failed, in this process's memory.
            var isWorn = refused.Problem == MediaProblem.Corrupt && MediaFormat.All[task.Format].Kind == MediaKind.Image;
            Fail(output, refused.Problem, isWorn, refused.Message);
        }
        catch (Exception failed) when (failed is OutOfMemoryException or OverflowException or ArgumentException
            or InvalidOperationException or IndexOutOfRangeException or ImageMagick.MagickException)
        {
            var why = failed is OutOfMemoryException ? "decoding it takes more memory than is allowed" : "it cannot be decoded";
            Fail(output, MediaProblem.Corrupt, isWorn: true, Decoding.Refusal.Corrupt(task.Subject, why).Message);
        }
    }

    private static void Decode(Decoding.DecodeTask task, ReadOnlyMemory<byte> file, Stream output)
    {
        var format = MediaFormat.All[task.Format];
        if (format.Kind == MediaKind.Image)
        {
            Decoding.PictureDecoder.Decode(format, file, task, output);
        }
        else if (format == MediaFormat.Wav)
        {
            Decoding.SoundDecoder.DecodeWave(file.Span, task, output);
        }
        else
        {
            new FfmpegDecoder(task, output).Decode(format, file);
        }
    }

    private static void Fail(Stream output, MediaProblem problem, bool isWorn, string sentence) => Decoding.Message.Write(
        output, Decoding.MessageKind.Failure, [(byte)problem, isWorn ? (byte)1 : (byte)0, .. Encoding.UTF8.GetBytes(sentence)]);

    /// <summary>Tries what a decoder must not be able to do, and says what happened, one word each.</summary>
    private static string Probe()
    {
        var words = new List<string>();
        Try("socket", static () =>
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        });
        Try("memory", static () =>
        {
            var held = new List<nint>();
            try
            {
                for (var i = 0; i < 64; i++)   // 4 GiB in pieces, each written to
                {
                    var block = System.Runtime.InteropServices.Marshal.AllocHGlobal(64 << 20);
                    held.Add(block);
                    unsafe
                    {
                        new Span<byte>((void*)block, 64 << 20).Fill(1);
                    }
                }
            }
            finally
            {
                held.ForEach(System.Runtime.InteropServices.Marshal.FreeHGlobal);
            }
        });
        // Writing past the limit ends a program unless it ignores the signal; here only whether the limit stands is asked.
        words.Add(Decoding.Sandbox.MayWriteFiles() ? "file:allowed" : "file:refused");
        words.Add(PictureCodec.RefusesOtherCoders() ? "coder:refused" : "coder:allowed");
        words.Add(Environment.GetEnvironmentVariable("NEXTGPT_SECRET_PROBE") is null ? "secret:hidden" : "secret:seen");
        return string.Join(' ', words);

        void Try(string name, Action action)
        {
            try
            {
                action();
                words.Add($"{name}:allowed");
            }
            catch (Exception refused) when (refused is SocketException or OutOfMemoryException or UnauthorizedAccessException)
            {
                words.Add($"{name}:refused");
            }
        }
    }
}
