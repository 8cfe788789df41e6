using System.Collections.Concurrent;
using NextGpt.Media;
using NextGpt.Tuning.Pictures;

namespace NextGpt.Tuning.Data;

/// <summary>Makes the media of recipes, and measures drawings.</summary>
/// <remarks>Thread-safe; keeps the small drawings it has read (16 KB each).</remarks>
/// <param name="world">Whose files are read.</param>
public sealed class WorldStudio(WorldData world)
{
    /// <summary>Width and height of everything that is made, in pixels.</summary>
    public const int Size = 64;

    /// <summary>Frames of a clip.</summary>
    public const int Frames = 16;

    /// <summary>Frames a second of a clip.</summary>
    public const double FramesPerSecond = 8;

    private const int Area = Size * Size;

    private readonly ConcurrentDictionary<string, byte[]> _drawings = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, (string? Name, double Hue)> _colours = new(StringComparer.Ordinal);

    /// <summary>The measured main colour of a drawing, or null where no colour covers 45 % of it.</summary>
    /// <param name="row">A picture.</param>
    public string? MainColourOf(WorldRow row) => Colour(row).Name;

    /// <summary>By how many degrees a drawing is turned to get another main colour, or null where it does not come out as that.</summary>
    /// <param name="row">A picture.</param>
    /// <param name="colour">One of red, orange, yellow, green, blue, purple.</param>
    public double? HueTurnTo(WorldRow row, string colour)
    {
        var (name, hue) = Colour(row);
        if (name is null || name == colour || !MainColour.Turnable.ContainsKey(name) || !MainColour.Turnable.TryGetValue(colour, out var target))
        {
            return null;
        }

        var turned = Drawing(row).ToArray();
        MainColour.Turn(turned, target - hue);
        return MainColour.Measure(turned) == colour ? target - hue : null;
    }

    /// <summary>Makes what a recipe says.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <exception cref="InvalidDataException">A file of the world is missing or broken.</exception>
    public Medium Make(MediumRecipe recipe) => recipe switch
    {
        PictureRecipe picture => Draw(picture),
        ClipRecipe clip => Film(clip),
        SoundRecipe sound => Sound(sound),
        _ => throw new ArgumentException($"No way is known to make {recipe}.", nameof(recipe)),
    };

    private Picture Draw(PictureRecipe recipe)
    {
        var canvas = Canvas(recipe.Backdrop);
        foreach (var piece in recipe.Pieces)
        {
            var half = piece.Size / 2.0;
            Paint(canvas, Turned(piece.Row, piece.HueTurn), piece.X + half, piece.Y + half, piece.Size, 0, piece.Mirrored);
        }

        return Finished(canvas);
    }

    private VideoClip Film(ClipRecipe recipe)
    {
        var frames = recipe.Motion is { } motion
            ? Enumerable.Range(0, Frames).Select(frame =>
            {
                var pose = motion.Pose(frame, recipe.Quickly);
                var canvas = Canvas(recipe.Backdrop);
                Paint(canvas, Turned(recipe.Row, recipe.HueTurn), (1 + pose.X) * Size / 2, (1 + pose.Y) * Size / 2,
                    recipe.Size * pose.Scale, pose.Degrees, false);
                return Finished(canvas);
            })
            : Strip(recipe.Row).Select(planes =>
            {
                var canvas = Canvas(recipe.Backdrop);
                Paint(canvas, planes, Size / 2.0, Size / 2.0, Size, 0, false);
                return Finished(canvas);
            });
        return new VideoClip { Frames = [.. frames], FramesPerSecond = FramesPerSecond };
    }

    private AudioClip Sound(SoundRecipe recipe)
    {
        var layers = recipe.Layers.Select(row => WaveFile.Read(File.ReadAllBytes(FileOf(row))).ToMono()).ToList();
        var first = SoundShaping.Change(layers[0], recipe.Change);
        return layers.Count == 1 ? first : SoundShaping.Mix(first, layers[1].Resample(first.SampleRateHz));
    }

    private (string? Name, double Hue) Colour(WorldRow row) => _colours.GetOrAdd(row.Id, _ => MainColour.Count(Drawing(row)));

    private byte[] Turned(WorldRow row, double degrees)
    {
        var planes = Drawing(row);
        if (degrees == 0)
        {
            return planes;
        }

        planes = [.. planes];
        MainColour.Turn(planes, degrees);
        return planes;
    }

    private byte[] Drawing(WorldRow row) => _drawings.GetOrAdd(row.Id, _ =>
    {
        var file = FileOf(row);
        var (width, height, rgba) = PngPicture.Read(file);
        if (width != height || width % Size != 0)
        {
            throw new InvalidDataException($"{file} is {width} x {height}; a square with a side divisible by {Size} was expected.");
        }

        var planes = new byte[4 * Area];
        PictureAtlas.Shrink(rgba, width, Size, planes);
        return planes;
    });

    private IEnumerable<byte[]> Strip(WorldRow row)
    {
        var file = FileOf(row);
        var (width, height, rgba) = PngPicture.Read(file);
        if (width != Frames * Size || height != Size)
        {
            throw new InvalidDataException($"{file} is {width} x {height}; {Frames} frames of {Size} pixels side by side were expected.");
        }

        return Enumerable.Range(0, Frames).Select(frame =>
        {
            var planes = new byte[4 * Area];
            for (var at = 0; at < Area; at++)
            {
                var from = ((at / Size * width) + (frame * Size) + (at % Size)) * 4;
                for (var channel = 0; channel < 4; channel++)
                {
                    planes[at + (channel * Area)] = rgba[from + channel];
                }
            }

            return planes;
        });
    }

    private string FileOf(WorldRow row) => Path.Combine(
        world.Folder, row.Path ?? throw new InvalidDataException($"{row.Id} has no file, so nothing can be made of it."));

    private static float[] Canvas(Backdrop backdrop)
    {
        var canvas = new float[3 * Area];
        Array.Fill(canvas, backdrop.Red, 0, Area);
        Array.Fill(canvas, backdrop.Green, Area, Area);
        Array.Fill(canvas, backdrop.Blue, 2 * Area, Area);
        return canvas;
    }

    // Walks the canvas and asks what of the drawing lies there, four times a pixel unless pixels fall on pixels.
    private static void Paint(float[] canvas, byte[] planes, double middleX, double middleY, double size, double degrees, bool mirrored)
    {
        var (sin, cos) = Math.SinCos(-degrees * Math.PI / 180);
        var zoom = Size / size;
        var samples = size == Size && degrees == 0 ? 1 : 2;
        for (var at = 0; at < Area; at++)
        {
            float red = 0, green = 0, blue = 0, alpha = 0;
            for (var sample = 0; sample < samples * samples; sample++)
            {
                var dx = (at % Size) + (((sample % samples) + 0.5) / samples) - middleX;
                var dy = (at / Size) + (((sample / samples) + 0.5) / samples) - middleY;
                var x = ((dx * cos) - (dy * sin)) * zoom;
                var y = ((dx * sin) + (dy * cos)) * zoom;
                Take(planes, (mirrored ? -x : x) + (Size / 2.0) - 0.5, y + (Size / 2.0) - 0.5, ref red, ref green, ref blue, ref alpha);
            }

            var share = 1f / (samples * samples);
            var behind = 1 - (alpha * share);
            canvas[at] = (canvas[at] * behind) + (red * share);
            canvas[at + Area] = (canvas[at + Area] * behind) + (green * share);
            canvas[at + (2 * Area)] = (canvas[at + (2 * Area)] * behind) + (blue * share);
        }
    }

    private static void Take(byte[] planes, double x, double y, ref float red, ref float green, ref float blue, ref float alpha)
    {
        var (left, top) = ((int)Math.Floor(x), (int)Math.Floor(y));
        for (var corner = 0; corner < 4; corner++)
        {
            var (column, row) = (left + (corner & 1), top + (corner >> 1));
            var weight = (float)((1 - Math.Abs(x - column)) * (1 - Math.Abs(y - row)));
            if (weight > 0 && column is >= 0 and < Size && row is >= 0 and < Size)
            {
                var at = (row * Size) + column;
                var opacity = weight * planes[at + (3 * Area)] / 255f;
                red += opacity * planes[at];
                green += opacity * planes[at + Area];
                blue += opacity * planes[at + (2 * Area)];
                alpha += opacity;
            }
        }
    }

    private static Picture Finished(float[] canvas)
    {
        var pixels = new byte[3 * Area];
        for (var at = 0; at < Area; at++)
        {
            for (var channel = 0; channel < 3; channel++)
            {
                pixels[(at * 3) + channel] = (byte)Math.Clamp(Math.Round(canvas[at + (channel * Area)]), 0, 255);
            }
        }

        return new Picture(Size, Size, pixels);
    }
}
