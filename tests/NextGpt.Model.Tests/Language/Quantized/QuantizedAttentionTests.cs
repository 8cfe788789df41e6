using NextGpt.Model.Language;
using NextGpt.Model.Language.Quantized;

namespace NextGpt.Model.Tests.Language.Quantized;

public sealed unsafe class QuantizedAttentionTests
{
    [Theory]
    [InlineData(64, 1)]
    [InlineData(64, 16)]
    [InlineData(64, 45)]
    [InlineData(8, 33)]
    [InlineData(24, 17)]
    public void Results_are_those_of_the_formula_and_do_not_depend_on_the_neighbours(int headSize, int length)
    {
        var config = Config(headSize);
        using var cache = new QuantizedKeyValueCache(config, length + 3);
        var keys = PanelKernelsTests.Input(2 * length, headSize, seed: 1);
        var values = PanelKernelsTests.Input(2 * length, headSize, seed: 2);
        cache.Import(0, length, keys, values);
        cache.SetLength(length);
        cache.Export(0, keys, values);   // as rounded to float16
        using var attention = new QuantizedAttention(headSize);
        attention.Reserve(cache.Capacity);
        var queries = PanelKernelsTests.Input(4, headSize, seed: 3);
        int[] lengths = [length, Math.Max(1, length - 1), Math.Max(1, length - 2), length];

        var together = Run(attention, cache, queries, lengths, 4, headSize);

        for (var query = 0; query < 4; query++)
        {
            var alone = Run(attention, cache, queries[(query * headSize)..((query + 1) * headSize)], [lengths[query]], 1, headSize);
            Assert.Equal(together[(query * headSize)..((query + 1) * headSize)], alone);
            var expected = Expected(
                queries.AsSpan(query * headSize, headSize), keys.AsSpan(length * headSize), values.AsSpan(length * headSize), lengths[query]);
            for (var index = 0; index < headSize; index++)
            {
                Assert.Equal(expected[index], alone[index], 2e-4);
            }
        }
    }

    [Fact]
    public void Keys_and_values_come_back_rounded_to_half_and_truncation_keeps_the_beginning()
    {
        using var cache = new QuantizedKeyValueCache(Config(24), 40);
        var keys = PanelKernelsTests.Input(2 * 20, 24, seed: 4);
        var values = PanelKernelsTests.Input(2 * 20, 24, seed: 5);
        (keys[0], keys[1], keys[2]) = (1e6f, -1e6f, 1e-7f);
        cache.Import(0, 20, keys, values);
        cache.SetLength(20);
        var (readKeys, readValues) = (new float[keys.Length], new float[values.Length]);
        cache.Export(0, readKeys, readValues);

        Assert.Equal([65_504, -65_504, 0], readKeys[..3]);
        Assert.Equal(keys[3..].Select(Rounded), readKeys[3..]);
        Assert.Equal(values.Select(Rounded), readValues);

        cache.Truncate(7);
        Assert.Equal(7, cache.Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => cache.Truncate(8));
        Assert.Throws<ArgumentException>(() => cache.Export(0, readKeys, readValues));
        Assert.Throws<ArgumentOutOfRangeException>(() => cache.SetLength(41));

        static float Rounded(float value) => Math.Abs(value) < 6.1e-5f ? 0 : (float)(Half)value;
    }

    private static LlamaConfig Config(int headSize) => new()
    {
        VocabularySize = 16,
        HiddenSize = 4 * headSize,
        IntermediateSize = 16,
        Layers = 1,
        QueryHeads = 4,
        KeyValueHeads = 2,
        HeadSize = headSize,
        NormEpsilon = 1e-5,
    };

    private static float[] Run(
        QuantizedAttention attention, QuantizedKeyValueCache cache, float[] queries, int[] lengths, int count, int headSize)
    {
        var results = new float[count * headSize];
        fixed (float* query = queries, result = results)
        fixed (int* seen = lengths)
        {
            var from = stackalloc float*[4];
            var to = stackalloc float*[4];
            for (var index = 0; index < count; index++)
            {
                from[index] = query + (index * headSize);
                to[index] = result + (index * headSize);
            }

            attention.Compute(cache, 0, 1, count, from, seen, to);
        }

        return results;
    }

    private static double[] Expected(ReadOnlySpan<float> query, ReadOnlySpan<float> keys, ReadOnlySpan<float> values, int length)
    {
        var size = query.Length;
        var scores = new double[length];
        for (var position = 0; position < length; position++)
        {
            for (var index = 0; index < size; index++)
            {
                scores[position] += query[index] * keys[(position * size) + index] / Math.Sqrt(size);
            }
        }

        var top = scores.Max();
        var sum = scores.Sum(score => Math.Exp(score - top));
        var result = new double[size];
        for (var position = 0; position < length; position++)
        {
            for (var index = 0; index < size; index++)
            {
                result[index] += Math.Exp(scores[position] - top) / sum * values[(position * size) + index];
            }
        }

        return result;
    }
}
