using NextGpt.Model.Weights;

namespace NextGpt.Model.Tests.Weights;

/// <summary>Whatever the bytes are, a file opens or is refused in a sentence; nothing else happens.</summary>
public sealed class GgufFuzzTests
{
    [Fact]
    public void Two_thousand_damaged_headers_open_or_are_refused() => Run(2_000, seed: 1);

    [Fact(Explicit = true)]
    public void Ten_thousand_damaged_headers_open_or_are_refused() => Run(10_000, seed: 2);

    private static void Run(int cases, int seed)
    {
        byte[][] sound = [Network(), Metadata()];
        var random = new Random(seed);
        var (opened, refused) = (0, 0);
        for (var number = 0; number < cases; number++)
        {
            var bytes = Mutated(sound[number % sound.Length], random);
            using var written = new TemporaryFile(bytes);
            try
            {
                using var llama = new GgufLlama(written.Path);
                foreach (var (name, info) in llama.Tensors)
                {
                    llama.Read(name, new float[info.Count]);
                }

                opened++;
            }
            catch (InvalidDataException exception)
            {
                Assert.StartsWith(written.Path, exception.Message);
                refused++;
            }
            catch (Exception exception)
            {
                Assert.Fail($"case {number} of seed {seed}: {exception}");
            }
        }

        // Both outcomes must occur, or the mutator tests nothing.
        Assert.True(opened > 0 && refused > cases / 4, $"{opened} opened, {refused} refused");
    }

    private static byte[] Mutated(byte[] source, Random random)
    {
        var bytes = source.ToArray();
        for (var change = random.Next(1, 4); change > 0; change--)
        {
            var place = random.Next(bytes.Length);
            switch (random.Next(7))
            {
                case 0:
                    bytes[place] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[place] = (byte)random.Next(256);
                    break;
                case 2:   // a length or count with an extreme value
                    ulong[] extremes = [0, 1, 0x7FFF_FFFF, 0x8000_0000, uint.MaxValue, long.MaxValue, ulong.MaxValue, 1ul << 40];
                    Put(bytes, place, BitConverter.GetBytes(extremes[random.Next(extremes.Length)]));
                    break;
                case 3:
                    Put(bytes, place, BitConverter.GetBytes(random.Next(40)));
                    break;
                case 4:
                    bytes = bytes[..Math.Max(1, place)];
                    break;
                case 5:
                    var length = random.Next(1, 64);
                    var from = random.Next(bytes.Length);
                    Put(bytes, place, bytes[from..Math.Min(bytes.Length, from + length)]);
                    break;
                default:
                    bytes = [.. bytes[..place], .. bytes[Math.Min(bytes.Length, place + random.Next(1, 16))..], 0];
                    break;
            }
        }

        return bytes;
    }

    private static void Put(byte[] bytes, int place, byte[] what) =>
        what.AsSpan(0, Math.Min(what.Length, bytes.Length - place)).CopyTo(bytes.AsSpan(place));

    private static byte[] Network() => GgufLlamaTests.Tiny("llama", new Random(3)).ToArray();

    private static byte[] Metadata() => GgufLlamaTests.Tiny("qwen2", new Random(4))
        .Add("tokenizer.ggml.tokens", Enumerable.Range(0, 32).Select(id => $"t{id}").ToArray())
        .Add("tokenizer.ggml.scores", Enumerable.Range(0, 32).Select(id => -(float)id).ToArray())
        .Add("tokenizer.ggml.token_type", Enumerable.Repeat(1, 32).ToArray())
        .Add("nested", new object[] { new[] { "a" }, new[] { "b", "c" } })
        .Add("flags", new[] { true, false })
        .Add("wide", new[] { 1ul, ulong.MaxValue })
        .ToArray();
}
