using System.Runtime.InteropServices;
using NextGpt.Media;
using static TorchSharp.torch;

namespace NextGpt.Model.Encoders;

/// <summary>Turns decoded media into what <see cref="ImageBind"/> takes. Immutable and thread-safe.</summary>
/// <remarks>
/// All sizes are those of the encoder's configuration. Numerically equal to ImageBind's own preparation, whose steps come from
/// torchvision and Pillow (pictures), torchaudio (sounds) and pytorchvideo (clips).
/// </remarks>
public sealed class MediaPreparation
{
    private readonly ImageBindConfig _config;
    private readonly KaldiFilterbank? _filterbank;
    private readonly float[] _levels = [];

    /// <summary>Prepares the tables.</summary>
    /// <param name="config">The encoder's.</param>
    /// <exception cref="ArgumentException">Numbers that make no encoder; the message says which.</exception>
    public MediaPreparation(ImageBindConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Check();
        _config = config;
        if (config.Audio is { } audio)
        {
            _filterbank = new KaldiFilterbank(audio.SampleRateHz, audio.MelBins);
        }

        if (config.Vision is { } vision)
        {
            _levels = Levels(vision);
        }
    }

    /// <summary>A medium as a batch of one.</summary>
    /// <param name="medium">A picture, a sound or a clip.</param>
    /// <param name="device">Where the tensor shall lie; null is the CPU.</param>
    /// <returns>
    /// float32, owned by the caller's dispose scope. Picture: [1, 3, height, width]. Sound: [1, clips, 1, mels, frames]. Clip:
    /// [1, clips · crops, 3, frames, height, width], the crops of one piece side by side.
    /// </returns>
    /// <exception cref="ArgumentException">The encoder has no tower for it, or the medium is empty.</exception>
    public Tensor Prepare(Medium medium, Device? device = null) => medium switch
    {
        Picture picture => Prepare(picture, device),
        AudioClip sound => Prepare(sound, device),
        VideoClip clip => Prepare(clip, device),
        null => throw new ArgumentNullException(nameof(medium)),
        _ => throw new ArgumentException($"{medium.GetType().Name} is no picture, sound or clip.", nameof(medium)),
    };

    /// <summary>A picture: its shorter side scaled to the view's size (bicubic), the middle square, normalised colours.</summary>
    /// <param name="picture">Of any size.</param>
    /// <param name="device">Where the tensor shall lie; null is the CPU.</param>
    /// <returns>[1, 3, height, width] float32, owned by the caller's dispose scope.</returns>
    /// <exception cref="ArgumentException">The encoder has no tower for pictures.</exception>
    public Tensor Prepare(Picture picture, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(picture);
        var size = Vision().ImageSize;
        var crop = BicubicCrop.Of(picture, size);
        var result = empty([1, 3, size, size], ScalarType.Float32);
        var values = MemoryMarshal.Cast<byte, float>(result.bytes);
        var plane = size * size;
        var red = values[..plane];
        var green = values.Slice(plane, plane);
        var blue = values.Slice(2 * plane, plane);
        var levels = _levels.AsSpan(0, 3 * 256);
        for (int pixel = 0, at = 0; pixel < plane; pixel++, at += 3)
        {
            red[pixel] = levels[crop[at]];
            green[pixel] = levels[256 + crop[at + 1]];
            blue[pixel] = levels[512 + crop[at + 2]];
        }

        return Placed(result, device);
    }

    /// <summary>A sound: evenly spaced pieces as spectrograms (logarithm of mel bands), padded or cut, normalised.</summary>
    /// <remarks>
    /// Of a piece the mean over all channels is subtracted and the first channel is heard, as the reference does. A piece
    /// that is shorter than asked for is padded with zeros after the logarithm; a sound under 25 ms is padding alone.
    /// </remarks>
    /// <param name="sound">At any sample rate, with any number of channels.</param>
    /// <param name="device">Where the tensor shall lie; null is the CPU.</param>
    /// <returns>[1, clips, 1, mels, frames] float32, owned by the caller's dispose scope.</returns>
    /// <exception cref="ArgumentException">The encoder has no tower for sounds, or the sound has no sample.</exception>
    public Tensor Prepare(AudioClip sound, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(sound);
        if (_config.Audio is not { } audio || _filterbank is null)
        {
            throw new ArgumentException("This encoder has no tower for sounds; use a checkpoint that has one.");
        }

        if (sound.Channels.Count == 0 || sound.Length == 0)
        {
            throw new ArgumentException("The sound has no sample; send one that lasts a moment.", nameof(sound));
        }

        sound = sound.Resample(audio.SampleRateHz);
        var result = empty([1, audio.ClipsPerSound, 1, audio.MelBins, audio.TargetFrames], ScalarType.Float32);
        var values = MemoryMarshal.Cast<byte, float>(result.bytes);
        var size = audio.MelBins * audio.TargetFrames;
        var (piece, previous) = (0, -1);
        foreach (var start in ClipTimes.Starts(sound.Length / (double)audio.SampleRateHz, audio.ClipSeconds, audio.ClipsPerSound))
        {
            var from = ClipTimes.Place(start, audio.SampleRateHz);
            var to = Math.Min(sound.Length, ClipTimes.Place(start + audio.ClipSeconds, audio.SampleRateHz));
            var target = values.Slice(piece * size, size);
            if (from == previous)
            {
                values.Slice((piece - 1) * size, size).CopyTo(target);   // a short sound is heard the same several times
            }
            else
            {
                _filterbank.Spectrogram(sound.Channels[0].AsSpan(from, to - from), Mean(sound.Channels, from, to), target, audio.TargetFrames);
                foreach (ref var value in target)
                {
                    value = (value - audio.Mean) / audio.Deviation;
                }
            }

            previous = from;
            piece++;
        }

        return Placed(result, device);
    }

    /// <summary>
    /// A clip: evenly spaced pieces, from each its frames evenly, the shorter side scaled to the view's size (bilinear), squares
    /// along the longer side, normalised colours.
    /// </summary>
    /// <param name="clip">At any pace, of any size.</param>
    /// <param name="device">Where the tensor shall lie; null is the CPU.</param>
    /// <returns>[1, clips · crops, 3, frames, height, width] float32, owned by the caller's dispose scope.</returns>
    /// <exception cref="ArgumentException">The encoder has no tower for clips, or the clip has no frame.</exception>
    public Tensor Prepare(VideoClip clip, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(clip);
        var vision = Vision();
        if (clip.Frames.Count == 0)
        {
            throw new ArgumentException("The clip has no frame; send one that lasts a moment.", nameof(clip));
        }

        var (size, frames, crops) = (vision.ImageSize, vision.FramesPerClip, vision.CropsPerClip);
        var result = empty([1, vision.ClipsPerVideo * crops, 3, frames, size, size], ScalarType.Float32);
        var values = MemoryMarshal.Cast<byte, float>(result.bytes);
        var scaling = new BilinearCrops(clip.Frames[0], size, crops, vision.Mean, vision.Deviation);
        var piece = 0;
        foreach (var start in ClipTimes.Starts(clip.Frames.Count / clip.FramesPerSecond, vision.ClipSeconds, vision.ClipsPerVideo))
        {
            var (first, count) = ClipTimes.Frames(start, vision.ClipSeconds, clip.FramesPerSecond, clip.Frames.Count);
            var chosen = ClipTimes.Evenly(count, frames);
            for (var frame = 0; frame < frames; frame++)
            {
                for (var crop = 0; crop < crops; crop++)
                {
                    var view = values.Slice(((piece * crops) + crop) * 3 * frames * size * size, 3 * frames * size * size);
                    scaling.Write(clip.Frames[first + chosen[frame]], crop, view, frame, frames);
                }
            }

            piece++;
        }

        return Placed(result, device);
    }

    /// <summary>The value of each of the 256 levels of red, green and blue.</summary>
    private static float[] Levels(ImageBindVisionConfig vision)
    {
        var levels = new float[3 * 256];
        for (var level = 0; level < 256; level++)
        {
            var share = level / 255f;
            levels[level] = (share - vision.Mean.Red) / vision.Deviation.Red;
            levels[256 + level] = (share - vision.Mean.Green) / vision.Deviation.Green;
            levels[512 + level] = (share - vision.Mean.Blue) / vision.Deviation.Blue;
        }

        return levels;
    }

    private static float Mean(IReadOnlyList<float[]> channels, int from, int to)
    {
        var sum = 0.0;
        foreach (var channel in channels)
        {
            foreach (var sample in channel.AsSpan(from, to - from))
            {
                sum += sample;
            }
        }

        return (float)(sum / Math.Max(1, (long)channels.Count * (to - from)));
    }

    private static Tensor Placed(Tensor result, Device? device)
    {
        if (device is null || device.type == TorchSharp.DeviceType.CPU)
        {
            return result;
        }

        using (result)
        {
            return result.to(device);
        }
    }

    private ImageBindVisionConfig Vision() => _config.Vision
        ?? throw new ArgumentException("This encoder has no tower for pictures and clips; use a checkpoint that has one.");
}
