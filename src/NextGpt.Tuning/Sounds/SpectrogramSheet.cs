using NextGpt.Model.Decoders.AudioLdm;
using NextGpt.Tuning.Pictures;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Sounds;

/// <summary>Spectrograms to be looked at: time to the right, pitch upwards, from black over red to white.</summary>
internal static class SpectrogramSheet
{
    private const double Loudest = 2;   // logarithm of the magnitude

    /// <summary>Writes spectrograms in rows, at half their width.</summary>
    /// <param name="file">Path of the PNG.</param>
    /// <param name="spectrograms">[count, frames, mels] float32, logarithms.</param>
    /// <param name="columns">Spectrograms per row.</param>
    internal static void Write(string file, Tensor spectrograms, int columns)
    {
        using var scope = NewDisposeScope();
        var level = (spectrograms - MelSpectrogram.Inaudible) / (Loudest - MelSpectrogram.Inaudible);
        level = nn.functional.avg_pool2d(level.unsqueeze(1), [2, 1]).transpose(2, 3).flip(2);   // [count, 1, mels, frames / 2]
        ContactSheet.Write(file, cat([level * 2.2, (level * 2.2) - 0.8, (level * 3) - 2], 1), columns);
    }
}
