using System.Globalization;
using System.Text.Json;
using NextGpt.Model.Decoders.Enlarging;
using NextGpt.Model.Decoders.StableDiffusion;
using NextGpt.Tuning.Data;
using NextGpt.Tuning.Optimisation;
using NextGpt.Tuning.Pictures;
using TorchSharp;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Enlarging;

/// <summary>Trains the network that makes small drawings large.</summary>
/// <remarks>
/// The world's drawings are rendered large, so pairs are free: the small one is the mean of blocks, as the training pictures of the
/// drawing networks were made, and most times goes through the autoencoder once, with its latent a little disturbed, so that the
/// network also repairs what decoding leaves soft. The loss is the error of pixels and of their differences to the neighbours (edges),
/// absolute but rounded near zero (Lai et al. 2017, section 3.3): most of a drawing is flat, plain interpolation is exact there, and
/// with a kink at zero a fresh network would not move at all. A step looks at two random parts of every picture it renders.
/// </remarks>
public sealed class EnlargerTrainer
{
    private const double EdgeWeight = 0.25;   // where an edge is uncertain, the edge error alone would rather have none
    private const double Rounding = 0.02;
    private const int PartsPerPicture = 2;
    private const double DecodedShare = 0.75;
    private const double SeveralShare = 0.15;
    private const double LatentDisturbance = 0.15;
    private const int JudgedPictures = 96;

    private const double AverageDecay = 0.995;   // runs are short: a longer memory would keep what was wrong at the start

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private readonly PictureAtlas _atlas;
    private readonly TrainingSchedule _schedule;
    private readonly Device _device;
    private readonly string _folder;
    private readonly TrainingJournal _journal;
    private readonly TimeProvider _time;

    /// <summary>Prepares.</summary>
    /// <param name="atlas">Large drawings; their size is the network's factor times the autoencoder's.</param>
    /// <param name="schedule">How long and how fast.</param>
    /// <param name="device">Where to train.</param>
    /// <param name="folder">Where results go: <c>enlarger/</c>, checkpoint, journal, <c>enlarged.png</c>, <c>figures.json</c>.</param>
    /// <param name="output">Takes lines for a person.</param>
    /// <param name="time">The clock.</param>
    public EnlargerTrainer(
        PictureAtlas atlas, TrainingSchedule schedule, Device device, string folder, TextWriter output, TimeProvider time)
    {
        _atlas = atlas;
        _schedule = schedule;
        _device = device;
        _folder = folder;
        _journal = new TrainingJournal(folder, output);
        _time = time;
    }

    /// <summary>Folder of the trained autoencoder, in diffusers layout; null where nothing soft shall be repaired.</summary>
    public string? Autoencoder { get; init; }

    /// <summary>The numbers of the network.</summary>
    public PictureEnlargerConfig Network { get; init; } = new();

    /// <summary>Share of the small picture's sides that a step looks at; the rest of the work is saved.</summary>
    public double PartSide { get; init; } = 0.5;

    /// <summary>Chooses the drawings of a large world: all pairs that are kept back, and some that may be trained on.</summary>
    /// <param name="pictures">All of them.</param>
    /// <param name="count">For training at most.</param>
    /// <param name="seed">Same seed, same choice.</param>
    public static IEnumerable<WorldPicture> Choose(IReadOnlyList<WorldPicture> pictures, int count, int seed)
    {
        ArgumentNullException.ThrowIfNull(pictures);
        var training = pictures.Where(picture => picture.IsForTraining).ToArray();
        new Random(seed).Shuffle(training);
        return training.Take(count).Concat(pictures.Where(picture => picture.Split == "test_pair"));
    }

    /// <summary>Trains, judges, and writes <c>enlarger/</c> if the network beats interpolation.</summary>
    /// <param name="resume">Whether to go on from the checkpoint.</param>
    /// <param name="cancellationToken">Stops the run after a checkpoint.</param>
    /// <returns>The scores at the end, on drawings that were not trained on where there are any.</returns>
    public IReadOnlyList<EnlargingScore> Train(bool resume, CancellationToken cancellationToken = default)
    {
        Directory.CreateDirectory(_folder);
        using var random = new StepRandom(_device, _schedule.Seed);
        using var renderer = new SceneRenderer(_atlas, _device);
        using var autoencoder = Autoencoder is null ? null : AutoencoderKL.Load(Autoencoder, _device);
        using var network = Fresh();
        using var optimiser = new FlatAdamW(network.named_parameters(), new FlatAdamWOptions { AverageDecay = AverageDecay });
        var run = new TrainingRun(optimiser, _schedule, _folder, _journal, _time);
        if (resume)
        {
            run.Resume();
        }

        using var places = tensor(Places(picture => picture.IsForTraining)).to(_device).DetachFromDisposeScope();
        using var wanted = Judged(renderer);
        var judge = new EnlargingJudge(wanted, Network.Factor, autoencoder is null ? null : small => Decoded(autoencoder, small, null));
        _journal.Say(string.Create(
            CultureInfo.InvariantCulture,
            $"Enlarger of {network.parameters().Sum(weight => weight.numel()) / 1e6:0.00} M weights, {places.numel()} drawings of {_atlas.Size} pixels, "
            + $"judged on {wanted.shape[0]}, {_device}."));
        IReadOnlyList<EnlargingScore> scores = [];
        run.Train(
            step =>
            {
                random.Begin(step);
                return Loss(network, autoencoder, renderer, places, random);
            },
            step =>
            {
                using var average = optimiser.UseAverage();
                scores = judge.Judge(network, Path.Combine(_folder, "enlarged.png"));
                _journal.Say($"step {step}, " + string.Join("; ", scores));
            },
            _device, cancellationToken);
        using (optimiser.UseAverage())
        {
            Keep(network, scores);
        }

        return scores;
    }

    private PictureEnlarger Fresh()
    {
        // Initial weights come from the library's one generator; a fixed seed makes them the same in every run.
        using var generator = manual_seed(_schedule.Seed);
        var network = new PictureEnlarger(Network);
        network.to(_device);
        return network;
    }

    private long[] Places(Func<WorldPicture, bool> chosen) =>
        [.. Enumerable.Range(0, _atlas.Pictures.Count).Where(index => chosen(_atlas.Pictures[index])).Select(index => (long)index)];

    private Tensor Judged(SceneRenderer renderer)
    {
        using var scope = NewDisposeScope();
        var held = Places(picture => picture.Split == "test_pair");
        var shown = held.Length > 0 ? held : Places(_ => true);
        new Random(7).Shuffle(shown);
        return ((renderer.RenderPlain(tensor(shown.Take(JudgedPictures).ToArray()).to(_device)) + 1) / 2).DetachFromDisposeScope();
    }

    private Tensor Loss(PictureEnlarger network, AutoencoderKL? autoencoder, SceneRenderer renderer, Tensor places, StepRandom random)
    {
        using var scope = NewDisposeScope();
        var factor = Network.Factor;
        Tensor large, small;
        using (no_grad())
        {
            large = (Drawn(renderer, places, random) + 1) / 2;   // [batch, 3, size, size]
            small = nn.functional.avg_pool2d(large, factor);
            if (autoencoder is not null)
            {
                var decoded = random.Uniform(small.shape[0], 1, 1, 1) < DecodedShare;
                small = where(decoded, Decoded(autoencoder, small, random), small);
            }

            var side = small.shape[2];
            var part = Math.Clamp((long)Math.Round(side * PartSide), 1, side);
            var corners = random.Whole(side - part + 1, 2 * PartsPerPicture).cpu().data<long>().ToArray().Chunk(2).ToList();
            (small, large) = (
                cat([.. corners.Select(corner => Part(small, corner[0], corner[1], part))]),
                cat([.. corners.Select(corner => Part(large, corner[0] * factor, corner[1] * factor, part * factor))]));
        }

        var difference = network.call(small) - large;
        var (sideways, downwards) = EnlargingScore.Neighbours(difference);
        return (Rounded(difference) + (EdgeWeight * (Rounded(sideways) + Rounded(downwards)))).MoveToOuterDisposeScope();
    }

    private static Tensor Rounded(Tensor difference) => (difference.square() + (Rounding * Rounding)).sqrt().mean() - Rounding;

    /// <summary>[batch, 3, size, size], −1..1: single drawings, whole or somewhat smaller, and now and then four of half the size.</summary>
    private Tensor Drawn(SceneRenderer renderer, Tensor places, StepRandom random)
    {
        using var scope = NewDisposeScope();
        var batch = Math.Max(1L, _schedule.BatchSize / PartsPerPicture);
        var several = random.Uniform(1).item<float>() < SeveralShare;
        var drawings = several ? 4 * batch : batch;
        var chosen = places.index_select(0, random.Whole(places.numel(), drawings));
        var colours = random.Uniform(batch, 3);
        colours = where(random.Uniform(batch, 1) < 0.4, ones_like(colours), colours);          // white is the commonest
        var mirrored = random.Uniform(drawings) < 0.5;
        if (!several)
        {
            var scale = where(random.Uniform(batch) < 0.5, ones(batch, device: _device), 0.6 + (0.4 * random.Uniform(batch)));
            var shift = where((scale < 0.999).unsqueeze(1), (random.Uniform(batch, 2) * 2) - 1, zeros(1, device: _device));
            return renderer.RenderLoose(chosen, colours, mirrored, scale, shift).MoveToOuterDisposeScope();
        }

        var whole = renderer.RenderLoose(
            chosen, colours.repeat_interleave(4, 0), mirrored, ones(drawings, device: _device), zeros(drawings, 2, device: _device));
        var half = nn.functional.avg_pool2d(whole, 2);   // [4 * batch, 3, size / 2, size / 2]
        var side = half.shape[2];
        return half.view(batch, 2, 2, 3, side, side).permute(0, 3, 1, 4, 2, 5).reshape(batch, 3, 2 * side, 2 * side).MoveToOuterDisposeScope();
    }

    // What a decoder would make of a picture of its own size: its latent is never quite the encoder's.
    private static Tensor Decoded(AutoencoderKL autoencoder, Tensor small, StepRandom? random)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var (latent, _) = autoencoder.Encode((small * 2) - 1);
        if (random is not null)
        {
            var much = random.Uniform(latent.shape[0], 1, 1, 1) * LatentDisturbance / autoencoder.Config.ScalingFactor;
            latent = latent + (random.Normal(latent.shape) * much);
        }

        return ((autoencoder.Decode(latent) / 2) + 0.5).clamp(0, 1).MoveToOuterDisposeScope();
    }

    private static Tensor Part(Tensor map, long top, long left, long side) =>
        map.narrow(2, top, side).narrow(3, left, side).contiguous();

    private void Keep(PictureEnlarger network, IReadOnlyList<EnlargingScore> scores)
    {
        File.WriteAllText(Path.Combine(_folder, "figures.json"), JsonSerializer.Serialize(scores, Indented));
        var input = Autoencoder is null ? EnlargingJudge.Drawn : EnlargingJudge.Decoded;
        var byNetwork = scores.Where(score => score.Input == input).ToLookup(score => score.Way == EnlargingJudge.Network);
        var best = byNetwork[false].Max(score => score.Decibels);
        var own = byNetwork[true].Single();
        if (own.Decibels > best && own.EdgeError < byNetwork[false].Min(score => score.EdgeError))
        {
            network.Save(Path.Combine(_folder, "enlarger"));
            _journal.Say(string.Create(CultureInfo.InvariantCulture, $"The network is kept: {own.Decibels - best:0.00} dB above interpolation."));
        }
        else
        {
            _journal.Say("Interpolation is as good; nothing is written. Train longer, or leave the enlarger out of the package.");
        }
    }
}
