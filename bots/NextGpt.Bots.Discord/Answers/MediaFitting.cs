using NextGpt.Media;

namespace NextGpt.Bots.Discord.Answers;

/// <summary>Makes a file small enough to be posted: pictures and clips fewer pixels, then fewer frames; sounds fewer samples.</summary>
internal sealed class MediaFitting(IMediaReader reader, IMediaWriter writer, TimeProvider time)
{
    private const int MostTries = 6;
    private const int LeastSide = 64;
    private const int LeastRateHz = 8_000;

    /// <summary>The file itself if it fits, else a smaller one that carries the same mark; null if it cannot be made to fit.</summary>
    /// <param name="file">What the model made.</param>
    /// <param name="mostBytes">Largest file.</param>
    /// <param name="modelId">For the mark of origin (AID-1).</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<MediaFile?> FitAsync(MediaFile file, long mostBytes, string modelId, CancellationToken cancellationToken)
    {
        if (file.Bytes.Length <= mostBytes)
        {
            return file;
        }

        try
        {
            var medium = (await reader.ReadAsync(file.Bytes, null, cancellationToken)).Medium;
            var mark = new GenerationMark(modelId, time.GetUtcNow());
            var bytes = (double)file.Bytes.Length;
            for (var tries = 0; tries < MostTries; tries++)
            {
                var share = Math.Min(0.8, mostBytes / bytes * 0.85);
                if (Smaller(medium, share) is not { } smaller)
                {
                    return null;
                }

                var written = await writer.WriteAsync(smaller, mark, cancellationToken);
                if (written.Bytes.Length <= mostBytes)
                {
                    return written;
                }

                (medium, bytes) = (smaller, written.Bytes.Length);
            }
        }
        catch (MediaException)
        {
            // Not even we can read it again; it is then too large to be posted.
        }

        return null;
    }

    /// <summary>The medium with about this share of its data; null if it would be too little to be worth showing.</summary>
    private static Medium? Smaller(Medium medium, double share) => medium switch
    {
        Picture picture => Smaller(picture, Math.Sqrt(share)),
        AudioClip { Channels.Count: > 1 } sound => sound.ToMono(),
        AudioClip sound => (int)(sound.SampleRateHz * share) is >= LeastRateHz and var rate ? sound.Resample(rate) : null,
        VideoClip clip when clip.Frames[0].Width * Math.Sqrt(share) >= LeastSide
            && clip.Frames[0].Height * Math.Sqrt(share) >= LeastSide => clip with
            {
                Frames = [.. clip.Frames.Select(frame => Smaller(frame, Math.Sqrt(share)) ?? frame)],
            },
        VideoClip { Frames.Count: > 2 } clip => clip with
        {
            Frames = [.. clip.Frames.Where((_, index) => index % 2 == 0)],
            FramesPerSecond = clip.FramesPerSecond / 2,
        },
        _ => null,
    };

    private static Picture? Smaller(Picture picture, double side)
    {
        var (width, height) = ((int)(picture.Width * side) & ~1, (int)(picture.Height * side) & ~1);   // even, as H.264 wants
        return width >= LeastSide && height >= LeastSide ? picture.Resize(width, height) : null;
    }
}
