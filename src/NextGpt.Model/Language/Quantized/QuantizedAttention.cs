using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace NextGpt.Model.Language.Quantized;

/// <summary>
/// Attention of up to four queries that share a key/value head of one sequence: neighbouring query heads, or neighbouring
/// tokens of a prompt. What a query gets does not depend on which others are beside it.
/// </summary>
/// <remarks>
/// float16 is read by shifting its bits into place, which gives the number times 2^-112; the factor is made good in the
/// query and in the weights of the values. One instance per thread.
/// </remarks>
internal sealed unsafe class QuantizedAttention : IDisposable
{
    /// <summary>Queries at a time.</summary>
    public const int Tile = 4;

    private const int Group = QuantizedKeyValueCache.Group;

    private readonly int _headSize;
    private readonly float* _queries;
    private readonly float* _waste;
    private float* _scores;
    private int _capacity;

    /// <summary>Takes scratch memory.</summary>
    /// <param name="headSize">Width of one head.</param>
    public QuantizedAttention(int headSize)
    {
        _headSize = headSize;
        var padded = (nuint)(headSize + Group - 1) / Group * Group;
        _queries = (float*)NativeMemory.AlignedAlloc(padded * (Tile + 1) * sizeof(float), 64);
        _waste = _queries + (Tile * padded);
    }

    /// <summary>Makes room for sequences of a length; only this allocates.</summary>
    public void Reserve(int capacity)
    {
        capacity = (capacity + Group - 1) / Group * Group;
        if (capacity > _capacity)
        {
            NativeMemory.AlignedFree(_scores);
            _scores = (float*)NativeMemory.AlignedAlloc((nuint)capacity * Tile * sizeof(float), 64);
            _capacity = capacity;
        }
    }

    /// <summary>Computes up to four queries.</summary>
    /// <param name="cache">The sequence.</param>
    /// <param name="layer">Which layer.</param>
    /// <param name="head">Which key/value head.</param>
    /// <param name="count">Queries, 1 to 4.</param>
    /// <param name="queries">Where each query's [head size] lies.</param>
    /// <param name="lengths">How many positions each query sees.</param>
    /// <param name="results">Where each result's [head size] goes.</param>
    public void Compute(
        QuantizedKeyValueCache cache, int layer, int head, int count, float** queries, int* lengths, float** results)
    {
        var scale = (float)(Math.Pow(2, 112) / Math.Sqrt(_headSize));
        var longest = 0;
        for (var row = 0; row < Tile; row++)
        {
            var query = queries[Math.Min(row, count - 1)];
            for (var index = 0; index < _headSize; index++)
            {
                _queries[(row * _headSize) + index] = query[index] * scale;
            }

            longest = Math.Max(longest, row < count ? lengths[row] : 0);
        }

        var padded = (longest + Group - 1) / Group * Group;
        Scores(cache.Keys(layer, head), padded);
        var inverse = stackalloc float[Tile];
        for (var row = 0; row < count; row++)
        {
            inverse[row] = 1 / Softmax(_scores + ((long)row * _capacity), lengths[row], longest);
        }

        for (var row = count; row < Tile; row++)
        {
            inverse[row] = 0;
            new Span<float>(_scores + ((long)row * _capacity), longest).Clear();
        }

        Mix(cache.Values(layer, head), cache.PaddedHeadSize, longest, count, inverse, results);
    }

    /// <summary>Frees the scratch memory.</summary>
    public void Dispose()
    {
        NativeMemory.AlignedFree(_queries);
        NativeMemory.AlignedFree(_scores);
    }

    private void Scores(short* keys, int positions)
    {
        var first = _queries;
        var second = first + _headSize;
        var third = second + _headSize;
        var fourth = third + _headSize;
        for (var position = 0; position < positions; position += Group)
        {
            var upper0 = Vector256<float>.Zero;
            var (upper1, upper2, upper3) = (upper0, upper0, upper0);
            var (lower0, lower1, lower2, lower3) = (upper0, upper0, upper0, upper0);
            for (var index = 0; index < _headSize; index++, keys += Group)
            {
                var upper = Shifted(keys);
                var lower = Shifted(keys + 8);
                var query = Vector256.Create(first[index]);
                upper0 = Vector256.FusedMultiplyAdd(upper, query, upper0);
                lower0 = Vector256.FusedMultiplyAdd(lower, query, lower0);
                query = Vector256.Create(second[index]);
                upper1 = Vector256.FusedMultiplyAdd(upper, query, upper1);
                lower1 = Vector256.FusedMultiplyAdd(lower, query, lower1);
                query = Vector256.Create(third[index]);
                upper2 = Vector256.FusedMultiplyAdd(upper, query, upper2);
                lower2 = Vector256.FusedMultiplyAdd(lower, query, lower2);
                query = Vector256.Create(fourth[index]);
                upper3 = Vector256.FusedMultiplyAdd(upper, query, upper3);
                lower3 = Vector256.FusedMultiplyAdd(lower, query, lower3);
            }

            var scores = _scores + position;
            upper0.Store(scores);
            lower0.Store(scores + 8);
            scores += _capacity;
            upper1.Store(scores);
            lower1.Store(scores + 8);
            scores += _capacity;
            upper2.Store(scores);
            lower2.Store(scores + 8);
            scores += _capacity;
            upper3.Store(scores);
            lower3.Store(scores + 8);
        }
    }

    /// <summary>Turns scores into weights times 2^112 (zero beyond the length) and gives the sum of the weights.</summary>
    private static float Softmax(float* scores, int length, int longest)
    {
        // Room is a multiple of 16, so whole vectors may be written past the length.
        var padded = (length + 7) / 8 * 8;
        for (var index = length; index < padded; index++)
        {
            scores[index] = float.NegativeInfinity;
        }

        var largest = Vector256.Create(float.NegativeInfinity);
        for (var index = 0; index < padded; index += 8)
        {
            largest = Vector256.Max(largest, Vector256.Load(scores + index));
        }

        var top = largest[0];
        for (var lane = 1; lane < 8; lane++)
        {
            top = Math.Max(top, largest[lane]);
        }

        var sum = Vector256<float>.Zero;
        var restore = Vector256.Create(BitConverter.UInt32BitsToSingle((127 + 112) << 23));
        for (var index = 0; index < padded; index += 8)
        {
            var weights = VectorMath.Exp(Vector256.Load(scores + index) - Vector256.Create(top));
            sum += weights;
            (weights * restore).Store(scores + index);
        }

        for (var index = length; index < longest; index++)
        {
            scores[index] = 0;
        }

        return Vector256.Sum(sum);
    }

    private void Mix(short* values, int stride, int positions, int count, float* inverse, float** results)
    {
        var first = _scores;
        var second = first + _capacity;
        var third = second + _capacity;
        var fourth = third + _capacity;
        for (var index = 0; index < _headSize; index += Group)
        {
            var upper0 = Vector256<float>.Zero;
            var (upper1, upper2, upper3) = (upper0, upper0, upper0);
            var (lower0, lower1, lower2, lower3) = (upper0, upper0, upper0, upper0);
            var value = values + index;
            for (var position = 0; position < positions; position++, value += stride)
            {
                var upper = Shifted(value);
                var lower = Shifted(value + 8);
                var weight = Vector256.Create(first[position]);
                upper0 = Vector256.FusedMultiplyAdd(upper, weight, upper0);
                lower0 = Vector256.FusedMultiplyAdd(lower, weight, lower0);
                weight = Vector256.Create(second[position]);
                upper1 = Vector256.FusedMultiplyAdd(upper, weight, upper1);
                lower1 = Vector256.FusedMultiplyAdd(lower, weight, lower1);
                weight = Vector256.Create(third[position]);
                upper2 = Vector256.FusedMultiplyAdd(upper, weight, upper2);
                lower2 = Vector256.FusedMultiplyAdd(lower, weight, lower2);
                weight = Vector256.Create(fourth[position]);
                upper3 = Vector256.FusedMultiplyAdd(upper, weight, upper3);
                lower3 = Vector256.FusedMultiplyAdd(lower, weight, lower3);
            }

            Put(results[0], upper0, lower0, inverse[0]);
            Put(count > 1 ? results[1] : _waste, upper1, lower1, inverse[1]);
            Put(count > 2 ? results[2] : _waste, upper2, lower2, inverse[2]);
            Put(count > 3 ? results[3] : _waste, upper3, lower3, inverse[3]);

            void Put(float* result, Vector256<float> upper, Vector256<float> lower, float factor)
            {
                upper *= factor;
                lower *= factor;
                if (index + Group <= _headSize)
                {
                    upper.Store(result + index);
                    lower.Store(result + index + 8);
                    return;
                }

                for (var lane = 0; lane < _headSize - index; lane++)
                {
                    result[index + lane] = lane < 8 ? upper[lane] : lower[lane - 8];
                }
            }
        }
    }

    /// <summary>Eight float16 times 2^-112.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Shifted(short* source)
    {
        var (low, high) = Vector128.Widen(Vector128.Load(source));
        return ((Vector256.Create(low, high) << 13) & Vector256.Create(unchecked((int)0x8FFF_E000))).AsSingle();
    }
}
