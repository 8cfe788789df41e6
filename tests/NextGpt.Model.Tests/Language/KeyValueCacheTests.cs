using NextGpt.Model.Language;
using static TorchSharp.torch;

namespace NextGpt.Model.Tests.Language;

public sealed class KeyValueCacheTests
{
    private static readonly LlamaConfig Config = new()
    {
        VocabularySize = 8,
        HiddenSize = 8,
        IntermediateSize = 8,
        Layers = 2,
        QueryHeads = 4,
        KeyValueHeads = 2,
        HeadSize = 2,
        NormEpsilon = 1e-5,
    };

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float16)]
    public void Plain_numbers_go_in_and_come_out_again(ScalarType type)
    {
        using var cache = new KeyValueCache(Config, capacity: 5, batch: 2, type);
        float[] keys = [.. Enumerable.Range(0, 12).Select(i => (float)i)];      // 2 heads x 3 tokens x 2
        float[] values = [.. keys.Select(key => key + 100)];
        cache.CopyFrom(1, 1, 1, keys, values);
        cache.SetLength(4);
        var (keysOut, valuesOut) = (new float[12], new float[12]);
        var (middleKey, middleValue) = (new float[4], new float[4]);

        cache.CopyTo(1, 1, 1, keysOut, valuesOut);
        cache.CopyTo(1, 1, 2, middleKey, middleValue);

        Assert.Equal(keys, keysOut);
        Assert.Equal(values, valuesOut);
        Assert.Equal([2, 3, 8, 9], middleKey);   // token 1 of head 0, token 1 of head 1
        Assert.Equal([102, 103, 108, 109], middleValue);
    }

    [Fact]
    public void Growing_keeps_what_is_stored()
    {
        using var cache = new KeyValueCache(Config, capacity: 1);
        cache.CopyFrom(0, 0, 0, [1, 2, 3, 4], [5, 6, 7, 8]);
        cache.SetLength(1);
        cache.Reserve(9);
        var (keys, values) = (new float[4], new float[4]);

        cache.CopyTo(0, 0, 0, keys, values);

        Assert.Equal((9, 1), (cache.Capacity, cache.Length));
        Assert.Equal([1, 2, 3, 4], keys);
        Assert.Equal([5, 6, 7, 8], values);
    }

    [Fact]
    public void Lengths_and_places_outside_the_room_are_refused()
    {
        using var cache = new KeyValueCache(Config, capacity: 2);

        Assert.Throws<ArgumentOutOfRangeException>(() => cache.Truncate(1));
        Assert.Throws<ArgumentOutOfRangeException>(() => cache.SetLength(3));
        Assert.Throws<ArgumentException>(() => cache.CopyTo(0, 0, 2, new float[4], new float[4]));
        Assert.Throws<ArgumentException>(() => cache.CopyTo(0, 0, 0, new float[3], new float[3]));
        Assert.Throws<ArgumentException>(() => new KeyValueCache(Config, 2, batch: 2, leftPadding: [1]));
    }

    [Fact]
    public void The_room_outlives_the_scope_it_was_made_in_and_goes_with_the_cache()
    {
        KeyValueCache cache;
        using (NewDisposeScope())
        {
            cache = new KeyValueCache(Config, capacity: 2);
            cache.Reserve(4);
        }

        var (keys, values) = (new float[4], new float[4]);
        cache.CopyTo(0, 0, 3, keys, values);
        Assert.Equal([0, 0, 0, 0], keys);
        cache.Dispose();
    }
}
