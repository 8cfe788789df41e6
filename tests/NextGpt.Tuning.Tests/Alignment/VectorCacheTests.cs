using NextGpt.Tuning.Alignment;

namespace NextGpt.Tuning.Tests.Alignment;

public sealed class VectorCacheTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nextgpt-vectors-").FullName;

    [Fact]
    public void What_is_read_later_is_what_was_handed_out_first()
    {
        float[] first;
        var key = VectorCache.KeyOf("a red apple");
        using (var cache = new VectorCache(At()))
        {
            cache.Add(key, [0.1f, -2.000001f, 3]);
            cache.Add(VectorCache.KeyOf("other"), [7]);
            first = cache.Read(key);
        }

        using var again = new VectorCache(At());
        Assert.Equal(2, again.Count);
        Assert.Equal(first, again.Read(key));
        Assert.Equal(0.1f, first[0], 1e-4f);
    }

    [Fact]
    public void A_record_that_a_crash_tore_is_cut_off_and_can_be_written_again()
    {
        var (whole, torn) = (VectorCache.KeyOf("whole"), VectorCache.KeyOf("torn"));
        using (var cache = new VectorCache(At()))
        {
            cache.Add(whole, [1, 2]);
            cache.Add(torn, [3, 4]);
        }

        using (var file = File.OpenWrite(At()))
        {
            file.SetLength(file.Length - 1);
        }

        using var again = new VectorCache(At());
        Assert.True(again.Has(whole));
        Assert.False(again.Has(torn));
        again.Add(torn, [3, 4]);
        Assert.Equal([3, 4], again.Read(torn));
        Assert.Equal([1, 2], again.Read(whole));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(1e6f)]
    public void A_number_that_is_none_or_too_large_is_an_error(float value)
    {
        using var cache = new VectorCache(At());

        Assert.Contains("damaged", Assert.Throws<InvalidDataException>(() => cache.Add(VectorCache.KeyOf("x"), [value])).Message, StringComparison.Ordinal);
        Assert.Equal(0, cache.Count);
    }

    public void Dispose() => Directory.Delete(_folder, true);

    private string At() => Path.Combine(_folder, "vectors.bin");
}
