using NextGpt.Tuning.Data;

namespace NextGpt.Tuning.Tests.Pictures;

/// <summary>Eight drawings of plain shapes in two styles, made by arithmetic.</summary>
internal static class ToyWorld
{
    private static readonly (string Name, byte Red, byte Green, byte Blue, bool Round)[] Things =
    [
        ("a red ball", 220, 40, 40, true), ("a blue box", 40, 60, 220, false), ("a green ball", 40, 180, 60, true),
        ("an orange box", 250, 150, 40, false),
    ];

    internal static PictureAtlas Atlas(int size = 64)
    {
        var pictures = new List<WorldPicture>();
        var pixels = new byte[2 * Things.Length * 4 * size * size];
        foreach (var style in new[] { "flat", "doodle" })
        {
            foreach (var thing in Things)
            {
                Draw(thing.Red, thing.Green, thing.Blue, thing.Round, style == "doodle", size, pixels.AsSpan(pictures.Count * 4 * size * size));
                var concept = thing.Name[(thing.Name.IndexOf(' ', StringComparison.Ordinal) + 1)..].Replace(' ', '-');
                pictures.Add(new WorldPicture
                {
                    Id = $"{style}/{concept}",
                    Caption = thing.Name,
                    Concept = concept,
                    Group = "object",
                    Style = style,
                    Split = "train",
                    Keywords = [],
                });
            }
        }

        return PictureAtlas.Of(pictures, size, pixels);
    }

    private static void Draw(byte red, byte green, byte blue, bool round, bool hollow, int size, Span<byte> planes)
    {
        for (var place = 0; place < size * size; place++)
        {
            var (x, y) = (((place % size) + 0.5) / size - 0.5, ((place / size) + 0.5) / size - 0.5);
            var distance = round ? Math.Sqrt((x * x) + (y * y)) : Math.Max(Math.Abs(x), Math.Abs(y));
            if (distance < 0.4 && (!hollow || distance > 0.3))
            {
                planes[place] = red;
                planes[place + (size * size)] = green;
                planes[place + (2 * size * size)] = blue;
                planes[place + (3 * size * size)] = 255;
            }
        }
    }
}
