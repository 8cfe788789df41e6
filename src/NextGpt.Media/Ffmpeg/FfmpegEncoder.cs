using System.Globalization;

namespace NextGpt.Media.Ffmpeg;

/// <summary>Encodes clips of our own making as MP4.</summary>
internal static class FfmpegEncoder
{
    /// <summary>In the order of what most players show: H.264, then VP9, then MPEG-4 part 2.</summary>
    private static readonly string[][] Encoders =
    [
        ["libx264", "-preset", "medium", "-crf", "16", "-pix_fmt", "yuv420p"],
        ["libopenh264", "-b:v", "4M", "-pix_fmt", "yuv420p"],
        ["libvpx-vp9", "-crf", "20", "-b:v", "0", "-pix_fmt", "yuv420p"],
        ["mpeg4", "-q:v", "2", "-pix_fmt", "yuv420p"],
    ];

    private const string MemoryFolder = "/dev/shm";

    /// <returns>The file, or null where this ffmpeg has no encoder we know.</returns>
    /// <exception cref="MediaException">ffmpeg failed.</exception>
    public static async Task<byte[]?> EncodeAsync(
        FfmpegPrograms programs, VideoClip clip, GenerationMark? mark, CancellationToken cancellationToken)
    {
        var ffmpeg = programs.Ffmpeg ?? throw new InvalidOperationException("ffmpeg is not there.");
        return await programs.EncodersAsync() is { } names && Encoders.FirstOrDefault(encoder => names.Contains(encoder[0])) is { } chosen
            ? await Task.Run(() => Encode(ffmpeg, chosen, clip, mark, cancellationToken), cancellationToken)
            : null;
    }

    private static byte[] Encode(
        string ffmpeg, string[] encoder, VideoClip clip, GenerationMark? mark, CancellationToken cancellationToken)
    {
        var first = clip.Frames[0];
        var pace = clip.FramesPerSecond.ToString("0.######", CultureInfo.InvariantCulture);
        // An index at the front needs a target that can be gone back in. A folder in memory is one: nothing touches the disk.
        // Where there is none, the index is spread through the file (fragments), which a pipe can take.
        var folder = OperatingSystem.IsLinux() && Directory.Exists(MemoryFolder)
            ? Directory.CreateDirectory(
                Path.Combine(MemoryFolder, $"nextgpt-{Guid.NewGuid():N}"),
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute)
            : null;
        try
        {
            var target = folder is null ? "pipe:1" : Path.Combine(folder.FullName, "clip.mp4");
            List<string> arguments =
            [
                "-v", "error", "-nostdin", "-hide_banner", "-f", "rawvideo", "-pix_fmt", "rgb24",
                "-s", string.Create(CultureInfo.InvariantCulture, $"{first.Width}x{first.Height}"), "-framerate", pace, "-i", "pipe:0",
                // Both sides even, as the encoders ask; colours as BT.709, and said so.
                "-vf", "scale=trunc((iw+1)/2)*2:trunc((ih+1)/2)*2:flags=bicubic:out_color_matrix=bt709:out_range=tv",
                "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv",
                "-c:v", .. encoder, "-threads", "2", "-map_metadata", "-1", "-fflags", "+bitexact",
                .. mark is null ? Array.Empty<string>() : ["-metadata", $"comment={Marks.WaveMark.Information(mark)["ICMT"]}"],
                "-movflags", folder is null ? "frag_keyframe+empty_moov+default_base_moof" : "+faststart", "-f", "mp4", "-y", target,
            ];
            using var run = FfmpegRun.Start(ffmpeg, arguments, input =>
            {
                foreach (var frame in clip.Frames)
                {
                    input.Write(frame.Pixels);
                }
            });
            using var stop = cancellationToken.Register(run.Kill);
            var answer = new MemoryStream();
            run.Output.CopyTo(answer);
            var isGood = run.Finish();
            cancellationToken.ThrowIfCancellationRequested();
            if (!isGood)
            {
                throw new MediaException(
                    MediaProblem.Unsupported, "The clip could not be encoded: ffmpeg failed; ask again, or tell the operator.");
            }

            return folder is null ? answer.ToArray() : File.ReadAllBytes(target);
        }
        finally
        {
            folder?.Delete(recursive: true);
        }
    }
}
