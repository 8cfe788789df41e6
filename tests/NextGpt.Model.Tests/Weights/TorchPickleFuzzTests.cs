using System.Globalization;
using NextGpt.Model.Weights;

namespace NextGpt.Model.Tests.Weights;

/// <summary>
/// Damaged and malicious files against the reader: it opens them or refuses them with its documented exception, and what
/// it opens it can read or refuses to. The long form: set <c>NEXTGPT_FUZZ_CASES=10000</c> (or more).
/// </summary>
public sealed class TorchPickleFuzzTests : IDisposable
{
    private const int Seed = 20_241_123;
    private static readonly byte[] Opcodes = [.. "(0NKMJGXU)tl]ae}dsuqrhjcQRb.iopPg2"u8, 0x80, 0x81, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0x93, 0x94, 0x95];
    private readonly string _folder = Directory.CreateTempSubdirectory("torch-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void THR_13_Whatever_is_damaged_the_reader_opens_and_reads_or_refuses_in_its_own_words()
    {
        var asked = Environment.GetEnvironmentVariable("NEXTGPT_FUZZ_CASES");
        var cases = asked is null ? 1_500 : int.Parse(asked, CultureInfo.InvariantCulture);
        byte[][] whole = [Writer(false).Zip(), Writer(true).Zip(), Writer(false).Old(), Zip64.Of(Writer(false).Zip())];
        var random = new Random(Seed);
        var path = Path.Combine(_folder, "case.pt");
        var (opened, refused) = (0, 0);

        for (var i = 0; i < cases; i++)
        {
            File.WriteAllBytes(path, Mutated(whole[i % whole.Length], random));
            try
            {
                using var file = TorchPickleFile.Open(path);
                foreach (var (name, info) in file.Tensors)
                {
                    file.Read(name, new float[info.Count]);
                }

                opened++;
            }
            catch (InvalidDataException refusal)
            {
                Assert.StartsWith(path, refusal.Message, StringComparison.Ordinal);
                refused++;
            }
            catch (Exception other)
            {
                Assert.Fail($"case {i} of seed {Seed}: {other}");
            }
        }

        // Both outcomes must occur, or the mutator has lost its bite.
        Assert.True(opened > cases / 100 && refused > cases / 3, $"{opened} opened, {refused} refused of {cases}");
    }

    private static TorchPickleWriter Writer(bool deflated)
    {
        var writer = new TorchPickleWriter { Deflated = deflated }.Add("a.weight", [2, 3], 1, 2, 3, 4, 5, 6);
        var shared = writer.Storage(SafetensorsType.F16, new byte[48]);
        return writer.View("b", shared, 2, [3, 4], [4, 1], parameter: true).View("c", shared, 0, [4, 3], [1, 4])
            .Add("ids", SafetensorsType.I64, [2], new byte[16])
            .Raw("steps", pickle => pickle.Number(70_000));
    }

    private static byte[] Mutated(byte[] whole, Random random)
    {
        var bytes = (byte[])whole.Clone();
        for (var changes = random.Next(1, 4); changes > 0; changes--)
        {
            var at = random.Next(bytes.Length);
            switch (random.Next(7))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = Opcodes[random.Next(Opcodes.Length)];
                    break;
                case 2:
                    bytes = bytes[..Math.Max(20, at)];
                    break;
                case 3:
                    bytes.AsSpan(at, Math.Min(bytes.Length - at, random.Next(1, 9))).Fill((byte)(random.Next(2) * 255));
                    break;
                case 4:
                    var from = random.Next(bytes.Length);
                    var length = Math.Min(random.Next(1, 64), bytes.Length - Math.Max(at, from));
                    bytes.AsSpan(from, length).ToArray().CopyTo(bytes.AsSpan(at));
                    break;
                case 5:
                    bytes = [.. bytes.AsSpan(0, at), Opcodes[random.Next(Opcodes.Length)], .. bytes.AsSpan(at)];
                    break;
                default:
                    var near = Math.Max(0, bytes.Length - random.Next(1, Math.Min(300, bytes.Length)));
                    bytes[near] = (byte)random.Next(256);
                    break;
            }
        }

        return bytes;
    }
}
