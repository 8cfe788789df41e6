using NextGpt.Media;
using NextGpt.Model;
using NextGpt.Tuning.Data;
using NextGpt.Tuning.Pictures;
using NextGpt.Tuning.Talk;
using NextGpt.Tuning.Tasks;

namespace NextGpt.Tuning.Evaluation;

/// <summary>What rows work with: the model, the untouched one, the world, the judge.</summary>
/// <remarks>Belongs to one evaluation. What is costly is made when the first row wants it and kept for the others.</remarks>
internal sealed class EvaluationBench(EvaluationOptions options, Examinee examinee, Func<Examinee?> untouched, WorldData? world, EncoderJudge? judge)
{
    private readonly Lazy<Examinee?> _untouched = new(untouched);
    private readonly Lazy<TaskMixture?> _mixture = new(() => world is null ? null : new TaskMixture(world, options.Seed));
    private GalleryOf? _pictures;
    private GalleryOf? _sounds;

    internal EvaluationOptions Options { get; } = options;

    internal Examinee Examinee { get; } = examinee;

    /// <summary>The language model before anything was taught to it, without a system text; null where there is none.</summary>
    internal Examinee? Untouched => _untouched.Value;

    /// <summary>Whether nothing was taught to the examinee: it is a language model alone.</summary>
    internal bool IsUntouched { get; init; }

    internal WorldData? World { get; } = world;

    internal EncoderJudge? Judge { get; } = judge;

    /// <summary>Hears how many of how many requests of the running row are answered.</summary>
    internal Action<int, int> Progress { get; set; } = (_, _) => { };

    /// <summary>The samples of a world.</summary>
    /// <exception cref="InvalidOperationException">There is no world; rows ask first.</exception>
    internal TaskMixture Mixture => _mixture.Value ?? throw new InvalidOperationException("This row needs a world.");

    /// <summary>Why a row that needs the world cannot run, or null.</summary>
    internal string? WithoutWorld => World is null ? "No world was given; fetch it with `nextgpt data fetch` and name it with --world." : null;

    /// <summary>Why a row that needs the judge cannot run, or null.</summary>
    internal string? WithoutJudge(MediaKind kind) => Judge is null ? "No judge was given; name an encoder's folder with --judge."
        : Judge.Sees(kind) ? null : $"The judge has no tower for media of kind {kind}; give another one.";

    /// <summary>Why a row cannot run with a model that does not make a kind of medium, or null.</summary>
    internal string? WithoutMaking(MediaKind kind) => Examinee.Abilities.Makes.Contains(kind) ? null : $"The model makes no media of kind {kind}.";

    /// <summary>Why a row cannot run with a model that does not read a kind of medium, or null.</summary>
    internal string? WithoutReading(MediaKind kind) => Examinee.Abilities.Reads.Contains(kind) ? null : $"The model reads no media of kind {kind}.";

    /// <summary>How many requests a row makes.</summary>
    /// <param name="full">In a whole evaluation.</param>
    /// <param name="quick">In a quick one.</param>
    internal int Count(int full, int quick) => Math.Min(Options.Quick ? quick : full, Options.Most ?? int.MaxValue);

    /// <summary>Chance of a row's own, from the held-out side.</summary>
    internal TalkDraw Draw(string row)
    {
        // FNV-1a: the same on every machine, unlike a string's own hash.
        var hash = 2_166_136_261u;
        foreach (var letter in row)
        {
            hash = (hash ^ letter) * 16_777_619u;
        }

        return new TalkDraw((int)((hash ^ (uint)Options.Seed) & int.MaxValue), testing: true);
    }

    /// <summary>Different rows by chance, at most so many.</summary>
    internal static IReadOnlyList<WorldRow> Some(TalkDraw draw, IEnumerable<WorldRow> rows, int count)
    {
        var all = rows.OrderBy(row => row.Id, StringComparer.Ordinal).ToList();
        return draw.Some(all, Math.Min(count, all.Count));
    }

    /// <summary>Asks the examinee, telling how far it is.</summary>
    internal Task<IReadOnlyList<Reply>> AskAsync(int count, Func<int, GenerationRequest> request, CancellationToken cancellationToken) =>
        Examinee.AskAsync(count, request, done => Progress(done, count), cancellationToken);

    /// <summary>Pictures that have a speakable name, apart from those of concepts that are kept back whole.</summary>
    internal IReadOnlyList<WorldRow> NamedPictures => World is null ? [] :
        [.. World.Of(WorldKind.Picture).Where(row => row.Split is "train" or "test_pair" && WorldNames.Of(row) is not null)];

    /// <summary>Where the judge sees the world's pictures.</summary>
    internal GalleryOf Pictures(CancellationToken cancellationToken) =>
        _pictures ??= Gallery(NamedPictures, row => new PictureRecipe([new PicturePiece(row)], Backdrop.White), cancellationToken);

    /// <summary>Where the judge hears the world's sounds.</summary>
    internal GalleryOf Sounds(CancellationToken cancellationToken) => _sounds ??= Gallery(
        [.. (World?.Of(WorldKind.Sound) ?? []).Where(row => row.Split is "train" or "test_pair")], row => new SoundRecipe([row]), cancellationToken);

    private GalleryOf Gallery(IReadOnlyList<WorldRow> rows, Func<WorldRow, MediumRecipe> recipe, CancellationToken cancellationToken)
    {
        var judge = Judge ?? throw new InvalidOperationException("This row needs a judge.");
        var directions = judge.Embed(rows.Select(row => Mixture.Studio.Make(recipe(row))), cancellationToken);
        return new GalleryOf(
            new ConceptGallery(rows.Zip(directions, (row, direction) => (row.Concept, direction))),
            rows.Zip(directions).ToDictionary(pair => pair.First.Id, pair => pair.Second, StringComparer.Ordinal));
    }
}

/// <summary>Concepts of one kind of medium and where each of their media is.</summary>
/// <param name="Concepts">To compare with.</param>
/// <param name="Media">Directions by the rows' ids.</param>
internal sealed record GalleryOf(ConceptGallery Concepts, IReadOnlyDictionary<string, float[]> Media)
{
    /// <summary>The ranks of real media, each left out of its own concept's place; null where a concept has but one.</summary>
    internal IReadOnlyList<int?> RealRanks(IEnumerable<WorldRow> rows) =>
        [.. rows.Select(row => Media.TryGetValue(row.Id, out var direction) ? Concepts.Rank(direction, row.Concept, ownMedium: true) : null)];
}
