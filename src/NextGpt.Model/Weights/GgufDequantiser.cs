using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace NextGpt.Model.Weights;

/// <summary>Turns stored blocks into float32, exactly as the format defines them.</summary>
/// <remarks>
/// Layouts from ggml's <c>ggml-common.h</c> and <c>dequantize_row_*</c>. Products and sums are rounded one by one
/// (no fused multiply-add), so the result does not depend on the machine.
/// </remarks>
internal static unsafe class GgufDequantiser
{
    private const int ElementsPerTask = 1 << 18;

    /// <summary>Dequantises rows on all cores; row <c>r</c> of the file becomes row <c>target(r)</c>.</summary>
    public static void Rows(
        GgufType type, byte* source, int rowLength, long rowBytes, long rows, float* destination, Func<long, long> target)
    {
        var rowsPerTask = Math.Max(1, ElementsPerTask / rowLength);
        var tasks = (rows + rowsPerTask - 1) / rowsPerTask;
        if (tasks == 1)
        {
            Some(0);
            return;
        }

        Parallel.For(0, tasks, Some);

        void Some(long task)
        {
            var end = Math.Min(rows, (task + 1) * rowsPerTask);
            for (var row = task * rowsPerTask; row < end; row++)
            {
                Row(type, source + (row * rowBytes), rowLength, destination + (target(row) * rowLength));
            }
        }
    }

    /// <summary>Dequantises one row.</summary>
    /// <param name="type">How it is stored.</param>
    /// <param name="source">Its first block.</param>
    /// <param name="length">Elements, a multiple of the type's block.</param>
    /// <param name="destination">Room for that many.</param>
    public static void Row(GgufType type, byte* source, int length, float* destination)
    {
        switch (type)
        {
            case GgufType.F32:
                Buffer.MemoryCopy(source, destination, (long)length * sizeof(float), (long)length * sizeof(float));
                break;
            case GgufType.F16:
                F16(source, length, destination);
                break;
            case GgufType.BF16:
                BF16(source, length, destination);
                break;
            case GgufType.Q4_0:
                Q4(source, length, destination, hasMinimum: false);
                break;
            case GgufType.Q4_1:
                Q4(source, length, destination, hasMinimum: true);
                break;
            case GgufType.Q5_0:
                Q5_0(source, length, destination);
                break;
            case GgufType.Q8_0:
                Q8_0(source, length, destination);
                break;
            case GgufType.Q4_K:
                Q4_K(source, length, destination);
                break;
            case GgufType.Q6_K:
                Q6_K(source, length, destination);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(type), type, "Not a type this reader knows.");
        }
    }

    private static void F16(byte* source, int length, float* destination)
    {
        // Shifting exponent and fraction into place gives the value times 2^-112, subnormals included.
        var rescale = Vector256.Create(BitConverter.UInt32BitsToSingle((127 + 112) << 23));
        var infinite = Vector256.Create(0x7C00u << 13);
        var index = 0;
        for (; index <= length - 8; index += 8)
        {
            var half = Vector256.WidenLower(Vector128.Load((ushort*)source + index).ToVector256());
            var magnitude = (half & Vector256.Create(0x7FFFu)) << 13;
            var value = (magnitude.AsSingle() * rescale).AsUInt32();
            value |= Vector256.GreaterThanOrEqual(magnitude, infinite) & (Vector256.Create(0xFFu << 23) | magnitude);
            (value | ((half & Vector256.Create(0x8000u)) << 16)).AsSingle().Store(destination + index);
        }

        for (; index < length; index++)
        {
            destination[index] = (float)((Half*)source)[index];
        }
    }

    private static void BF16(byte* source, int length, float* destination)
    {
        var index = 0;
        for (; index <= length - 8; index += 8)
        {
            var bits = Vector256.WidenLower(Vector128.Load((ushort*)source + index).ToVector256());
            (bits << 16).AsSingle().Store(destination + index);
        }

        for (; index < length; index++)
        {
            destination[index] = BitConverter.UInt32BitsToSingle((uint)((ushort*)source)[index] << 16);
        }
    }

    private static void Q4(byte* source, int length, float* destination, bool hasMinimum)
    {
        var size = hasMinimum ? 20 : 18;
        for (var index = 0; index < length; index += 32, source += size, destination += 32)
        {
            var scale = Scale(source);
            var quants = Vector128.Load(source + size - 16);
            var low = quants & Vector128.Create((byte)15);
            var high = (quants.AsUInt16() >>> 4).AsByte() & Vector128.Create((byte)15);
            if (hasMinimum)
            {
                var minimum = Scale(source + 2);
                Store(low, scale, minimum, destination);
                Store(high, scale, minimum, destination + 16);
            }
            else
            {
                Store((low - Vector128.Create((byte)8)).AsSByte(), scale, destination);
                Store((high - Vector128.Create((byte)8)).AsSByte(), scale, destination + 16);
            }
        }
    }

    private static void Q5_0(byte* source, int length, float* destination)
    {
        var sixteen = Vector128.Create((byte)16);
        for (var index = 0; index < length; index += 32, source += 22, destination += 32)
        {
            var scale = Scale(source);
            var highBits = Unsafe.ReadUnaligned<uint>(source + 2);
            var quants = Vector128.Load(source + 6);
            var low = quants & Vector128.Create((byte)15);
            var high = (quants.AsUInt16() >>> 4).AsByte() & Vector128.Create((byte)15);
            Store(((low | FifthBits(highBits)) - sixteen).AsSByte(), scale, destination);
            Store(((high | FifthBits(highBits >> 16)) - sixteen).AsSByte(), scale, destination + 16);
        }
    }

    /// <summary>Bit <c>i</c> of 16 as the value 16 in byte <c>i</c>.</summary>
    private static Vector128<byte> FifthBits(uint bits)
    {
        var spread = Vector128.Create(
            Vector64.Create((byte)bits), Vector64.Create((byte)(bits >> 8)));
        var each = Vector128.Create(1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, (byte)128);
        return Vector128.Equals(spread & each, each) & Vector128.Create((byte)16);
    }

    private static void Q8_0(byte* source, int length, float* destination)
    {
        for (var index = 0; index < length; index += 32, source += 34, destination += 32)
        {
            var scale = Scale(source);
            Store(Vector128.Load((sbyte*)source + 2), scale, destination);
            Store(Vector128.Load((sbyte*)source + 18), scale, destination + 16);
        }
    }

    private static void Q4_K(byte* source, int length, float* destination)
    {
        for (var index = 0; index < length; index += 256, source += 144)
        {
            var (scale, minimum) = (Scale(source), Scale(source + 2));
            var packed = source + 4;
            for (var run = 0; run < 8; run++, destination += 32)
            {
                // Runs 0..3 have six bits in place; runs 4..7 have four, and two at the top of another byte.
                var (runScale, runMinimum) = run < 4
                    ? (packed[run] & 63, packed[run + 4] & 63)
                    : ((packed[run + 4] & 15) | ((packed[run - 4] >> 6) << 4), (packed[run + 4] >> 4) | ((packed[run] >> 6) << 4));
                var step = scale * runScale;
                var offset = -(minimum * runMinimum);
                var quants = source + 16 + (run / 2 * 32);
                for (var part = 0; part < 32; part += 16)
                {
                    var bytes = Vector128.Load(quants + part);
                    var nibbles = (run % 2 == 0 ? bytes : (bytes.AsUInt16() >>> 4).AsByte()) & Vector128.Create((byte)15);
                    Store(nibbles, step, offset, destination + part);
                }
            }
        }
    }

    private static void Q6_K(byte* source, int length, float* destination)
    {
        for (var index = 0; index < length; index += 256, source += 210)
        {
            var scale = Scale(source + 208);
            for (var half = 0; half < 2; half++, destination += 128)
            {
                var low = source + (half * 64);
                var high = source + 128 + (half * 32);
                var scales = (sbyte*)source + 192 + (half * 8);
                for (var run = 0; run < 8; run++)   // 16 elements each
                {
                    // Two runs share 16 columns of a quarter; a quarter takes its own nibble and its own bit pair.
                    var quarter = run / 2;
                    var column = run % 2 * 16;
                    var nibbles = Vector128.Load(low + (quarter % 2 * 32) + column);
                    nibbles = (quarter < 2 ? nibbles : (nibbles.AsUInt16() >>> 4).AsByte()) & Vector128.Create((byte)15);
                    var pairs = (Vector128.Load(high + column).AsUInt16() >>> (quarter * 2)).AsByte() & Vector128.Create((byte)3);
                    var values = (nibbles | (pairs.AsUInt16() << 4).AsByte()) - Vector128.Create((byte)32);
                    Store(values.AsSByte(), scale * scales[run], destination + (run * 16));
                }
            }
        }
    }

    private static float Scale(byte* source) => (float)Unsafe.ReadUnaligned<Half>(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector128<sbyte> quants, float scale, float* destination)
    {
        var wide = Vector256.WidenLower(quants.ToVector256());
        var (low, high) = Vector256.Widen(wide);
        (Vector256.ConvertToSingle(low) * scale).Store(destination);
        (Vector256.ConvertToSingle(high) * scale).Store(destination + 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector128<byte> quants, float scale, float offset, float* destination)
    {
        var wide = Vector256.WidenLower(quants.ToVector256());
        var (low, high) = Vector256.Widen(wide);
        var shift = Vector256.Create(offset);
        ((Vector256.ConvertToSingle(low.AsInt32()) * scale) + shift).Store(destination);
        ((Vector256.ConvertToSingle(high.AsInt32()) * scale) + shift).Store(destination + 8);
    }
}
