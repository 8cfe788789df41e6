using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace NextGpt.Model.Weights;

/// <summary>Makes singles or long integers of the numbers a file stores (little-endian).</summary>
internal static class StoredNumbers
{
    /// <summary>Converts whatever the type.</summary>
    /// <param name="type">What is stored.</param>
    /// <param name="bytes">As many elements as <paramref name="part"/> has.</param>
    /// <param name="part">Where they go.</param>
    public static void ToSingles(SafetensorsType type, ReadOnlySpan<byte> bytes, Span<float> part)
    {
        switch (type)
        {
            case SafetensorsType.F32:
                MemoryMarshal.Cast<byte, float>(bytes).CopyTo(part);
                break;
            case SafetensorsType.F16:
                HalfToSingle(MemoryMarshal.Cast<byte, ushort>(bytes), part);
                break;
            case SafetensorsType.BF16:
                BrainToSingle(MemoryMarshal.Cast<byte, ushort>(bytes), part);
                break;
            case SafetensorsType.F64:
                Widen<double, float>(bytes, part, value => (float)value);
                break;
            case SafetensorsType.I64:
                Widen<long, float>(bytes, part, value => value);
                break;
            case SafetensorsType.U64:
                Widen<ulong, float>(bytes, part, value => value);
                break;
            case SafetensorsType.I32:
                Widen<int, float>(bytes, part, value => value);
                break;
            case SafetensorsType.U32:
                Widen<uint, float>(bytes, part, value => value);
                break;
            case SafetensorsType.I16:
                Widen<short, float>(bytes, part, value => value);
                break;
            case SafetensorsType.U16:
                Widen<ushort, float>(bytes, part, value => value);
                break;
            case SafetensorsType.I8:
                Widen<sbyte, float>(bytes, part, value => value);
                break;
            case SafetensorsType.U8 or SafetensorsType.Bool:
                Widen<byte, float>(bytes, part, value => value);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(type), type, "This type cannot be read.");
        }
    }

    /// <summary>Converts whole numbers and truth values; false for fractions and for 64 bits without a sign.</summary>
    public static bool TryToIntegers(SafetensorsType type, ReadOnlySpan<byte> bytes, Span<long> part)
    {
        switch (type)
        {
            case SafetensorsType.I64:
                MemoryMarshal.Cast<byte, long>(bytes).CopyTo(part);
                return true;
            case SafetensorsType.I32:
                Widen<int, long>(bytes, part, value => value);
                return true;
            case SafetensorsType.U32:
                Widen<uint, long>(bytes, part, value => value);
                return true;
            case SafetensorsType.I16:
                Widen<short, long>(bytes, part, value => value);
                return true;
            case SafetensorsType.U16:
                Widen<ushort, long>(bytes, part, value => value);
                return true;
            case SafetensorsType.I8:
                Widen<sbyte, long>(bytes, part, value => value);
                return true;
            case SafetensorsType.U8 or SafetensorsType.Bool:
                Widen<byte, long>(bytes, part, value => value);
                return true;
            default:
                return false;
        }
    }

    private static void Widen<TStored, TWanted>(ReadOnlySpan<byte> bytes, Span<TWanted> values, Func<TStored, TWanted> widen)
        where TStored : struct
    {
        var stored = MemoryMarshal.Cast<byte, TStored>(bytes);
        for (var i = 0; i < stored.Length; i++)
        {
            values[i] = widen(stored[i]);
        }
    }

    /// <summary>IEEE half to single, exact for every value, eight at a time.</summary>
    private static void HalfToSingle(ReadOnlySpan<ushort> halves, Span<float> singles)
    {
        var i = 0;
        var rebias = Vector256.Create(BitConverter.UInt32BitsToSingle(0x77800000));   // 2^112: exponent bias 15 to 127
        var infinite = Vector256.Create(0x7C00u << 13);
        for (; i <= halves.Length - 8; i += 8)
        {
            var wide = Vector256.WidenLower(Vector128.Create(halves.Slice(i, 8)).ToVector256());
            var magnitude = (wide & Vector256.Create(0x7FFFu)) << 13;
            var scaled = (magnitude.AsSingle() * rebias).AsUInt32();
            var special = Vector256.GreaterThanOrEqual(magnitude, infinite) & Vector256.Create(0x7F800000u);
            var sign = (wide & Vector256.Create(0x8000u)) << 16;
            (scaled | special | sign).AsSingle().CopyTo(singles[i..]);
        }

        for (; i < halves.Length; i++)
        {
            singles[i] = (float)BitConverter.UInt16BitsToHalf(halves[i]);
        }
    }

    private static void BrainToSingle(ReadOnlySpan<ushort> halves, Span<float> singles)
    {
        for (var i = 0; i < halves.Length; i++)
        {
            singles[i] = BitConverter.UInt32BitsToSingle((uint)halves[i] << 16);
        }
    }
}
