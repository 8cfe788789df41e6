using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using NextGpt.Media;
using NextGpt.Model.Encoders;
using NextGpt.Model.Weights;
using NextGpt.Tuning.Data;
using NextGpt.Tuning.Optimisation;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Contrastive;

/// <summary>Recordings as spectrograms, each in several pitches and paces, made once and kept in a file.</summary>
/// <remarks>
/// A step cuts pieces of the length that the tower hears and changes what can be changed in a spectrogram: loudness, tone, noise,
/// other sounds behind, what stands before the sound, and bands and times left out (Park et al. 2019). Not thread-safe.
/// </remarks>
internal sealed class SoundBank
{
    private const double LongestSeconds = 6;
    private const float Quietest = -16;    // logarithm of power; the filterbank's floor
    private const float StepSize = 0.1f;   // of the kept bytes

    private readonly ImageBindAudioConfig _audio;
    private readonly Device _device;
    private readonly byte[][] _spectrograms;   // [sound * variants + variant]: [frames, mels]

    private float[] _heard = [], _behind = [];   // kept, because arrays of this size are dear to collect

    private SoundBank(ImageBindAudioConfig audio, Device device, int variants, byte[][] spectrograms)
    {
        (_audio, _device, Variants, _spectrograms) = (audio, device, variants, spectrograms);
    }

    /// <summary>Spectrograms of each recording.</summary>
    internal int Variants { get; }

    /// <summary>Reads the kept spectrograms, or makes and keeps them.</summary>
    /// <param name="world">Whose files are read.</param>
    /// <param name="rows">Recordings that may be trained on.</param>
    /// <param name="config">The encoder's; it has a tower for sounds.</param>
    /// <param name="variants">Spectrograms of each recording, the unchanged one first.</param>
    /// <param name="seed">Of the changes.</param>
    /// <param name="file">Where they are kept.</param>
    /// <param name="device">Where pieces shall lie.</param>
    internal static SoundBank Open(
        WorldData world, IReadOnlyList<WorldRow> rows, ImageBindConfig config, int variants, int seed, string file, Device device)
    {
        var audio = config.Audio ?? throw new ArgumentException("The encoder has no tower for sounds.", nameof(config));
        var key = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(
            $"1 {variants} {seed} {audio.MelBins} {audio.SampleRateHz} {string.Join(' ', rows.Select(row => $"{row.Id}:{new FileInfo(Path.Combine(world.Folder, row.Path ?? "")).Length}"))}")));
        if (!File.Exists(file) || !Matches(file, key))
        {
            Keep(file, key, Make(world, rows, config, variants, seed));
        }

        using var kept = SafetensorsFile.Open(file);
        var lengths = new long[kept.Tensors["lengths"].Count];
        kept.ReadIntegers("lengths", lengths);
        var all = new byte[kept.Tensors["levels"].Count];
        kept.ReadBytes("levels", all);
        var spectrograms = new byte[lengths.Length][];
        for (var (index, at) = (0, 0); index < lengths.Length; index++)
        {
            var size = (int)lengths[index];
            spectrograms[index] = all[at..(at + size)];
            at += size;
        }

        return new SoundBank(audio, device, variants, spectrograms);
    }

    /// <summary>One changed piece of each recording.</summary>
    /// <param name="sounds">Places among the recordings.</param>
    /// <param name="choice">Chooses variants and places.</param>
    /// <param name="random">At the step's numbers.</param>
    /// <returns>[batch, 1, 1, mels, frames], normalised, owned by the caller's dispose scope.</returns>
    internal Tensor Pieces(IReadOnlyList<int> sounds, Random choice, StepRandom random)
    {
        using var scope = NewDisposeScope();
        var (batch, mels, frames) = (sounds.Count, _audio.MelBins, _audio.TargetFrames);
        if (_heard.Length != batch * frames * mels)
        {
            (_heard, _behind) = (new float[batch * frames * mels], new float[batch * frames * mels]);
        }

        var (heard, behind, valid) = (_heard, _behind, new float[batch * frames]);
        Array.Fill(heard, Quietest);
        Array.Fill(behind, Quietest);
        for (var at = 0; at < batch; at++)
        {
            var length = Cut(sounds[at], choice, heard.AsSpan(at * frames * mels, frames * mels), mayWait: true);
            valid.AsSpan(at * frames, length).Fill(1);
            Cut(choice.Next(_spectrograms.Length / Variants), choice, behind.AsSpan(at * frames * mels, frames * mels), mayWait: false);
        }

        Tensor Spectrogram(float[] values) => tensor(values, [batch, 1, frames, mels], device: _device).clone().transpose(2, 3);
        Tensor Between(double least, double most) => (random.Uniform(batch, 1, 1, 1) * (most - least)) + least;
        Tensor Chance(double share) => random.Uniform(batch, 1, 1, 1) < share;

        // Logarithms of power: loudness and tone are added, other sounds and noise add their powers.
        var tilt = linspace(-1, 1, mels, device: _device).view(1, 1, -1, 1);
        var sound = Spectrogram(heard) + Between(-3.5, 1) + (tilt * Between(-1.5, 1.5));
        var noise = where(Chance(0.5), Between(-13, -4), full_like(Between(0, 1), -30f)) + (tilt * Between(-2, 2))
            + random.Uniform(batch, 1, mels, frames).clamp(min: 1e-4).log().neg().log();
        var other = Spectrogram(behind) + where(Chance(0.25), Between(-6, -2.5), full_like(Between(0, 1), -30f));
        sound = logaddexp(logaddexp(sound, noise), other).clamp(min: Quietest);

        // Bands and times left out.
        var (band, time) = (arange(mels, device: _device).view(1, 1, -1, 1), arange(frames, device: _device).view(1, 1, 1, -1));
        Tensor Hole(Tensor axis, int length, int widest)
        {
            var (from, wide) = (Between(0, length), Between(0, widest) * Chance(0.6).to(ScalarType.Float32));
            return axis.ge(from).logical_and(axis.lt(from + wide));
        }

        var hole = Hole(band, mels, mels / 5).logical_or(Hole(time, frames, frames / 6));
        sound = where(hole, sound.mean([2, 3], keepdim: true), sound);

        // Behind the end of a sound the tower gets zeros in place of logarithms, as the preparation pads.
        sound = sound * tensor(valid, [batch, 1, 1, frames], device: _device);
        return ((sound - _audio.Mean) / _audio.Deviation).unsqueeze(1).MoveToOuterDisposeScope();
    }

    /// <returns>Frames that are sound or silence before it; the rest is padding.</returns>
    private int Cut(int sound, Random choice, Span<float> target, bool mayWait)
    {
        var (mels, longest) = (_audio.MelBins, Math.Min(_audio.TargetFrames, (int)(_audio.ClipSeconds * 100) - 2));
        var levels = _spectrograms[(sound * Variants) + choice.Next(Variants)];
        var frames = levels.Length / mels;
        var wait = mayWait && choice.Next(4) == 0 ? choice.Next(40) : 0;
        var from = frames > longest ? choice.Next(frames - longest + 1) : 0;
        var count = Math.Min(frames - from, longest - wait);
        for (var at = 0; at < count * mels; at++)
        {
            target[(wait * mels) + at] = Quietest + (levels[(from * mels) + at] * StepSize);
        }

        return wait + count;
    }

    private static bool Matches(string file, string key)
    {
        using var kept = SafetensorsFile.Open(file);
        return kept.Metadata.GetValueOrDefault("key") == key;
    }

    private static void Keep(string file, string key, byte[][] spectrograms)
    {
        var count = spectrograms.Sum(spectrogram => (long)spectrogram.Length);
        var writer = new SafetensorsWriter();
        writer.Metadata["key"] = key;
        writer.Add("lengths", [spectrograms.Length], spectrograms.Select(spectrogram => (long)spectrogram.Length).ToArray());
        writer.Add("levels", SafetensorsType.U8, [count], () => [.. spectrograms.SelectMany(spectrogram => spectrogram)]);
        writer.Save(file);
    }

    private static byte[][] Make(WorldData world, IReadOnlyList<WorldRow> rows, ImageBindConfig config, int variants, int seed)
    {
        var audio = config.Audio!;   // Open looked
        var preparation = new MediaPreparation(config with
        {
            Vision = null,
            Audio = audio with { ClipsPerSound = 1, ClipSeconds = LongestSeconds, TargetFrames = (int)(LongestSeconds * 100), Mean = 0, Deviation = 1 },
        });
        var made = new byte[rows.Count * variants][];
        Parallel.For(0, rows.Count, index =>
        {
            var random = new Random((seed * 7_919) + index);
            var clip = WaveFile.Read(File.ReadAllBytes(Path.Combine(world.Folder, rows[index].Path ?? ""))).ToMono().Resample(audio.SampleRateHz);
            for (var variant = 0; variant < variants; variant++)
            {
                made[(index * variants) + variant] = Levels(preparation, audio, variant == 0 ? clip : Changed(clip, random));
            }
        });
        return made;
    }

    // Another pitch (up to three semitones, as a tape at another pace) and another pace at the same pitch.
    private static AudioClip Changed(AudioClip clip, Random random)
    {
        var pitch = Math.Pow(2, ((random.NextDouble() * 6) - 3) / 12);
        var rate = (int)Math.Round(clip.SampleRateHz * pitch / 50) * 50;
        var replayed = (clip with { SampleRateHz = rate }).Resample(clip.SampleRateHz);
        return replayed with { Channels = [SoundShaping.Stretch(replayed.Channels[0], 0.8 + (random.NextDouble() * 0.5))] };
    }

    private static byte[] Levels(MediaPreparation preparation, ImageBindAudioConfig audio, AudioClip clip)
    {
        using var scope = NewDisposeScope();
        var all = MemoryMarshal.Cast<byte, float>(preparation.Prepare(clip).bytes);   // [mels, frames]
        var (mels, room) = (audio.MelBins, (int)(LongestSeconds * 100));
        var frames = Math.Clamp(1 + ((clip.Length - (audio.SampleRateHz / 40)) / (audio.SampleRateHz / 100)), 1, room);
        var levels = new byte[frames * mels];
        for (var frame = 0; frame < frames; frame++)
        {
            for (var mel = 0; mel < mels; mel++)
            {
                levels[(frame * mels) + mel] = (byte)Math.Clamp(MathF.Round((all[(mel * room) + frame] - Quietest) / StepSize), 0, 255);
            }
        }

        return levels;
    }
}
