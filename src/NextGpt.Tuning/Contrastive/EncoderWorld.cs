using NextGpt.Tuning.Data;

namespace NextGpt.Tuning.Contrastive;

/// <summary>What of the world an encoder may be trained on, and what it is measured on.</summary>
/// <param name="world">The rows and their files.</param>
/// <param name="atlas">The drawings of the same world.</param>
/// <param name="styles">Drawing styles to train on; null is all that may be trained on.</param>
internal sealed class EncoderWorld(WorldData world, PictureAtlas atlas, IReadOnlyCollection<string>? styles)
{
    /// <summary>The rows.</summary>
    internal WorldData World { get; } = world;

    /// <summary>All drawings, for measuring.</summary>
    internal PictureAtlas Atlas { get; } = atlas;

    /// <summary>Drawings to train on and nothing else.</summary>
    internal PictureAtlas Training { get; } = Chosen(atlas, styles);

    /// <summary>Recordings to train on.</summary>
    internal IReadOnlyList<WorldRow> Sounds { get; } = [.. world.Of(WorldKind.Sound).Where(row => row.IsForTraining)];

    /// <summary>Animations to train on; they are drawn in one style, so they come only with it.</summary>
    internal IReadOnlyList<WorldRow> Animations { get; } =
        [.. world.Of(WorldKind.Clip).Where(row => row.IsForTraining && (styles is null || styles.Contains(row.Style ?? "")))];

    /// <summary>Frames of an animation, as <see cref="PictureAtlas"/> keeps drawings.</summary>
    /// <param name="row">A clip.</param>
    /// <returns>[frames, 4, size, size] bytes.</returns>
    internal byte[] Frames(WorldRow row)
    {
        var file = Path.Combine(World.Folder, row.Path ?? "");
        var (width, height, rgba) = PngPicture.Read(file);
        if (height != Atlas.Size || width % height != 0)
        {
            throw new InvalidDataException($"{file} is {width} x {height}; frames of {Atlas.Size} pixels side by side were expected.");
        }

        var area = height * height;
        var planes = new byte[width / height * 4 * area];
        for (var at = 0; at < width * height; at++)
        {
            var (column, line) = (at % width, at / width);
            var to = (column / height * 4 * area) + (line * height) + (column % height);
            for (var channel = 0; channel < 4; channel++)
            {
                planes[to + (channel * area)] = rgba[(at * 4) + channel];
            }
        }

        return planes;
    }

    private static PictureAtlas Chosen(PictureAtlas atlas, IReadOnlyCollection<string>? styles)
    {
        var unknown = styles?.FirstOrDefault(style => !atlas.Pictures.Any(picture => picture.IsForTraining && picture.Style == style));
        if (unknown is not null)
        {
            var known = atlas.Pictures.Where(picture => picture.IsForTraining).Select(picture => picture.Style).Distinct(StringComparer.Ordinal);
            throw new InvalidDataException($"'{unknown}' is no style that may be trained on; {string.Join(", ", known)} are.");
        }

        int[] places = [.. Enumerable.Range(0, atlas.Pictures.Count).Where(index =>
            atlas.Pictures[index].IsForTraining && (styles is null || styles.Contains(atlas.Pictures[index].Style)))];
        var area = 4 * atlas.Size * atlas.Size;
        var pixels = new byte[places.Length * area];
        for (var index = 0; index < places.Length; index++)
        {
            Array.Copy(atlas.Pixels, (long)places[index] * area, pixels, (long)index * area, area);
        }

        return PictureAtlas.Of([.. places.Select(index => atlas.Pictures[index])], atlas.Size, pixels);
    }
}
