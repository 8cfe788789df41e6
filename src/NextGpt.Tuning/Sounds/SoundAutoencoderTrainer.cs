using System.Globalization;
using NextGpt.Model.Decoders.AudioLdm;
using NextGpt.Model.Decoders.StableDiffusion;
using NextGpt.Tuning.Data;
using NextGpt.Tuning.Optimisation;
using NextGpt.Tuning.Pictures;
using TorchSharp;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Sounds;

/// <summary>Trains the autoencoder of spectrograms whose latents the sounds' U-Net will draw.</summary>
/// <remarks>
/// Absolute error of logarithmic bands and of their differences to the neighbours, and a little divergence from the unit normal
/// (Liu et al. 2023, section 3.2, without the adversarial part). Works on short windows: the network has no attention, so what
/// it learns of them holds for whole sounds.
/// </remarks>
public sealed class SoundAutoencoderTrainer
{
    private const double EdgeWeight = 0.5;
    private const double DivergenceWeight = 3e-4;

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
    /// <param name="folder">Where results go: <c>vae/</c>, checkpoint, journal.</param>
    /// <param name="output">Takes lines for a person.</param>
    /// <param name="time">The clock.</param>
    public SoundAutoencoderTrainer(
        WorldData world, TrainingSchedule schedule, Device device, string folder, TextWriter output, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(world);
        _studio = new WorldStudio(world);
        _training = [.. world.Of(WorldKind.Sound).Where(row => row.IsForTraining)];
        _held = HeldOf(world);
        _schedule = schedule;
        _device = device;
        _folder = folder;
        _journal = new TrainingJournal(folder, output);
        _time = time;
    }

    /// <summary>The numbers of the network; the embedded model's unless set.</summary>
    public AutoencoderKLConfig Network { get; init; } = MiniSounds.Autoencoder;

    /// <summary>Frames of a window, a multiple of the network's downscale.</summary>
    public int WindowFrames { get; init; } = 192;

    /// <summary>Trains and writes <c>vae/</c>.</summary>
    /// <param name="resume">Whether to go on from the checkpoint.</param>
    /// <param name="cancellationToken">Stops the run after a checkpoint.</param>
    /// <returns>Mean error in decibels of the bands that can be heard, on the sounds kept back for testing.</returns>
    public double Train(bool resume, CancellationToken cancellationToken = default)
    {
        Directory.CreateDirectory(_folder);
        using var random = new StepRandom(_device, _schedule.Seed);
        using var mel = new MelSpectrogram(_device);
        using var bank = SoundBank.Read(_studio, _training, _device);
        using var network = Fresh(_schedule.Seed);
        using var optimiser = new FlatAdamW(network.named_parameters(), new FlatAdamWOptions());
        var run = new TrainingRun(optimiser, _schedule, _folder, _journal, _time);
        if (resume)
        {
            run.Resume();
        }

        _journal.Say(string.Create(
            CultureInfo.InvariantCulture,
            $"Autoencoder of {network.parameters().Sum(weight => weight.numel()) / 1e6:0.00} M weights, {bank.Rows.Count} recordings, "
            + $"{bank.Seconds:0} s with their changes, {_device}."));
        var last = 0.0;
        run.Train(
            step =>
            {
                random.Begin(step);
                return Loss(network, mel, bank, random);
            },
            _ =>
            {
                using var average = optimiser.UseAverage();
                last = Preview(network, mel);
            },
            _device, cancellationToken);
        using (optimiser.UseAverage())
        {
            Save(network, mel);
        }

        return last;
    }

    /// <summary>The sounds that are kept back for testing; where a world has none, some of its others.</summary>
    /// <param name="world">The world.</param>
    internal static WorldRow[] HeldOf(WorldData world)
    {
        var held = world.Of(WorldKind.Sound).Where(row => row.Split == "test_pair").ToArray();
        return held.Length > 0 ? held : [.. world.Of(WorldKind.Sound).Take(24)];
    }

    private AutoencoderKL Fresh(int seed)
    {
        // Initial weights come from the library's one generator; a fixed seed makes them the same in every run.
        using var generator = manual_seed(seed);
        using var noGradient = no_grad();
        var network = new AutoencoderKL(Network);

        // Bands are logarithms from -11.5 to 2: brought to about one on the way in and back on the way out.
        var weights = network.state_dict();
        weights["encoder.conv_in.weight"].mul_(0.2);
        weights["decoder.conv_out.weight"].mul_(3);
        weights["decoder.conv_out.bias"].fill_(-7);
        network.to(_device);
        return network;
    }

    private Tensor Loss(AutoencoderKL network, MelSpectrogram mel, SoundBank bank, StepRandom random)
    {
        using var scope = NewDisposeScope();
        var spectrogram = mel.Of(bank.Draw(_schedule.BatchSize, WindowFrames * MelSpectrogram.Hop, random))
            .unsqueeze(1);   // [batch, 1, frames, mels]
        var (mean, logVariance) = network.Encode(spectrogram);
        var latent = mean + ((logVariance * 0.5).exp() * random.Normal(mean.shape));
        var error = MelSpectrogram.AudibleError(network.Decode(latent), spectrogram);
        var edges = Differences(error, 2).abs().mean() + Differences(error, 3).abs().mean();
        var divergence = 0.5 * (mean.square() + logVariance.exp() - 1 - logVariance).mean();
        return (error.abs().mean() + (EdgeWeight * edges) + (DivergenceWeight * divergence)).MoveToOuterDisposeScope();
    }

    private static Tensor Differences(Tensor map, int dimension) =>
        map.narrow(dimension, 1, map.shape[dimension] - 1) - map.narrow(dimension, 0, map.shape[dimension] - 1);

    // Bands that are silent in the sound do not count: a mean over a long silence would flatter.
    private double Preview(AutoencoderKL network, MelSpectrogram mel)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var real = Whole(_held, mel);                                             // [sounds, 1, frames, mels]
        var made = cat([.. real.split(8).Select(network.call)]);
        var heard = real > MelSpectrogram.Inaudible;
        var error = (double)MelSpectrogram.AudibleError(made, real).abs().masked_select(heard).mean().item<float>() * 20 / Math.Log(10);
        var shown = Math.Min(16, _held.Length);
        var pairs = stack([real.narrow(0, 0, shown), made.narrow(0, 0, shown)], 1).flatten(0, 1).squeeze(1);
        SpectrogramSheet.Write(Path.Combine(_folder, "autoencoder.png"), pairs, 4);
        _journal.Say(string.Create(CultureInfo.InvariantCulture, $"Heard bands of {_held.Length} unseen sounds are {error:0.00} dB off."));
        return error;
    }

    private Tensor Whole(WorldRow[] rows, MelSpectrogram mel)
    {
        using var scope = NewDisposeScope();
        var sounds = rows.SelectMany(row => SoundRenderer.Cut(SoundBank.Plain(_studio, row).Channels[0])).ToArray();
        return mel.Of(tensor(sounds, [rows.Length, MiniSounds.Samples]).clone().to(_device)).unsqueeze(1).MoveToOuterDisposeScope();
    }

    private void Save(AutoencoderKL network, MelSpectrogram mel)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var parts = new List<Tensor>();
        foreach (var rows in _training.Chunk(16))
        {
            using var inner = NewDisposeScope();
            parts.Add(network.Encode(Whole(rows, mel)).Mean.alias().MoveToOuterDisposeScope());
        }

        _journal.Say(LatentScale.MakeEven(network, cat(parts)));
        var folder = Path.Combine(_folder, "vae");
        NetworkFiles.SaveWeights(network, Path.Combine(folder, "diffusion_pytorch_model.safetensors"));
        (Network with { ScalingFactor = 1 }).Save(Path.Combine(folder, "config.json"));
    }
}
