using NextGpt.Media;
using NextGpt.Model.Decoders.AudioLdm;
using NextGpt.Tuning.Data;
using NextGpt.Tuning.Optimisation;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Sounds;

/// <summary>Recordings in several pitches and tempos on the training device, read and shaped once; gives endless windows of them.</summary>
/// <remarks>Sixteen bits a sample, as the files are. Not thread-safe.</remarks>
internal sealed class SoundBank : IDisposable
{
    private const int Versions = 7;
    private const double PlainShare = 0.5;
    private const double MixedShare = 0.25;
    private const float Peak = 0.5f;

    private readonly Tensor _samples;   // [all samples] int16
    private readonly Tensor _starts;    // [sounds * Versions] int64
    private readonly Tensor _lengths;   // [sounds * Versions] int64

    private SoundBank(IReadOnlyList<WorldRow> rows, List<short[]> sounds, Device device)
    {
        using var scope = NewDisposeScope();
        Rows = rows;
        var lengths = sounds.Select(sound => (long)sound.Length).ToArray();
        var starts = new long[lengths.Length];
        for (var at = 1; at < starts.Length; at++)
        {
            starts[at] = starts[at - 1] + lengths[at - 1];
        }

        _samples = cat([.. sounds.Select(sound => tensor(sound, ScalarType.Int16))]).to(device).alias().DetachFromDisposeScope();
        _starts = tensor(starts).to(device).alias().DetachFromDisposeScope();
        _lengths = tensor(lengths).to(device).alias().DetachFromDisposeScope();
    }

    /// <summary>What is in it.</summary>
    internal IReadOnlyList<WorldRow> Rows { get; }

    /// <summary>Seconds of all versions together.</summary>
    internal double Seconds => (double)_samples.numel() / MelSpectrogram.SampleRateHz;

    /// <summary>Reads and shapes recordings.</summary>
    /// <param name="studio">Reads them.</param>
    /// <param name="rows">Which; not empty.</param>
    /// <param name="device">Where they shall lie.</param>
    /// <exception cref="InvalidDataException">There are none, or a file is missing or broken.</exception>
    internal static SoundBank Read(WorldStudio studio, IReadOnlyList<WorldRow> rows, Device device)
    {
        if (rows.Count == 0)
        {
            throw new InvalidDataException("The world has no sound that may be trained on; make it again: nextgpt data fetch.");
        }

        var sounds = new short[rows.Count * Versions][];
        Parallel.For(0, rows.Count, at =>
        {
            var clip = Plain(studio, rows[at]);
            AudioClip[] versions =
            [
                clip,
                SoundShaping.Replayed(clip, 16, 15), SoundShaping.Replayed(clip, 15, 16),   // a semitone up, a semitone down
                SoundShaping.Change(clip, SoundChange.Higher), SoundShaping.Change(clip, SoundChange.Lower),
                SoundShaping.Change(clip, SoundChange.Faster), SoundShaping.Change(clip, SoundChange.Slower),
            ];
            for (var version = 0; version < Versions; version++)
            {
                sounds[(at * Versions) + version] = [.. versions[version].Channels[0]
                    .Select(sample => (short)Math.Clamp(MathF.Round(sample * short.MaxValue), short.MinValue, short.MaxValue))];
            }
        });
        return new SoundBank(rows, [.. sounds], device);
    }

    /// <summary>A recording at 16 kHz around zero, its largest sample one half.</summary>
    /// <param name="studio">Reads it.</param>
    /// <param name="row">Which.</param>
    internal static AudioClip Plain(WorldStudio studio, WorldRow row) => Levelled((AudioClip)studio.Make(new SoundRecipe([row])), Peak);

    /// <summary>The same sound at 16 kHz around zero.</summary>
    /// <param name="clip">Of any number of channels.</param>
    /// <param name="peak">Its largest sample afterwards.</param>
    internal static AudioClip Levelled(AudioClip clip, float peak)
    {
        var mono = clip.ToMono().Resample(MelSpectrogram.SampleRateHz);
        var mean = mono.Channels[0].Average();
        var largest = mono.Channels[0].Max(sample => MathF.Abs(sample - mean));
        var gain = peak / Math.Max(largest, 1e-4f);
        return mono with { Channels = [[.. mono.Channels[0].Select(sample => (sample - mean) * gain)]] };
    }

    /// <summary>Draws windows: any recording, half of them changed, from anywhere, at any loudness, a quarter of them two at once.</summary>
    /// <param name="batch">How many.</param>
    /// <param name="samples">Length of each.</param>
    /// <param name="random">Chooses.</param>
    /// <returns>[batch, samples] float32, −1..1, owned by the caller's dispose scope.</returns>
    internal Tensor Draw(int batch, int samples, StepRandom random)
    {
        using var scope = NewDisposeScope();
        var device = _samples.device;
        var version = where(
            random.Uniform(batch) < PlainShare, zeros(1, ScalarType.Int64, device: device), random.Whole(Versions, batch));
        var sound = (random.Whole(Rows.Count, batch) * Versions) + version;
        var length = _lengths.index_select(0, sound).unsqueeze(1);                        // [batch, 1]
        var early = samples / 4;
        var room = (length - (samples / 2)).clamp(min: 0) + early;
        var begin = (random.Uniform(batch, 1) * room).floor().to(ScalarType.Int64) - early;
        var window = Window(sound, length, begin, samples);
        window = window * Decibels((random.Uniform(batch, 1) * 16) - 12);

        var second = window.roll(1, 0) * Decibels(random.Uniform(batch, 1) * -12);
        window = where(random.Uniform(batch, 1) < MixedShare, window + second, window);
        return (window / window.abs().amax([1], true).clamp(min: 1)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _samples.Dispose();
        _starts.Dispose();
        _lengths.Dispose();
    }

    private Tensor Window(Tensor sound, Tensor length, Tensor begin, int samples)
    {
        var places = begin + arange(samples, ScalarType.Int64, device: _samples.device).unsqueeze(0);   // [batch, samples]
        var inside = (places >= 0).logical_and(places < length);
        var from = _starts.index_select(0, sound).unsqueeze(1) + places.clamp(min: 0).minimum(length - 1);
        var taken = _samples.index_select(0, from.flatten()).view(places.shape).to(ScalarType.Float32) / short.MaxValue;
        return where(inside, taken, zeros(1, device: taken.device));
    }

    private static Tensor Decibels(Tensor gain) => pow(10, gain / 20);
}
