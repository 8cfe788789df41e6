using NextGpt.Model.Decoders.AudioLdm;
using NextGpt.Tuning.Data;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Sounds;

/// <summary>How often a made sound resembles the asked thing more than any other of the world.</summary>
/// <param name="Count">Sounds judged.</param>
/// <param name="Top1">Share whose nearest recording is of the asked concept.</param>
/// <param name="Top5">Share with the asked concept among the five nearest recordings.</param>
public sealed record SoundScore(int Count, double Top1, double Top5);

/// <summary>Judges sounds by the nearest recording in mean and spread of the bands: crude, quick, without learning.</summary>
/// <remarks>
/// For watching a run, not for the evaluation report: it rewards memory and hears no melody. Recordings kept back for testing
/// are in the bank too, so that an unseen pair can be met.
/// </remarks>
internal sealed class SoundJudge : IDisposable
{
    private readonly IReadOnlyList<WorldRow> _rows;
    private readonly Tensor _bank;   // [recordings, 2 * mels]

    /// <summary>Prepares the bank.</summary>
    /// <param name="studio">Reads recordings.</param>
    /// <param name="rows">Which are in the bank.</param>
    /// <param name="mel">Says what a spectrogram is.</param>
    /// <param name="device">Where to compare.</param>
    internal SoundJudge(WorldStudio studio, IReadOnlyList<WorldRow> rows, MelSpectrogram mel, Device device)
    {
        using var scope = NewDisposeScope();
        _rows = rows;
        _bank = cat([.. rows.Chunk(32).Select(chunk =>
        {
            var samples = chunk.SelectMany(row => SoundRenderer.Cut(SoundBank.Plain(studio, row).Channels[0])).ToArray();
            return Features(mel.Of(tensor(samples, [chunk.Length, MiniSounds.Samples]).clone().to(device)));
        })]).DetachFromDisposeScope();
    }

    /// <summary>Judges.</summary>
    /// <param name="spectrograms">[count, frames, mels] float32, logarithms.</param>
    /// <param name="asked">What each should be the sound of.</param>
    internal SoundScore Score(Tensor spectrograms, IReadOnlyList<WorldRow> asked)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var five = Math.Min(5, _rows.Count);
        var places = cdist(Features(spectrograms), _bank).topk(five, -1, largest: false).indexes.cpu().data<long>().ToArray();
        var nearest = places.Chunk(five).Select(row => row.Select(place => _rows[(int)place].Concept).ToList()).ToList();
        var count = Math.Max(1, asked.Count);
        return new SoundScore(
            asked.Count,
            (double)asked.Where((row, at) => nearest[at][0] == row.Concept).Count() / count,
            (double)asked.Where((row, at) => nearest[at].Contains(row.Concept)).Count() / count);
    }

    /// <inheritdoc/>
    public void Dispose() => _bank.Dispose();

    // Frames within 40 dB of the loudest count, so that silence around a sound does not.
    private static Tensor Features(Tensor spectrograms)
    {
        var heard = spectrograms.clamp(min: MelSpectrogram.Inaudible);
        var loudness = heard.exp().sum(2, true).log();                                      // [count, frames, 1]
        var sounding = (loudness > loudness.amax([1], true) - 4.6).to(ScalarType.Float32);
        var frames = sounding.sum(1);                                                       // [count, 1]
        var level = (heard * sounding).sum(1) / frames;
        var spread = (((heard - level.unsqueeze(1)).square() * sounding).sum(1) / frames).sqrt();
        return cat([level - level.mean([1L], true), spread], 1);                             // loudness is no matter of names
    }
}
