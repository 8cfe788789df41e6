using System.Globalization;
using NextGpt.Media;
using NextGpt.Model.Decoders.StableDiffusion;
using NextGpt.Model.Encoders;
using NextGpt.Model.Weights;
using NextGpt.Tuning.Data;
using NextGpt.Tuning.Optimisation;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Contrastive;

/// <summary>Trains the encoder: pictures, clips, sounds and texts in one space.</summary>
/// <remarks>
/// Contrastive, as Girdhar et al. 2023, section 3.2, but bound by the texts, because every medium of the world has one: pictures
/// and clips with the learned scale of the text tower, sounds with their fixed one (20), which is the published layout. Media are
/// made new for every step and half of their patches are left out (Li et al. 2023). Follows from seed and step alone, so that a
/// resumed run is the unbroken one.
/// </remarks>
public sealed class EncoderTrainer
{
    // The published, fixed factor of the tower for sounds; ImageBind.Embed applies it.
    private const double SoundScale = 20;

    private readonly EncoderWorld _world;
    private readonly TrainingSchedule _schedule;
    private readonly Device _device;
    private readonly string _folder;
    private readonly TrainingJournal _journal;
    private readonly TimeProvider _time;

    /// <summary>Prepares.</summary>
    /// <param name="world">The world's rows and files.</param>
    /// <param name="atlas">The drawings of the same world.</param>
    /// <param name="styles">Drawing styles to train on; null is all that may be trained on.</param>
    /// <param name="schedule">How long and how fast; a batch counts the pictures.</param>
    /// <param name="device">Where to train.</param>
    /// <param name="folder">Where results go: <c>encoder/</c> with its <c>tokenizer/</c>, <c>exam.jsonl</c>.</param>
    /// <param name="output">Takes lines for a person.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="InvalidDataException">A style is none that may be trained on.</exception>
    public EncoderTrainer(
        WorldData world, PictureAtlas atlas, IReadOnlyCollection<string>? styles, TrainingSchedule schedule, Device device, string folder,
        TextWriter output, TimeProvider time)
    {
        _world = new EncoderWorld(world, atlas, styles);
        _schedule = schedule;
        _device = device;
        _folder = folder;
        _journal = new TrainingJournal(folder, output);
        _time = time;
    }

    /// <summary>The numbers of the towers for a tokenizer; the embedded model's unless set.</summary>
    public Func<ClipTokenizer, ImageBindConfig> Network { get; init; } = MiniEncoder.Config;

    /// <summary>Captions per drawing.</summary>
    public int Wordings { get; init; } = 8;

    /// <summary>Spectrograms per recording.</summary>
    public int SoundVariants { get; init; } = 8;

    /// <summary>Names of other things that every picture of a step is compared with besides the step's own texts.</summary>
    public int OtherNames { get; init; } = 160;

    /// <summary>Share of the patches of a medium that is looked at in a step.</summary>
    public double PatchShare { get; init; } = 0.5;

    /// <summary>Share of the old running average that is kept per step.</summary>
    public double AverageDecay { get; init; } = 0.999;

    /// <summary>Decoupled weight decay.</summary>
    public double WeightDecay { get; init; } = 0.05;

    /// <summary>Media per list of a preview's exam, the one at the end takes all; 0 makes no exams.</summary>
    public int ExamCount { get; init; } = 256;

    /// <summary>Trains and writes the network.</summary>
    /// <param name="resume">Whether to go on from the checkpoint.</param>
    /// <param name="cancellationToken">Stops the run after a checkpoint.</param>
    public void Train(bool resume, CancellationToken cancellationToken = default)
    {
        Directory.CreateDirectory(_folder);
        using var random = new StepRandom(_device, _schedule.Seed);
        using var batches = new EncoderBatches(_world, Network(new ClipTokenizer([])).Vision ?? throw NoTower(), Wordings, _schedule.Seed, _device);
        var config = Network(batches.Tokenizer);
        _journal.Say(
            $"{_world.Training.Pictures.Count} drawings of {batches.Concepts.Drawn} things, {_world.Sounds.Count} recordings of {batches.Concepts.Heard}, "
            + $"{_world.Animations.Count} animations, {batches.Tokenizer.VocabularySize} tokens.");
        if (batches.HasSounds)
        {
            batches.Hear(SoundBank.Open(
                _world.World, _world.Sounds, config, SoundVariants, _schedule.Seed, Path.Combine(_folder, "sounds.safetensors"), _device));
        }

        using var network = Fresh(config);
        using var optimiser = new FlatAdamW(
            network.named_parameters().Select(entry => (entry.name, entry.parameter)),
            new FlatAdamWOptions { AverageDecay = AverageDecay, WeightDecay = WeightDecay },
            name => name.Contains("token_embedding", StringComparison.Ordinal) ? 4 : 1);
        var run = new TrainingRun(optimiser, _schedule, _folder, _journal, _time);
        if (resume)
        {
            run.Resume();
        }

        _journal.Say(string.Create(
            CultureInfo.InvariantCulture,
            $"{network.parameters().Sum(weight => weight.numel()) / 1e6:0.0} M weights, batch {_schedule.BatchSize}, on {_device}."));
        var scale = network.named_parameters().First(entry => entry.name == "modality_postprocessors.text.1.log_logit_scale").parameter;
        using var exam = new EncoderExam(_world, config, new ImageBindTokenizer(batches.Tokenizer, MiniEncoder.TextTokens), _device, _folder, _journal);
        network.train();
        run.Train(
            step =>
            {
                random.Begin(step);
                return Loss(network, batches, scale, batches.ChoiceOf(step), random);
            },
            ExamCount == 0 ? null : step =>
            {
                using var average = optimiser.UseAverage();
                Save(network, batches.Tokenizer);
                exam.Sit(network, step, step == _schedule.TotalSteps ? int.MaxValue : ExamCount, cancellationToken);
                network.train();
            },
            _device, cancellationToken);
        using (optimiser.UseAverage())
        {
            Save(network, batches.Tokenizer);
        }
    }

    private Tensor Loss(ImageBind network, EncoderBatches batches, Parameter scale, Random choice, StepRandom random)
    {
        using var scope = NewDisposeScope();
        var count = _schedule.BatchSize;
        var pictures = batches.Pictures(count, OtherNames, choice, random);
        var sounds = batches.HasSounds ? batches.Sounds(Math.Max(2, count * 3 / 8), OtherNames / 2, choice, random) : null;
        var clips = batches.Clips(Math.Max(2, count / 8), choice, random, out var motions);
        var (motionTexts, motionLabels) = batches.Motions();

        // All texts go through their tower together.
        var texts = network.PoolText(batches.Tokens([.. pictures.Texts, .. sounds?.Texts ?? [], .. clips.Texts, .. motionTexts]));
        var parts = texts.split([pictures.Texts.Count, sounds?.Texts.Count ?? 0, clips.Texts.Count, motionTexts.Count]);
        var learned = scale.exp().clamp_max(100);
        var vision = network.Config.Vision ?? throw NoTower();

        var seen = network.Pool(MediaKind.Image, pictures.Views, Places(count, vision.PatchesPerSide * vision.PatchesPerSide, PatchShare, random));
        var loss = Compare(seen, parts[0], learned, pictures.Labels, pictures.TextLabels);

        var moving = network.Pool(MediaKind.Video, clips.Views, Places(clips.Labels.Count, vision.Patches, PatchShare / 2, random));
        loss += 0.25 * Compare(moving, parts[2], learned, clips.Labels, clips.TextLabels);
        loss += 0.25 * Compare(moving.narrow(0, 0, motions.Count), parts[3], learned, motions, motionLabels);
        if (sounds is not null)
        {
            var audio = network.Config.Audio ?? throw NoTower();
            var heard = network.Pool(MediaKind.Audio, sounds.Views, Places(sounds.Labels.Count, audio.Patches, Math.Min(1, 1.4 * PatchShare), random));
            loss += 0.5 * Compare(heard, parts[1], SoundScale, sounds.Labels, sounds.TextLabels);
        }

        return loss.MoveToOuterDisposeScope();
    }

    private Tensor Compare(Tensor media, Tensor texts, Tensor scale, IReadOnlyList<long> labels, IReadOnlyList<long> textLabels) =>
        ContrastiveLoss.Of(media.matmul(texts.t()) * scale, ContrastiveLoss.Same(labels, textLabels, _device));

    private Tensor Compare(Tensor media, Tensor texts, double scale, IReadOnlyList<long> labels, IReadOnlyList<long> textLabels) =>
        ContrastiveLoss.Of(media.matmul(texts.t()) * scale, ContrastiveLoss.Same(labels, textLabels, _device));

    // Other patches for every medium.
    private static Tensor? Places(long batch, int patches, double share, StepRandom random) => share >= 1
        ? null
        : random.Uniform(batch, patches).argsort(1).narrow(1, 0, Math.Max(1, (long)(patches * share)));

    private ImageBind Fresh(ImageBindConfig config)
    {
        // Initial weights come from the library's one generator; a fixed seed makes them the same in every run.
        using var generator = manual_seed(_schedule.Seed);
        var network = new ImageBind(config);
        network.to(_device);
        return network;
    }

    private void Save(ImageBind network, ClipTokenizer tokenizer)
    {
        var folder = Path.Combine(_folder, "encoder");
        Directory.CreateDirectory(folder);
        network.Save(folder, SafetensorsType.F16);
        tokenizer.Save(Path.Combine(folder, "tokenizer"));
    }

    private static InvalidOperationException NoTower() =>
        new("An encoder is trained with towers for pictures, sounds and texts; give the configuration all three.");
}
