using NextGpt.Media.Ffmpeg;
using NextGpt.Media.Marks;
using NextGpt.Media.Pictures;

namespace NextGpt.Media;

/// <summary>Encodes what the model made; these pixels and samples are our own, so no process of its own is needed.</summary>
internal sealed class MediaWriter(FfmpegPrograms ffmpeg) : IMediaWriter
{
    public async Task<MediaFile> WriteAsync(
        Medium medium, GenerationMark? mark, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(medium);
        cancellationToken.ThrowIfCancellationRequested();
        switch (medium)
        {
            case Picture picture:
                var png = await Task.Run(() => PictureCodec.EncodePng(picture), cancellationToken);
                return new MediaFile(Marked(png, mark), MediaFormat.Png);
            case AudioClip sound:
                return new MediaFile(WaveFile.Write(sound, mark is null ? null : WaveMark.Information(mark)), MediaFormat.Wav);
            case VideoClip clip:
                return await ClipAsync(clip, mark, cancellationToken);
            default:
                throw new ArgumentException($"{medium.GetType().Name} is no picture, sound or clip.", nameof(medium));
        }
    }

    /// <summary>Encodes a clip as an animated WebP or GIF, whether ffmpeg is there or not.</summary>
    internal static async Task<MediaFile> AnimationAsync(
        VideoClip clip, MediaFormat format, GenerationMark? mark, CancellationToken cancellationToken)
    {
        var file = await Task.Run(() => PictureCodec.EncodeAnimation(clip, format), cancellationToken);
        return new MediaFile(Marked(file, mark), format) { Kind = MediaKind.Video };
    }

    private async Task<MediaFile> ClipAsync(VideoClip clip, GenerationMark? mark, CancellationToken cancellationToken)
    {
        CheckFrames(clip);
        return ffmpeg.AreThere && await FfmpegEncoder.EncodeAsync(ffmpeg, clip, mark, cancellationToken) is { } mp4
            ? new MediaFile(Marked(mp4, mark), MediaFormat.Mp4)
            : await AnimationAsync(clip, MediaFormat.WebP, mark, cancellationToken);
    }

    private static byte[] Marked(byte[] file, GenerationMark? mark) => mark is null ? file : MediaMarks.Add(file, mark);

    private static void CheckFrames(VideoClip clip)
    {
        if (clip.Frames.Count == 0 || !(clip.FramesPerSecond > 0) || !double.IsFinite(clip.FramesPerSecond)
            || clip.Frames.Any(frame => frame.Width != clip.Frames[0].Width || frame.Height != clip.Frames[0].Height))
        {
            throw new ArgumentException(
                "A clip needs at least one frame, all of one size, and a pace above 0.", nameof(clip));
        }
    }
}
