using System.IO.Compression;
using System.Text.Json;

namespace NextGpt.Tuning.Data;

/// <summary>All pictures of the training world in one small size, in one file and in memory.</summary>
/// <remarks>Immutable and thread-safe. Transparent pixels are black, so that they compress and average well.</remarks>
public sealed class PictureAtlas
{
    private const string Magic = "NextGpt picture atlas 1\n";

    private PictureAtlas(IReadOnlyList<WorldPicture> pictures, int size, byte[] pixels)
    {
        Pictures = pictures;
        Size = size;
        Pixels = pixels;
    }

    /// <summary>The pictures, in the order of the pixels.</summary>
    public IReadOnlyList<WorldPicture> Pictures { get; }

    /// <summary>Width and height of every picture in pixels.</summary>
    public int Size { get; }

    /// <summary>[pictures, 4, size, size] bytes: red, green, blue (not multiplied) and opacity planes.</summary>
    public byte[] Pixels { get; }

    /// <summary>Reads the pictures of a world and makes them small.</summary>
    /// <param name="world">A folder with <c>captions.jsonl</c> and <c>pictures/</c>.</param>
    /// <param name="size">Width and height to reach; must divide the pictures' own.</param>
    /// <param name="choose">Chooses among what the world describes; null takes all.</param>
    /// <exception cref="InvalidDataException">A picture or its description is broken; the message names it.</exception>
    public static PictureAtlas Build(
        string world, int size = 64, Func<IReadOnlyList<WorldPicture>, IEnumerable<WorldPicture>>? choose = null)
    {
        var rows = File.ReadLines(Path.Combine(world, "captions.jsonl"))
            .Select(line => JsonDocument.Parse(line).RootElement)
            .Where(row => row.GetProperty("kind").GetString() == "picture")
            .Select(row => (
                File: Path.Combine(world, row.GetProperty("path").GetString() ?? string.Empty),
                Picture: row.Deserialize<WorldPicture>() ?? throw new InvalidDataException($"{world}: captions.jsonl has an empty row.")))
            .ToList();
        if (choose is not null)
        {
            var chosen = choose([.. rows.Select(row => row.Picture)]).ToHashSet();
            rows.RemoveAll(row => !chosen.Contains(row.Picture));
        }

        var pixels = new byte[rows.Count * 4 * size * size];
        Parallel.For(0, rows.Count, index =>
        {
            var file = rows[index].File;
            var (width, height, rgba) = PngPicture.Read(file);
            if (width != height || width % size != 0)
            {
                throw new InvalidDataException($"{file} is {width} x {height}; a square with a side divisible by {size} was expected.");
            }

            Shrink(rgba, width, size, pixels.AsSpan(index * 4 * size * size, 4 * size * size));
        });
        return new PictureAtlas([.. rows.Select(row => row.Picture)], size, pixels);
    }

    /// <summary>Makes an atlas of given pixels.</summary>
    /// <param name="pictures">What they show.</param>
    /// <param name="size">Width and height.</param>
    /// <param name="pixels">[pictures, 4, size, size] bytes.</param>
    public static PictureAtlas Of(IReadOnlyList<WorldPicture> pictures, int size, byte[] pixels) =>
        pixels.Length == pictures.Count * 4 * size * size
            ? new PictureAtlas(pictures, size, pixels)
            : throw new ArgumentException(
                $"{pictures.Count} pictures of {size} pixels need {pictures.Count * 4 * size * size} bytes; there are {pixels.Length}.",
                nameof(pixels));

    /// <summary>Reads a packed file.</summary>
    /// <param name="file">Path of the file.</param>
    /// <exception cref="InvalidDataException">The file is not an atlas, or is cut short.</exception>
    public static PictureAtlas Load(string file)
    {
        using var stream = File.OpenRead(file);
        using var reader = new BinaryReader(stream);
        if (!reader.ReadBytes(Magic.Length).AsSpan().SequenceEqual(System.Text.Encoding.ASCII.GetBytes(Magic)))
        {
            throw new InvalidDataException($"{file} is not a picture atlas.");
        }

        try
        {
            var size = reader.ReadInt32();
            var pictures = JsonSerializer.Deserialize<WorldPicture[]>(reader.ReadBytes(reader.ReadInt32())) ?? [];
            var pixels = new byte[pictures.Length * 4 * size * size];
            using var unpacked = new BrotliStream(stream, CompressionMode.Decompress);
            unpacked.ReadExactly(pixels);
            Unpredict(pixels, size);
            return new PictureAtlas(pictures, size, pixels);
        }
        catch (Exception failure) when (failure is EndOfStreamException or JsonException)
        {
            throw new InvalidDataException($"{file} is cut short or damaged.", failure);
        }
    }

    /// <summary>Writes a packed file.</summary>
    /// <param name="file">Path of the file; replaced where it exists.</param>
    /// <param name="level">How hard to pack; the smallest takes minutes for the whole world.</param>
    public void Save(string file, CompressionLevel level = CompressionLevel.SmallestSize)
    {
        using var stream = File.Create(file);
        using var writer = new BinaryWriter(stream);
        writer.Write(System.Text.Encoding.ASCII.GetBytes(Magic));
        writer.Write(Size);
        var rows = JsonSerializer.SerializeToUtf8Bytes(Pictures);
        writer.Write(rows.Length);
        writer.Write(rows);
        writer.Flush();
        using var packer = new BrotliStream(stream, level);
        packer.Write(Predicted());
    }

    // Each pixel as the difference to a guess from its left and upper neighbours: drawings are flat, so most become zero.
    private byte[] Predicted()
    {
        var result = new byte[Pixels.Length];
        for (var at = 0; at < Pixels.Length; at++)
        {
            result[at] = (byte)(Pixels[at] - Guess(Pixels, at, Size));
        }

        return result;
    }

    private static void Unpredict(byte[] pixels, int size)
    {
        for (var at = 0; at < pixels.Length; at++)
        {
            pixels[at] += (byte)Guess(pixels, at, size);
        }
    }

    private static int Guess(byte[] pixels, int at, int size)
    {
        var (column, row) = (at % size, at / size % size);
        var left = column > 0 ? pixels[at - 1] : 0;
        var above = row > 0 ? pixels[at - size] : 0;
        var corner = column > 0 && row > 0 ? pixels[at - size - 1] : 0;
        return column == 0 ? above : row == 0 ? left : Math.Clamp(left + above - corner, Math.Min(left, above), Math.Max(left, above));
    }

    // Averages blocks with opacity as weight, so that the colour under transparent pixels does not bleed.
    internal static void Shrink(byte[] rgba, int width, int size, Span<byte> planes)
    {
        var block = width / size;
        for (var y = 0; y < size; y++)
        {
            for (var x = 0; x < size; x++)
            {
                long red = 0, green = 0, blue = 0, alpha = 0;
                for (var inner = 0; inner < block * block; inner++)
                {
                    var at = ((((y * block) + (inner / block)) * width) + (x * block) + (inner % block)) * 4;
                    var opacity = rgba[at + 3];
                    red += rgba[at] * opacity;
                    green += rgba[at + 1] * opacity;
                    blue += rgba[at + 2] * opacity;
                    alpha += opacity;
                }

                var to = (y * size) + x;
                if (alpha > 0)
                {
                    planes[to] = (byte)((red + (alpha / 2)) / alpha);
                    planes[to + (size * size)] = (byte)((green + (alpha / 2)) / alpha);
                    planes[to + (2 * size * size)] = (byte)((blue + (alpha / 2)) / alpha);
                }

                planes[to + (3 * size * size)] = (byte)((alpha + (block * block / 2)) / (block * block));
            }
        }
    }
}
