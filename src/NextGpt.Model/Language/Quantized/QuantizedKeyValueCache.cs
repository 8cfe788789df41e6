using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace NextGpt.Model.Language.Quantized;

/// <summary>
/// Keys (after rotary positions) and values of one sequence as float16. Keys lie in groups of 16 positions, value by
/// value, so that one vector holds the same value of neighbouring positions; values lie position by position.
/// </summary>
/// <remarks>Belongs to one sequence; not thread-safe. Memory is touched only as far as it is used.</remarks>
internal sealed unsafe class QuantizedKeyValueCache : IDisposable
{
    /// <summary>Positions whose keys lie side by side.</summary>
    public const int Group = 16;

    private readonly int _layers;
    private readonly int _heads;
    private readonly long _keyHead;
    private readonly long _valueHead;
    private short* _memory;
    private int _mostFilled;

    /// <summary>Takes memory for a sequence.</summary>
    /// <param name="config">The network.</param>
    /// <param name="capacity">Longest sequence, in tokens.</param>
    public QuantizedKeyValueCache(LlamaConfig config, int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        _layers = config.Layers;
        _heads = config.KeyValueHeads;
        HeadSize = config.HeadSize;
        PaddedHeadSize = (HeadSize + Group - 1) / Group * Group;
        Capacity = capacity;
        var padded = (long)(capacity + Group - 1) / Group * Group;
        _keyHead = padded * HeadSize;
        _valueHead = padded * PaddedHeadSize;
        _memory = (short*)NativeMemory.AlignedAlloc(
            (nuint)(_layers * _heads * (_keyHead + _valueHead) * sizeof(short)), 64);
    }

    /// <summary>Longest sequence, in tokens.</summary>
    public int Capacity { get; }

    /// <summary>Positions filled so far.</summary>
    public int Length { get; private set; }

    /// <summary>Memory used so far: what was ever filled, whether or not it was truncated since.</summary>
    public long UsedBytes => (long)_mostFilled * _layers * _heads * (HeadSize + PaddedHeadSize) * sizeof(short);

    /// <summary>Width of one head.</summary>
    public int HeadSize { get; }

    /// <summary>Width of one head of values in memory, a multiple of 16.</summary>
    public int PaddedHeadSize { get; }

    /// <summary>Forgets everything after a position, for a prompt that shares its beginning with the last one.</summary>
    /// <param name="length">Positions to keep, at most <see cref="Length"/>.</param>
    public void Truncate(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length);
        Length = length;
    }

    /// <summary>Takes a layer's keys and values computed elsewhere; call it for every layer, then <see cref="SetLength"/>.</summary>
    /// <param name="layer">Which layer.</param>
    /// <param name="length">Positions given, from 0 on.</param>
    /// <param name="keys">[kv heads, length, head size], after rotary positions (rotate-half order).</param>
    /// <param name="values">[kv heads, length, head size]</param>
    public void Import(int layer, int length, ReadOnlySpan<float> keys, ReadOnlySpan<float> values)
    {
        CheckLayer(layer, length, keys.Length, values.Length);
        for (var head = 0; head < _heads; head++)
        {
            for (var position = 0; position < length; position++)
            {
                var offset = ((head * length) + position) * HeadSize;
                fixed (float* key = &keys[offset], value = &values[offset])
                {
                    Write(layer, head, position, key, value);
                }
            }
        }
    }

    /// <summary>Says how many positions are filled after an import.</summary>
    public void SetLength(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Capacity);
        Length = length;
        _mostFilled = Math.Max(_mostFilled, length);
    }

    /// <summary>A layer's keys and values as float32, for computing elsewhere.</summary>
    /// <param name="layer">Which layer.</param>
    /// <param name="keys">[kv heads, <see cref="Length"/>, head size]</param>
    /// <param name="values">[kv heads, <see cref="Length"/>, head size]</param>
    public void Export(int layer, Span<float> keys, Span<float> values)
    {
        CheckLayer(layer, Length, keys.Length, values.Length);
        for (var head = 0; head < _heads; head++)
        {
            var key = Keys(layer, head);
            var value = Values(layer, head);
            for (var position = 0; position < Length; position++)
            {
                for (var index = 0; index < HeadSize; index++)
                {
                    var offset = (((head * Length) + position) * HeadSize) + index;
                    keys[offset] = ToSingle(key[KeyOffset(position, index)]);
                    values[offset] = ToSingle(value[((long)position * PaddedHeadSize) + index]);
                }
            }
        }
    }

    /// <summary>[groups of positions, head size, 16]</summary>
    public short* Keys(int layer, int head)
    {
        ObjectDisposedException.ThrowIf(_memory is null, this);
        return _memory + (((layer * _heads) + head) * (_keyHead + _valueHead));
    }

    /// <summary>[positions, padded head size]</summary>
    public short* Values(int layer, int head) => Keys(layer, head) + _keyHead;

    /// <summary>Stores one position of one head.</summary>
    public void Write(int layer, int head, int position, float* key, float* value)
    {
        var keys = Keys(layer, head) + KeyOffset(position, 0);
        var index = 0;
        var eight = stackalloc short[8];
        for (; index <= HeadSize - 8; index += 8)
        {
            ToHalves(Vector256.Load(key + index)).Store(eight);
            for (var lane = 0; lane < 8; lane++)
            {
                keys[(index + lane) * Group] = eight[lane];
            }
        }

        for (; index < HeadSize; index++)
        {
            keys[index * Group] = ToHalves(Vector256.Create(key[index]))[0];
        }

        var values = Values(layer, head) + ((long)position * PaddedHeadSize);
        for (index = 0; index <= HeadSize - 8; index += 8)
        {
            ToHalves(Vector256.Load(value + index)).Store(values + index);
        }

        for (; index < PaddedHeadSize; index++)
        {
            values[index] = index < HeadSize ? ToHalves(Vector256.Create(value[index]))[0] : (short)0;
        }
    }

    /// <summary>Frees the memory.</summary>
    public void Dispose()
    {
        NativeMemory.AlignedFree(_memory);
        _memory = null;
    }

    /// <summary>Rounds to nearest even; magnitudes below 2^-14 become zero, above 65,504 that.</summary>
    /// <remarks>Numbers that small would be subnormal on the way back, which some processors handle a hundred times slower.</remarks>
    private static Vector128<short> ToHalves(Vector256<float> values)
    {
        var sign = (values.AsUInt32() >>> 16) & Vector256.Create(0x8000u);
        var magnitude = Vector256.Min(Vector256.Abs(values), Vector256.Create(65_504f)).AsUInt32();
        var rounded = magnitude + Vector256.Create(0xFFFu) + ((magnitude >>> 13) & Vector256<uint>.One);
        var half = (rounded - Vector256.Create(112u << 23)) >>> 13;
        half &= Vector256.GreaterThanOrEqual(rounded, Vector256.Create(113u << 23));
        var both = (half | sign).AsInt32();
        return Vector128.Narrow(both.GetLower(), both.GetUpper());
    }

    private static float ToSingle(short half) => (float)BitConverter.Int16BitsToHalf(half);

    private long KeyOffset(int position, int index) =>
        ((long)(position / Group) * Group * HeadSize) + (index * Group) + (position % Group);

    private void CheckLayer(int layer, int length, int keys, int values)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(layer);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(layer, _layers);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Capacity);
        if (keys != _heads * length * HeadSize || values != keys)
        {
            throw new ArgumentException(
                $"keys and values must have {_heads} x {length} x {HeadSize} elements; they have {keys} and {values}.");
        }
    }
}
