using System.Globalization;
using NextGpt.Media;
using NextGpt.Model.Decoders.AudioLdm;
using NextGpt.Model.Decoders.StableDiffusion;
using NextGpt.Tuning.Data;
using NextGpt.Tuning.Optimisation;
using TorchSharp;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Sounds;

/// <summary>How near two ways of making sound of spectrograms come to the recordings.</summary>
/// <param name="Vocoder">Distance of the trained vocoder's sounds, several windows, see <see cref="SpectralDistance"/>.</param>
/// <param name="GriffinLim">The same of sixty rounds of Griffin-Lim.</param>
/// <param name="Polished">The same of a third as many rounds that begin with the vocoder's phases.</param>
/// <param name="VocoderDecibels">Mean error of heard bands, the vocoder's.</param>
/// <param name="GriffinLimDecibels">The same of Griffin-Lim.</param>
/// <param name="PolishedDecibels">The same of both after each other.</param>
public sealed record VocoderScore(
    double Vocoder, double GriffinLim, double Polished, double VocoderDecibels, double GriffinLimDecibels, double PolishedDecibels);

/// <summary>Trains the vocoder by spectral losses.</summary>
/// <remarks>
/// The generator of Kong et al. 2020 with the losses of Yamamoto et al. 2020, section 2.2 (several windows) and the bands' own
/// distance; no adversary. With an autoencoder half of the spectrograms are what that restores, so that the vocoder learns to
/// speak from what it will be given.
/// </remarks>
public sealed class VocoderTrainer
{
    private const double BandWeight = 1;
    private const double RestoredShare = 0.5;

    private readonly WorldStudio _studio;
    private readonly WorldRow[] _training, _held;
    private readonly TrainingSchedule _schedule;
    private readonly Device _device;
    private readonly string _folder;
    private readonly TrainingJournal _journal;
    private readonly TimeProvider _time;

    /// <summary>Prepares.</summary>
    /// <param name="world">The recordings.</param>
    /// <param name="schedule">How long and how fast.</param>
    /// <param name="device">Where to train.</param>
    /// <param name="folder">Where results go: <c>vocoder/</c>, sounds to listen to, checkpoint, journal.</param>
    /// <param name="output">Takes lines for a person.</param>
    /// <param name="time">The clock.</param>
    public VocoderTrainer(
        WorldData world, TrainingSchedule schedule, Device device, string folder, TextWriter output, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(world);
        _studio = new WorldStudio(world);
        _training = [.. world.Of(WorldKind.Sound).Where(row => row.IsForTraining)];
        _held = SoundAutoencoderTrainer.HeldOf(world);
        _schedule = schedule;
        _device = device;
        _folder = folder;
        _journal = new TrainingJournal(folder, output);
        _time = time;
    }

    /// <summary>The numbers of the network; the embedded model's unless set.</summary>
    public HifiGanConfig Network { get; init; } = MiniSounds.Vocoder;

    /// <summary>Folder of the trained autoencoder of spectrograms, in diffusers layout; null trains on true spectrograms only.</summary>
    public string? Autoencoder { get; init; }

    /// <summary>Frames of a window, a multiple of the autoencoder's downscale.</summary>
    public int WindowFrames { get; init; } = 64;

    /// <summary>Rounds of the algorithm that the vocoder is compared with; 0 compares with nothing.</summary>
    public int GriffinLimRounds { get; init; } = 60;

    /// <summary>Trains and writes <c>vocoder/</c>.</summary>
    /// <param name="resume">Whether to go on from the checkpoint.</param>
    /// <param name="cancellationToken">Stops the run after a checkpoint.</param>
    /// <returns>How near it comes to sounds that were kept back for testing.</returns>
    public VocoderScore Train(bool resume, CancellationToken cancellationToken = default)
    {
        Directory.CreateDirectory(_folder);
        using var random = new StepRandom(_device, _schedule.Seed);
        using var mel = new MelSpectrogram(_device, Network.Mels);
        using var distance = new SpectralDistance(_device);
        using var bank = SoundBank.Read(_studio, _training, _device);
        using var autoencoder = Autoencoder is { } trained ? AutoencoderKL.Load(trained, _device) : null;
        using var network = Fresh(bank, mel);
        using var optimiser = new FlatAdamW(network.named_parameters(), new FlatAdamWOptions { WeightDecay = 0 });
        var run = new TrainingRun(optimiser, _schedule, _folder, _journal, _time);
        if (resume)
        {
            run.Resume();
        }

        _journal.Say(string.Create(
            CultureInfo.InvariantCulture,
            $"Vocoder of {network.parameters().Sum(weight => weight.numel()) / 1e6:0.00} M weights, {bank.Rows.Count} recordings, "
            + $"{bank.Seconds:0} s with their changes, {_device}."));
        var reference = Reference(mel, distance);
        VocoderScore? last = null;
        run.Train(
            step =>
            {
                random.Begin(step);
                return Loss(network, autoencoder, mel, distance, bank, random);
            },
            step =>
            {
                using var average = optimiser.UseAverage();
                last = Preview(network, mel, distance, reference, step);
                Save(network, last);
            },
            _device, cancellationToken);
        return last ?? throw new InvalidOperationException("The run ended without a preview.");
    }

    // The folder says whether the sound shall be polished: whichever was nearer to the sounds that were kept back.
    private void Save(HifiGan network, VocoderScore score)
    {
        var folder = Path.Combine(_folder, "vocoder");
        network.Save(folder);
        var polish = GriffinLimRounds > 0 && score.Polished < score.Vocoder ? PolishRounds : 0;
        (Network with { PolishRounds = polish }).Save(Path.Combine(folder, "config.json"));
    }

    private int PolishRounds => Math.Max(1, GriffinLimRounds / 3);

    private HifiGan Fresh(SoundBank bank, MelSpectrogram mel)
    {
        // Initial weights come from the library's one generator; a fixed seed makes them the same in every run.
        using var generator = manual_seed(_schedule.Seed);
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var network = new HifiGan(Network);
        network.to(_device);
        using var random = new StepRandom(_device, _schedule.Seed);
        random.Begin(-1);
        var bands = mel.Of(bank.Draw(256, MelSpectrogram.SampleRateHz, random)).flatten(0, 1);   // [frames, mels]
        var weights = network.state_dict();
        weights["mean"].copy_(bands.mean([0L]));
        weights["scale"].copy_(bands.std(0).clamp(min: 0.1));
        return network;
    }

    private Tensor Loss(
        HifiGan network, AutoencoderKL? autoencoder, MelSpectrogram mel, SpectralDistance distance, SoundBank bank, StepRandom random)
    {
        using var scope = NewDisposeScope();
        var real = bank.Draw(_schedule.BatchSize, WindowFrames * MelSpectrogram.Hop, random);
        var bands = mel.Of(real);   // [batch, frames, mels]
        var given = bands;
        if (autoencoder is not null)
        {
            using var noGradient = no_grad();
            var restored = autoencoder.call(bands.unsqueeze(1)).squeeze(1);
            given = where(random.Uniform(_schedule.BatchSize, 1, 1) < RestoredShare, restored, bands);
        }

        var made = network.call(given);
        var error = MelSpectrogram.AudibleError(mel.Of(made), bands).abs().mean();
        return (distance.Of(made, real) + (BandWeight * error)).MoveToOuterDisposeScope();
    }

    private (double Distance, double Decibels) Reference(MelSpectrogram mel, SpectralDistance distance) => GriffinLimRounds == 0
        ? default
        : Measure(mel, distance, "griffin-lim", spectrogram => GriffinLim.Sound(mel, spectrogram, GriffinLimRounds));

    private VocoderScore Preview(
        HifiGan network, MelSpectrogram mel, SpectralDistance distance, (double Distance, double Decibels) reference, int step)
    {
        var (mine, decibels) = Measure(mel, distance, "vocoder", network.call);
        var polished = GriffinLimRounds == 0
            ? default
            : Measure(mel, distance, "polished", bands => GriffinLim.Sound(mel, bands, PolishRounds, network.call(bands)));
        _journal.Say(string.Create(
            CultureInfo.InvariantCulture,
            $"step {step}, {_held.Length} unseen sounds: spectral distance {mine:0.000} (Griffin-Lim {reference.Distance:0.000}, after the vocoder "
            + $"{polished.Distance:0.000}), heard bands {decibels:0.00} dB off (Griffin-Lim {reference.Decibels:0.00} dB, after the vocoder {polished.Decibels:0.00} dB)."));
        return new VocoderScore(mine, reference.Distance, polished.Distance, decibels, reference.Decibels, polished.Decibels);
    }

    // Sounds are measured one by one at their own length, and the first few are written to be listened to.
    private (double Distance, double Decibels) Measure(
        MelSpectrogram mel, SpectralDistance distance, string name, Func<Tensor, Tensor> speak)
    {
        using var noGradient = no_grad();
        var (distances, errors) = (0.0, 0.0);
        for (var at = 0; at < _held.Length; at++)
        {
            using var scope = NewDisposeScope();
            var samples = SoundBank.Plain(_studio, _held[at]).Channels[0];
            Array.Resize(ref samples, Math.Max(samples.Length / MelSpectrogram.Hop, 16) * MelSpectrogram.Hop);
            var real = tensor(samples, [1, samples.Length]).clone().to(_device);
            var bands = mel.Of(real);
            var made = speak(bands);
            var heard = bands > MelSpectrogram.Inaudible;
            distances += distance.Of(made, real).item<float>();
            errors += MelSpectrogram.AudibleError(mel.Of(made), bands).abs().masked_select(heard).mean().item<float>();
            if (at < 6)
            {
                WriteSound(Path.Combine(_folder, "sounds", $"{at:00}-{name}.wav"), made);
                WriteSound(Path.Combine(_folder, "sounds", $"{at:00}-recording.wav"), real);
            }
        }

        return (distances / _held.Length, errors / _held.Length * 20 / Math.Log(10));
    }

    /// <summary>Writes one sound.</summary>
    /// <param name="file">Its folder is made where it is missing.</param>
    /// <param name="samples">[1, samples] or [samples], −1..1.</param>
    internal static void WriteSound(string file, Tensor samples)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file) ?? ".");
        using var scope = NewDisposeScope();
        var values = samples.flatten().clamp(-1, 1).cpu().data<float>().ToArray();
        File.WriteAllBytes(file, WaveFile.Write(new AudioClip { Channels = [values], SampleRateHz = MelSpectrogram.SampleRateHz }));
    }
}
