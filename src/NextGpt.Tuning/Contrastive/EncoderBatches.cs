using NextGpt.Model.Decoders.StableDiffusion;
using NextGpt.Model.Encoders;
using NextGpt.Tuning.Data;
using NextGpt.Tuning.Optimisation;
using NextGpt.Tuning.Pictures;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Contrastive;

/// <summary>Media of one kind for a step, the texts they are compared with, and which belong together.</summary>
/// <param name="Views">As the tower takes them.</param>
/// <param name="Labels">What each medium shows.</param>
/// <param name="Texts">Places in the table of texts: one for each medium, then others that only repel.</param>
/// <param name="TextLabels">What each text means.</param>
internal sealed record EncoderBatch(Tensor Views, IReadOnlyList<long> Labels, IReadOnlyList<int> Texts, IReadOnlyList<long> TextLabels);

/// <summary>Chooses what a step learns from.</summary>
/// <remarks>Concepts come equally often, whatever the number of their drawings or recordings. Not thread-safe.</remarks>
internal sealed class EncoderBatches : IDisposable
{
    private const double SceneShare = 0.15;
    private const long SceneLabels = 1_000_000;

    private static readonly string[] Paces = ["", " quickly", " slowly"];

    private readonly EncoderPictures _pictures;
    private readonly SceneRenderer _renderer;
    private readonly Device _device;
    private readonly int _seed;
    private readonly TextTable _texts = new();
    private readonly PictureAtlas _atlas;
    private readonly IReadOnlyList<PictureScene> _scenes;
    private readonly Dictionary<string, long> _labels;
    private readonly int[][] _picturesOf;        // by concept
    private readonly int[][] _captionsOf;        // by drawing
    private readonly int[][] _sceneCaptions;
    private readonly int[] _names;               // by concept
    private readonly int[][] _soundsOf;          // by sounding concept
    private readonly int[][] _soundTexts;        // by recording
    private readonly int[] _soundNames;          // by sounding concept
    private readonly int[][] _movedTexts;        // by concept: plain, quick and slow of each motion
    private readonly int[] _animationTexts;
    private readonly int[] _motionTexts;
    private readonly EncoderWorld _world;
    private SoundBank? _sounds;

    internal EncoderBatches(EncoderWorld world, ImageBindVisionConfig vision, int wordings, int seed, Device device)
    {
        (_world, _atlas, _seed, _device) = (world, world.Training, seed, device);
        var random = new Random(seed);
        var synonyms = EncoderWords.Synonyms(world.Atlas.Pictures.DistinctBy(picture => picture.Concept).Select(picture => (picture.Concept, picture.Keywords)));
        var concepts = Enumerable.Range(0, _atlas.Pictures.Count).GroupBy(index => _atlas.Pictures[index].Concept, StringComparer.Ordinal).ToList();
        _labels = concepts.Select((group, label) => (group.Key, (long)label)).ToDictionary(StringComparer.Ordinal);
        _picturesOf = [.. concepts.Select(group => group.ToArray())];
        _captionsOf = [.. _atlas.Pictures.Select(picture =>
            Enumerable.Range(0, wordings).Select(_ => _texts.Add(EncoderWords.Caption(picture, synonyms, random))).ToArray())];
        _names = [.. concepts.Select(group => _texts.Add(_atlas.Pictures[group.First()].Caption))];
        _scenes = [.. new SceneComposer(_atlas).Compose(2, 2, seed).Where(scene => scene.Weight < 1 || scene.Pieces.Count > 1 || scene.Pieces[0].Size < _atlas.Size)];
        _sceneCaptions = [.. _scenes.Select(scene => scene.Captions.Select(_texts.Add).ToArray())];

        var sounding = Enumerable.Range(0, world.Sounds.Count).GroupBy(index => world.Sounds[index].Concept, StringComparer.Ordinal).ToList();
        _soundsOf = [.. sounding.Select(group => group.ToArray())];
        _soundNames = [.. sounding.Select(group => _texts.Add(EncoderWords.OfSound(group.Key, [])[1]))];
        _soundTexts = [.. world.Sounds.Select(row => EncoderWords.OfSound(row.Concept, [row.Caption, row.Caption])
            .Concat(Pictured(row)).Select(_texts.Add).ToArray())];

        _movedTexts = [.. concepts.Select(group => Motion.All.SelectMany(motion => Paces.Select(pace =>
            _texts.Add($"{_atlas.Pictures[group.First()].Caption} {motion.Name}{pace}"))).ToArray())];
        _motionTexts = [.. Motion.All.SelectMany(EncoderWords.OfMotion).Select(_texts.Add)];
        _animationTexts = [.. world.Animations.Select(row => _texts.Add(row.Caption))];
        Tokenizer = _texts.Learn(MiniEncoder.TextTokens);
        _pictures = new EncoderPictures(_atlas, [.. world.Animations.Select(world.Frames)], vision, device);
        _renderer = new SceneRenderer(_atlas, device);
    }

    /// <summary>The vocabulary of all texts.</summary>
    internal ClipTokenizer Tokenizer { get; }

    /// <summary>How many concepts are drawn and heard.</summary>
    internal (int Drawn, int Heard) Concepts => (_picturesOf.Length, _soundsOf.Length);

    /// <summary>Whether there is anything to hear.</summary>
    internal bool HasSounds => _soundsOf.Length > 0;

    /// <summary>Gives the recordings' spectrograms, which need the encoder's numbers.</summary>
    internal void Hear(SoundBank sounds) => _sounds = sounds;

    /// <summary>Tokens of texts.</summary>
    internal Tensor Tokens(IReadOnlyList<int> texts) => _texts.Rows(texts, _device);

    /// <summary>The choices of a step; the same step chooses the same.</summary>
    internal Random ChoiceOf(int step) => new(unchecked((_seed * 1_000_003) + step));

    /// <summary>Drawings and scenes with their captions, and names of other things.</summary>
    internal EncoderBatch Pictures(int count, int others, Random choice, StepRandom random)
    {
        var scenes = (int)Math.Round(count * SceneShare);
        int[] concepts = [.. Enumerable.Range(0, count - scenes).Select(_ => choice.Next(_picturesOf.Length))];
        int[] drawings = [.. concepts.Select(concept => One(_picturesOf[concept], choice))];
        int[] composed = [.. Enumerable.Range(0, _scenes.Count == 0 ? 0 : scenes).Select(_ => choice.Next(_scenes.Count))];
        var views = _pictures.Drawings(drawings, random);
        if (composed.Length > 0)
        {
            views = cat([views, _pictures.Normalised((_renderer.Render([.. composed.Select(index => _scenes[index])]) + 1) / 2)]);
        }

        long[] labels = [.. concepts.Select(concept => (long)concept), .. composed.Select(LabelOf)];
        var otherConcepts = Enumerable.Range(0, others).Select(_ => choice.Next(_names.Length)).Distinct().Where(concept => !labels.Contains(concept)).ToArray();
        return new EncoderBatch(
            views, labels,
            [.. drawings.Select(drawing => One(_captionsOf[drawing], choice)), .. composed.Select(index => One(_sceneCaptions[index], choice)),
                .. otherConcepts.Select(concept => _names[concept])],
            [.. labels, .. otherConcepts.Select(concept => (long)concept)]);
    }

    /// <summary>Recordings with their texts, and names of other sounds.</summary>
    internal EncoderBatch Sounds(int count, int others, Random choice, StepRandom random)
    {
        var bank = _sounds ?? throw new InvalidOperationException("The recordings have no spectrograms yet.");
        int[] concepts = [.. Enumerable.Range(0, count).Select(_ => choice.Next(_soundsOf.Length))];
        int[] sounds = [.. concepts.Select(concept => One(_soundsOf[concept], choice))];
        long[] labels = [.. concepts.Select(concept => (long)concept)];
        var otherConcepts = Enumerable.Range(0, others).Select(_ => choice.Next(_soundNames.Length)).Distinct().Where(concept => !labels.Contains(concept)).ToArray();
        return new EncoderBatch(
            bank.Pieces(sounds, choice, random), labels,
            [.. sounds.Select(sound => One(_soundTexts[sound], choice)), .. otherConcepts.Select(concept => _soundNames[concept])],
            [.. labels, .. otherConcepts.Select(concept => (long)concept)]);
    }

    /// <summary>Moved drawings and animations; the texts that repel are the same things moving otherwise.</summary>
    internal EncoderBatch Clips(int count, Random choice, StepRandom random, out IReadOnlyList<long> motionsOfClips)
    {
        var animated = _animationTexts.Length == 0 ? [] : Enumerable.Range(0, count / 4).Select(_ => choice.Next(_animationTexts.Length)).ToArray();
        var moved = new List<(int Concept, int Drawing, int Motion, int Pace)>();
        while (moved.Count < count - animated.Length)
        {
            var concept = choice.Next(_picturesOf.Length);
            var motion = choice.Next(Motion.All.Count);
            if (!Motion.All[motion].IsForTesting(_atlas.Pictures[_picturesOf[concept][0]].Concept))
            {
                moved.Add((concept, One(_picturesOf[concept], choice), motion, choice.Next(3)));
            }
        }

        var views = _pictures.Moved(
            [.. moved.Select(clip => clip.Drawing)], [.. moved.Select(clip => Motion.All[clip.Motion])], [.. moved.Select(clip => clip.Pace == 1)], random);
        if (animated.Length > 0)
        {
            views = cat([views, _pictures.Animated(animated, random)]);
        }

        long Label(int concept, int motion) => (concept * 100L) + motion;
        var otherwise = moved.Select(clip => (clip.Concept, Motion: (clip.Motion + 1 + choice.Next(Motion.All.Count - 1)) % Motion.All.Count)).ToList();
        long[] labels = [.. moved.Select(clip => Label(clip.Concept, clip.Motion)), .. animated.Select(index => SceneLabels + index)];
        motionsOfClips = [.. moved.Select(clip => (long)clip.Motion)];
        return new EncoderBatch(
            views, labels,
            [.. moved.Select(clip => _movedTexts[clip.Concept][(clip.Motion * 3) + clip.Pace]), .. animated.Select(index => _animationTexts[index]),
                .. otherwise.Select(clip => _movedTexts[clip.Concept][clip.Motion * 3])],
            [.. labels, .. otherwise.Select(clip => Label(clip.Concept, clip.Motion))]);
    }

    /// <summary>Texts that say a motion of nothing in particular, and which motion each says.</summary>
    internal (IReadOnlyList<int> Texts, IReadOnlyList<long> Labels) Motions() =>
        (_motionTexts, [.. Enumerable.Range(0, _motionTexts.Length).Select(at => (long)(at / (_motionTexts.Length / Motion.All.Count)))]);

    /// <inheritdoc/>
    public void Dispose()
    {
        _pictures.Dispose();
        _renderer.Dispose();
    }

    private static int One(int[] places, Random choice) => places[choice.Next(places.Length)];

    // A scene of one thing shows that thing; one of several shows itself.
    private long LabelOf(int scene) => _scenes[scene].Pieces is [var only]
        ? _labels[_atlas.Pictures[only.Picture].Concept]
        : SceneLabels + scene;

    // A sound is also what the thing that makes it is called: that brings it near the thing's pictures.
    private IEnumerable<string> Pictured(WorldRow row) => row.PictureConcept is { } concept
        && _atlas.Pictures.FirstOrDefault(picture => picture.Concept == concept) is { } picture
            ? [$"the sound of {picture.Caption}"]
            : [];
}
