using System.Buffers.Binary;
using System.Globalization;
using NextGpt.Model.Weights;

namespace NextGpt.Model.Tests.Weights;

/// <summary>
/// Damaged and malicious files against the reader: it opens them or refuses them with its documented exception, and what
/// it opens it can read. The long form: set <c>NEXTGPT_FUZZ_CASES=10000</c> (or more).
/// </summary>
public sealed class SafetensorsFuzzTests : IDisposable
{
    private const int Seed = 20_240_611;

    private static readonly string[] Morsels =
    [
        "\"", "{", "}", "[", "]", ",", ":", "0", "-1", "9223372036854775807", "18446744073709551616", "1e9", "null", "true",
        "\\u0000", "\\ud800", "F32", "F16", "I64", "BOOL", "F8_E4M3", "dtype", "shape", "data_offsets", "__metadata__",
        "{\"a\":{}}", "[0,0]", "[4294967296,4294967296]", " ", "\n", "\u00e9",
    ];

    private readonly string _folder = Directory.CreateTempSubdirectory("safetensors-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void THR_13_Whatever_is_damaged_the_reader_opens_and_reads_or_refuses_in_its_own_words()
    {
        var asked = Environment.GetEnvironmentVariable("NEXTGPT_FUZZ_CASES");
        var cases = asked is null ? 2_000 : int.Parse(asked, CultureInfo.InvariantCulture);
        var whole = WholeFile();
        var random = new Random(Seed);
        var path = Path.Combine(_folder, "case.safetensors");
        var (opened, refused) = (0, 0);

        for (var i = 0; i < cases; i++)
        {
            File.WriteAllBytes(path, Mutated(whole, random));
            try
            {
                using var file = SafetensorsFile.Open(path);
                foreach (var (name, info) in file.Tensors)
                {
                    file.Read(name, new float[info.Count]);
                }

                opened++;
            }
            catch (InvalidDataException refusal)
            {
                Assert.StartsWith(path, refusal.Message);
                refused++;
            }
            catch (Exception other)
            {
                Assert.Fail($"case {i} of seed {Seed}: {other}");
            }
        }

        // Both outcomes must occur, or the mutator has lost its bite.
        Assert.True(opened > cases / 100 && refused > cases / 2, $"{opened} opened, {refused} refused of {cases}");
    }

    private static byte[] Mutated(byte[] whole, Random random)
    {
        var bytes = (byte[])whole.Clone();
        var header = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
        for (var changes = random.Next(1, 4); changes > 0; changes--)
        {
            bytes = random.Next(8) switch
            {
                0 => FlipBit(bytes, random.Next(bytes.Length), random),
                1 => FlipBit(bytes, random.Next(8, Math.Min(8 + header, bytes.Length)), random),
                2 => bytes[..random.Next(9, bytes.Length + 1)],
                3 => [.. bytes, .. new byte[random.Next(1, 32)]],
                4 => WithLength(bytes, random),
                _ => WithMorsel(bytes, header, random),
            };
            if (bytes.Length < 12)
            {
                break;
            }
        }

        return bytes;
    }

    private static byte[] FlipBit(byte[] bytes, int at, Random random)
    {
        bytes[at] ^= (byte)(1 << random.Next(8));
        return bytes;
    }

    private static byte[] WithLength(byte[] bytes, Random random)
    {
        var length = random.Next(3) switch
        {
            0 => random.NextInt64(),
            1 => random.Next(0, bytes.Length * 2),
            _ => -random.NextInt64(),
        };
        BinaryPrimitives.WriteInt64LittleEndian(bytes, length);
        return bytes;
    }

    /// <summary>Puts a piece of JSON over or into the header; mostly with a length word that still fits.</summary>
    private static byte[] WithMorsel(byte[] bytes, int header, Random random)
    {
        var morsel = System.Text.Encoding.UTF8.GetBytes(Morsels[random.Next(Morsels.Length)]);
        var at = random.Next(8, Math.Min(8 + header, bytes.Length));
        var removed = random.Next(2) == 0 ? 0 : Math.Min(morsel.Length, bytes.Length - at);
        byte[] changed = [.. bytes.AsSpan(0, at), .. morsel, .. bytes.AsSpan(at + removed)];
        if (random.Next(4) > 0)
        {
            BinaryPrimitives.WriteInt64LittleEndian(changed, header + morsel.Length - removed);
        }

        return changed;
    }

    private byte[] WholeFile()
    {
        var path = Path.Combine(_folder, "whole.safetensors");
        var writer = new SafetensorsWriter();
        writer.Add("model.embed_tokens.weight", [4, 3], new float[12]);
        writer.Add("model.norm.weight", [3], new float[3], SafetensorsType.BF16);
        writer.Add("half", [2, 1, 2], new float[4], SafetensorsType.F16);
        writer.Add("ids", [2], new long[2]);
        writer.Add("scalar", [], new float[1]);
        writer.Save(path);
        return File.ReadAllBytes(path);
    }
}
