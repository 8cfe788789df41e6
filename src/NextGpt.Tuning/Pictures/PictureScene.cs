using NextGpt.Tuning.Data;

namespace NextGpt.Tuning.Pictures;

/// <summary>One drawing pasted into a scene.</summary>
/// <param name="Picture">Place in the atlas.</param>
/// <param name="X">Left edge in pixels.</param>
/// <param name="Y">Top edge in pixels.</param>
/// <param name="Size">Width and height in pixels: the whole scene's, or half of it.</param>
/// <param name="Mirrored">Whether left and right are swapped.</param>
/// <param name="Blackened">Whether only the outline is kept, filled black.</param>
public sealed record ScenePiece(int Picture, int X, int Y, int Size, bool Mirrored = false, bool Blackened = false);

/// <summary>A training picture that is put together, and sentences that are true of it because it was put together so.</summary>
public sealed record PictureScene
{
    /// <summary>What is pasted, all of one size; the later ones lie on top.</summary>
    public required IReadOnlyList<ScenePiece> Pieces { get; init; }

    /// <summary>What lies behind.</summary>
    public Backdrop Backdrop { get; init; } = Backdrop.White;

    /// <summary>Wordings; all true.</summary>
    public required IReadOnlyList<string> Captions { get; init; }

    /// <summary>How often the scene is shown, relative to others.</summary>
    public double Weight { get; init; } = 1;
}

/// <summary>Puts scenes together from the drawings that may be trained on.</summary>
/// <remarks>
/// Colours, places, sizes and counts are known because they were chosen, so no caption is a guess (data reference, section
/// 6). A drawing without attributes is whole, in the middle, on white: that is what a caption without attributes means.
/// </remarks>
public sealed class SceneComposer
{
    /// <summary>Goes up when the same seed gives other scenes than before, so that latents of the old ones are not mistaken for new.</summary>
    public const int Rules = 2;

    private static readonly (string Name, int X, int Y)[] Places =
    [
        ("at the top left", 0, 0), ("at the top", 1, 0), ("at the top right", 2, 0), ("at the left", 0, 1), ("in the middle", 1, 1),
        ("at the right", 2, 1), ("at the bottom left", 0, 2), ("at the bottom", 1, 2), ("at the bottom right", 2, 2),
    ];

    private readonly PictureAtlas _atlas;
    private readonly int _half;
    private readonly Dictionary<string, int[]> _byStyle;
    private readonly HashSet<string> _noOutline;

    /// <summary>Prepares.</summary>
    /// <param name="atlas">The drawings.</param>
    public SceneComposer(PictureAtlas atlas)
    {
        _atlas = atlas;
        _half = atlas.Size / 2;
        _byStyle = Trainable().GroupBy(index => atlas.Pictures[index].Style)
            .ToDictionary(group => group.Key, group => group.ToArray(), StringComparer.Ordinal);

        // An outline of our own making must not give away a silhouette that is kept back for testing, and is no drawing of
        // a thing that is known by its inside.
        _noOutline = atlas.Pictures
            .Where(picture => (picture.Style == "silhouette" && !picture.IsForTraining) || picture.Group is "face" or "symbol" or "shape")
            .Select(picture => picture.Concept).ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>Scenes of every drawing that may be trained on.</summary>
    /// <param name="variants">Scenes per drawing besides the plain one.</param>
    /// <param name="wordings">Captions per scene.</param>
    /// <param name="seed">Same seed, same scenes.</param>
    public IReadOnlyList<PictureScene> Compose(int variants, int wordings, int seed)
    {
        var random = new Random(seed);
        var scenes = new List<PictureScene>();
        var most = _byStyle.Count == 0 ? 1 : _byStyle.Values.Max(pictures => pictures.Length);
        foreach (var index in Trainable())
        {
            // Rare styles are shown more often, by the root of how rare they are.
            var weight = Math.Sqrt((double)most / _byStyle[_atlas.Pictures[index].Style].Length);
            scenes.Add(Plain(index, wordings, random) with { Weight = weight });
            for (var variant = 0; variant < variants; variant++)
            {
                scenes.Add(Variant(index, wordings, random) with { Weight = weight / variants });
            }
        }

        return scenes;
    }

    /// <summary>The scene a caption without attributes means.</summary>
    /// <param name="index">Place in the atlas.</param>
    /// <param name="wordings">Captions.</param>
    /// <param name="random">Chooses the wordings.</param>
    public PictureScene Plain(int index, int wordings, Random random)
    {
        var picture = _atlas.Pictures[index];
        return new PictureScene
        {
            Pieces = [new ScenePiece(index, 0, 0, _atlas.Size)],
            Captions = Write(wordings, () => CaptionWording.Alone(picture.Caption, picture.Style, random)),
        };
    }

    private IEnumerable<int> Trainable() =>
        Enumerable.Range(0, _atlas.Pictures.Count).Where(index => _atlas.Pictures[index].IsForTraining);

    private static string[] Write(int count, Func<string> write) => [.. Enumerable.Range(0, count).Select(_ => write())];

    private PictureScene Variant(int index, int wordings, Random random)
    {
        var picture = _atlas.Pictures[index];
        return random.NextDouble() switch
        {
            < 0.58 => Coloured(index, wordings, random),
            < 0.70 => Small(index, wordings, random),
            < 0.86 => Pair(index, wordings, random),
            < 0.94 when CaptionWording.Plural(picture.Caption) is { } plural => Several(index, plural, wordings, random),
            >= 0.94 when picture.Style is "flat" or "plain" && !_noOutline.Contains(picture.Concept) => Outline(index, wordings, random),
            _ => Coloured(index, wordings, random),
        };
    }

    private PictureScene Coloured(int index, int wordings, Random random)
    {
        var picture = _atlas.Pictures[index];
        var backdrop = PickBackdrop(picture.Style, random);
        return new PictureScene
        {
            Pieces = [new ScenePiece(index, 0, 0, _atlas.Size)],
            Backdrop = backdrop,
            Captions = Write(wordings, () =>
                CaptionWording.OnBackdrop(CaptionWording.Alone(picture.Caption, picture.Style, random), backdrop, random)),
        };
    }

    private PictureScene Small(int index, int wordings, Random random)
    {
        var picture = _atlas.Pictures[index];
        var (name, x, y) = Places[random.Next(Places.Length)];
        var backdrop = SometimesWhite(picture.Style, random);
        return new PictureScene
        {
            Pieces = [new ScenePiece(index, x * _half / 2, y * _half / 2, _half, Mirror(picture, random))],
            Backdrop = backdrop,
            Captions = Write(wordings, () => CaptionWording.OnBackdrop(
                CaptionWording.Small(picture.Caption, picture.Style, name, random), backdrop, random)),
        };
    }

    private PictureScene Pair(int index, int wordings, Random random)
    {
        var first = _atlas.Pictures[index];
        var others = _byStyle[first.Style];
        var other = others[random.Next(others.Length)];
        if (_atlas.Pictures[other].Concept == first.Concept)
        {
            return Coloured(index, wordings, random);
        }

        var second = _atlas.Pictures[other];
        var upright = random.Next(4) == 0;
        var middle = _half / 2;
        var backdrop = SometimesWhite(first.Style, random);
        return new PictureScene
        {
            Pieces = upright
                ? [new ScenePiece(index, middle, 0, _half, Mirror(first, random)), new ScenePiece(other, middle, _half, _half, Mirror(second, random))]
                : [new ScenePiece(index, 0, middle, _half, Mirror(first, random)), new ScenePiece(other, _half, middle, _half, Mirror(second, random))],
            Backdrop = backdrop,
            Captions = Write(wordings, () => CaptionWording.OnBackdrop(
                CaptionWording.Pair(first.Caption, second.Caption, first.Style, upright, random), backdrop, random)),
        };
    }

    private PictureScene Several(int index, string plural, int wordings, Random random)
    {
        var picture = _atlas.Pictures[index];
        var (count, places) = random.Next(3) switch
        {
            0 => ("two", new[] { (0, _half / 2), (_half, _half / 2) }),
            1 => ("three", [(_half / 2, 0), (0, _half), (_half, _half)]),
            _ => ("four", [(0, 0), (_half, 0), (0, _half), (_half, _half)]),
        };
        var mirrored = Mirror(picture, random);
        var backdrop = SometimesWhite(picture.Style, random);
        return new PictureScene
        {
            Pieces = [.. places.Select(place => new ScenePiece(index, place.Item1, place.Item2, _half, mirrored))],
            Backdrop = backdrop,
            Captions = Write(wordings, () => CaptionWording.OnBackdrop(
                CaptionWording.Styled($"{count} {plural}", picture.Style, random), backdrop, random)),
        };
    }

    private PictureScene Outline(int index, int wordings, Random random)
    {
        var picture = _atlas.Pictures[index];
        return new PictureScene
        {
            Pieces = [new ScenePiece(index, 0, 0, _atlas.Size, Blackened: true)],
            Captions = Write(wordings, () => CaptionWording.Alone(picture.Caption, "silhouette", random, always: true)),
        };
    }

    private static bool Mirror(WorldPicture picture, Random random) =>
        !CaptionWording.NamesSide(picture.Caption) && random.Next(2) == 0;

    private static Backdrop SometimesWhite(string style, Random random) =>
        random.Next(2) == 0 ? Backdrop.White : PickBackdrop(style, random);

    private static Backdrop PickBackdrop(string style, Random random)
    {
        var candidates = style == "silhouette"
            ? Backdrop.Coloured.Where(backdrop => backdrop.IsLight).ToList()
            : Backdrop.Coloured;
        return candidates[random.Next(candidates.Count)];
    }
}
