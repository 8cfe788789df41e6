using System.Globalization;
using NextGpt.Model.Decoders.StableDiffusion;
using NextGpt.Tuning.Data;
using NextGpt.Tuning.Optimisation;
using TorchSharp;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Pictures;

/// <summary>Trains the autoencoder whose latents the picture U-Net will draw.</summary>
/// <remarks>
/// Absolute error of pixels and of their differences to the neighbours (edges), and a little divergence from the unit
/// normal; Rombach et al. 2022, appendix G, without the adversarial part. Drawings vary in background, side, size and place.
/// </remarks>
public sealed class AutoencoderTrainer
{
    private const double EdgeWeight = 1.0;
    private const double DivergenceWeight = 3e-5;

    private readonly PictureAtlas _atlas;
    private readonly TrainingSchedule _schedule;
    private readonly Device _device;
    private readonly string _folder;
    private readonly TrainingJournal _journal;
    private readonly TimeProvider _time;

    /// <summary>Prepares.</summary>
    /// <param name="atlas">The drawings.</param>
    /// <param name="schedule">How long and how fast.</param>
    /// <param name="device">Where to train.</param>
    /// <param name="folder">Where results go: <c>vae/</c>, checkpoint, journal.</param>
    /// <param name="output">Takes lines for a person.</param>
    /// <param name="time">The clock.</param>
    public AutoencoderTrainer(
        PictureAtlas atlas, TrainingSchedule schedule, Device device, string folder, TextWriter output, TimeProvider time)
    {
        _atlas = atlas;
        _schedule = schedule;
        _device = device;
        _folder = folder;
        _journal = new TrainingJournal(folder, output);
        _time = time;
    }

    /// <summary>The numbers of the network; the embedded model's unless set.</summary>
    public AutoencoderKLConfig Network { get; init; } = MiniPictures.Autoencoder;

    /// <summary>Trains and writes <c>vae/</c>.</summary>
    /// <param name="resume">Whether to go on from the checkpoint.</param>
    /// <param name="cancellationToken">Stops the run after a checkpoint.</param>
    /// <returns>Mean peak signal-to-noise ratio in decibels on the pictures kept back for testing.</returns>
    public double Train(bool resume, CancellationToken cancellationToken = default)
    {
        Directory.CreateDirectory(_folder);
        using var random = new StepRandom(_device, _schedule.Seed);
        random.Begin(-1);
        using var renderer = new SceneRenderer(_atlas, _device);
        using var network = Fresh(_schedule.Seed);
        using var optimiser = new FlatAdamW(network.named_parameters(), new FlatAdamWOptions());
        var run = new TrainingRun(optimiser, _schedule, _folder, _journal, _time);
        if (resume)
        {
            run.Resume();
        }

        using var places = tensor(Places(picture => picture.IsForTraining)).to(_device);
        _journal.Say(string.Create(
            CultureInfo.InvariantCulture,
            $"Autoencoder of {network.parameters().Sum(weight => weight.numel()) / 1e6:0.00} M weights, {places.numel()} drawings, {_device}."));
        var last = 0.0;
        run.Train(
            step =>
            {
                random.Begin(step);
                return Loss(network, renderer, places, random);
            },
            _ =>
            {
                using var average = optimiser.UseAverage();
                last = Preview(network, renderer);
            },
            _device, cancellationToken);
        using (optimiser.UseAverage())
        {
            Save(network, renderer);
        }

        return last;
    }

    private AutoencoderKL Fresh(int seed)
    {
        // Initial weights come from the library's one generator; a fixed seed makes them the same in every run.
        using var generator = manual_seed(seed);
        var network = new AutoencoderKL(Network);
        network.to(_device);
        return network;
    }

    private long[] Places(Func<WorldPicture, bool> chosen) =>
        [.. Enumerable.Range(0, _atlas.Pictures.Count).Where(index => chosen(_atlas.Pictures[index])).Select(index => (long)index)];

    private Tensor Loss(AutoencoderKL network, SceneRenderer renderer, Tensor places, StepRandom random)
    {
        using var scope = NewDisposeScope();
        var batch = _schedule.BatchSize;
        var chosen = places.index_select(0, random.Whole(places.numel(), batch));
        var colours = random.Uniform(batch, 3);
        colours = where(random.Uniform(batch, 1) < 0.4, ones_like(colours), colours);          // white is the commonest
        var scale = where(random.Uniform(batch) < 0.5, ones(batch, device: _device), 0.45 + (0.55 * random.Uniform(batch)));
        var shift = where((scale < 0.999).unsqueeze(1), (random.Uniform(batch, 2) * 2) - 1, zeros(1, device: _device));
        var picture = ChannelsLast(renderer.RenderLoose(chosen, colours, random.Uniform(batch) < 0.5, scale, shift));

        var (mean, logVariance) = network.Encode(picture);
        var latent = mean + ((logVariance * 0.5).exp() * random.Normal(mean.shape));
        var difference = network.Decode(latent) - picture;
        var pixels = difference.abs().mean();
        var edges = Sideways(difference).abs().mean() + Downwards(difference).abs().mean();
        var divergence = 0.5 * (mean.square() + logVariance.exp() - 1 - logVariance).mean();
        return (pixels + (EdgeWeight * edges) + (DivergenceWeight * divergence)).MoveToOuterDisposeScope();
    }

    // The same numbers with the channels innermost in memory: convolutions on a CPU are a fifth faster.
    private static Tensor ChannelsLast(Tensor map) => map.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2);

    private static Tensor Sideways(Tensor map) => map.narrow(3, 1, map.shape[3] - 1) - map.narrow(3, 0, map.shape[3] - 1);

    private static Tensor Downwards(Tensor map) => map.narrow(2, 1, map.shape[2] - 1) - map.narrow(2, 0, map.shape[2] - 1);

    private double Preview(AutoencoderKL network, SceneRenderer renderer)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var held = Places(picture => picture.Split == "test_pair");
        var places = tensor((held.Length > 0 ? held : Places(_ => true)).Take(256).ToArray()).to(_device);
        var pictures = renderer.RenderPlain(places);
        var restored = cat([.. pictures.split(64).Select(network.call)]).clamp(-1, 1);
        var errors = (restored - pictures).square().mean([1, 2, 3]) / 4;   // per picture, for values 0..1
        var decibels = (double)(-10 * errors.clamp(min: 1e-10).log10()).mean().item<float>();
        var shown = Math.Min(32, (int)places.numel());
        var pairs = stack([pictures.narrow(0, 0, shown), restored.narrow(0, 0, shown)], 1).flatten(0, 1);
        ContactSheet.Write(Path.Combine(_folder, "autoencoder.png"), (pairs / 2) + 0.5, 8);
        _journal.Say(string.Create(CultureInfo.InvariantCulture, $"{decibels:0.0} dB on {places.numel()} unseen drawings."));
        return decibels;
    }

    private void Save(AutoencoderKL network, SceneRenderer renderer)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var places = tensor(Places(picture => picture.IsForTraining)).to(_device);
        var parts = new List<Tensor>();
        foreach (var part in places.split(128))
        {
            using var inner = NewDisposeScope();
            parts.Add(network.Encode(renderer.RenderPlain(part)).Mean.alias().MoveToOuterDisposeScope());
        }

        _journal.Say(LatentScale.MakeEven(network, cat(parts)));
        var folder = Path.Combine(_folder, "vae");
        NetworkFiles.SaveWeights(network, Path.Combine(folder, "diffusion_pytorch_model.safetensors"));
        (Network with { ScalingFactor = 1 }).Save(Path.Combine(folder, "config.json"));
    }
}
