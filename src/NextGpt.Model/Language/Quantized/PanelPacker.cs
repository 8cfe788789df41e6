using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using NextGpt.Model.Weights;

namespace NextGpt.Model.Language.Quantized;

/// <summary>Fills panels from stored blocks or float32 rows, on all cores.</summary>
/// <remarks>
/// Q4_1, Q4_0, Q8_0, F16 and BF16 keep their values bit by bit. Every other type is dequantised and quantised again in
/// the manner of Q8_0 (scale = largest magnitude / 127).
/// </remarks>
internal static unsafe class PanelPacker
{
    /// <summary>One block of rows of a matrix: where a row's stored blocks begin, or where its floats are written.</summary>
    /// <param name="Name">File and tensor, for messages.</param>
    /// <param name="Type">How rows are stored; F32 if they come from <paramref name="Read"/>.</param>
    /// <param name="Rows">How many.</param>
    /// <param name="Columns">Elements per row.</param>
    /// <param name="Find">The first stored byte of a row, or null if rows come from <paramref name="Read"/>.</param>
    /// <param name="Read">The whole part as float32, row-major, or null.</param>
    internal sealed record Part(string Name, GgufType Type, int Rows, int Columns, Func<int, nint>? Find, float[]? Read);

    /// <summary>The panel format that keeps a stored type.</summary>
    public static PanelFormat FormatOf(GgufType type) => type switch
    {
        GgufType.Q4_0 or GgufType.Q4_1 => PanelFormat.FourBits,
        GgufType.F16 => PanelFormat.Half,
        GgufType.BF16 => PanelFormat.Brain,
        _ => PanelFormat.EightBits,
    };

    /// <summary>Packs parts one below the other (query, key and value into one matrix).</summary>
    /// <param name="arena">Where the matrix lies.</param>
    /// <param name="parts">Parts with the same number of columns. Different formats become eight bits.</param>
    public static PanelMatrix Stack(WeightArena arena, params ReadOnlySpan<Part> parts)
    {
        var rows = 0;
        var starts = new int[parts.Length];
        for (var index = 0; index < parts.Length; index++)
        {
            starts[index] = rows;
            rows += parts[index].Rows;
        }

        var all = parts.ToArray();
        return Pack(arena, Common(parts), rows, parts[0].Columns, row =>
        {
            var part = all.Length - 1;
            while (starts[part] > row)
            {
                part--;
            }

            return (all[part], row - starts[part]);
        });
    }

    /// <summary>Packs two parts panel by panel in turns (gate and up, whose rows meet in one product).</summary>
    public static PanelMatrix Interleave(WeightArena arena, Part even, Part odd)
    {
        var rows = (even.Rows + PanelMatrix.PanelRows - 1) / PanelMatrix.PanelRows * PanelMatrix.PanelRows;
        return Pack(arena, Common([even, odd]), 2 * rows, even.Columns, row =>
        {
            var panel = row / PanelMatrix.PanelRows;
            var own = (panel / 2 * PanelMatrix.PanelRows) + (row % PanelMatrix.PanelRows);
            return (panel % 2 == 0 ? even : odd, own);
        });
    }

    private static PanelFormat Common(ReadOnlySpan<Part> parts)
    {
        var format = FormatOf(parts[0].Type);
        foreach (var part in parts)
        {
            if (FormatOf(part.Type) != format)
            {
                return PanelFormat.EightBits;
            }
        }

        return format;
    }

    private static PanelMatrix Pack(
        WeightArena arena, PanelFormat format, int rows, int columns, Func<int, (Part Part, int Row)> locate)
    {
        var matrix = new PanelMatrix(arena, format, rows, columns);
        string? damaged = null;
        var panelsPerTask = Math.Max(1, (1 << 18) / (columns * PanelMatrix.PanelRows));
        var tasks = (matrix.Panels + panelsPerTask - 1) / panelsPerTask;
        Parallel.For(0, tasks, task =>
        {
            var end = Math.Min(matrix.Panels, (task + 1) * panelsPerTask);
            var scratch = (float*)NativeMemory.AlignedAlloc((nuint)matrix.Blocks * PanelMatrix.BlockColumns * sizeof(float), 64);
            try
            {
                for (var panel = task * panelsPerTask; panel < end; panel++)
                {
                    for (var lane = 0; lane < PanelMatrix.PanelRows; lane++)
                    {
                        var row = (panel * PanelMatrix.PanelRows) + lane;
                        var (part, own) = row < rows ? locate(row) : (null, 0);
                        part = part is not null && own < part.Rows ? part : null;
                        if (!Lane(matrix, matrix.Panel(panel), lane, part, own, scratch))
                        {
                            damaged = part?.Name;
                        }
                    }
                }
            }
            finally
            {
                NativeMemory.AlignedFree(scratch);
            }
        });
        return damaged is null
            ? matrix
            : throw new InvalidDataException(
                $"{damaged} holds values that are no numbers; the weights are damaged, download them again.");
    }

    /// <summary>Packs one row.</summary>
    /// <returns>Whether every value is a finite number.</returns>
    private static bool Lane(PanelMatrix matrix, byte* panel, int lane, Part? part, int row, float* scratch)
    {
        var source = part?.Find is { } find ? (byte*)find(row) : null;
        if (source is not null && FormatOf(part!.Type) == matrix.Format && part.Type is not GgufType.F32)   // F32 has no panel of its own
        {
            switch (part.Type)
            {
                case GgufType.Q4_1:
                    return FourBits(panel, lane, source, matrix.Blocks, 20);
                case GgufType.Q4_0:
                    return FourBits(panel, lane, source, matrix.Blocks, 18);
                case GgufType.Q8_0:
                    return EightBits(panel, lane, source, matrix);
                case GgufType.F16 or GgufType.BF16:
                    return Wide(matrix, (ushort*)panel, lane, (ushort*)source);
                default:
                    break;
            }
        }

        var padded = matrix.Blocks * PanelMatrix.BlockColumns;
        new Span<float>(scratch, padded).Clear();
        if (source is not null)
        {
            GgufDequantiser.Row(part!.Type, source, part.Columns, scratch);
        }
        else if (part?.Read is { } values)
        {
            values.AsSpan(row * part.Columns, part.Columns).CopyTo(new Span<float>(scratch, padded));
        }

        switch (matrix.Format)
        {
            case PanelFormat.EightBits:
                return Quantise(panel, lane, scratch, matrix);
            case PanelFormat.FourBits:   // only rows of padding come this way
                for (var block = 0; block < matrix.Blocks; block++)
                {
                    var target = panel + (block * PanelMatrix.FourBitsBytes);
                    ((ushort*)target)[lane] = 0;
                    ((ushort*)target)[PanelMatrix.PanelRows + lane] = 0;
                    for (var chunk = 0; chunk < 4; chunk++)
                    {
                        ((uint*)(target + 64))[(chunk * 16) + lane] = 0;
                    }
                }

                break;
            default:
                for (var column = 0; column < padded; column++)
                {
                    ((ushort*)panel)[(column * PanelMatrix.PanelRows) + lane] = 0;
                }

                break;
        }

        return true;
    }

    private static bool FourBits(byte* panel, int lane, byte* source, int blocks, int size)
    {
        var finite = true;
        for (var block = 0; block < blocks; block++, source += size, panel += PanelMatrix.FourBitsBytes)
        {
            var scale = Unsafe.ReadUnaligned<Half>(source);
            var minimum = size == 20 ? Unsafe.ReadUnaligned<Half>(source + 2) : (Half)(-8 * (float)scale);
            finite &= Half.IsFinite(scale) & Half.IsFinite(minimum);
            ((Half*)panel)[lane] = scale;
            ((Half*)panel)[PanelMatrix.PanelRows + lane] = minimum;
            var quants = source + size - 16;
            var target = (uint*)(panel + 64) + lane;
            target[0] = Unsafe.ReadUnaligned<uint>(quants);
            target[16] = Unsafe.ReadUnaligned<uint>(quants + 4);
            target[32] = Unsafe.ReadUnaligned<uint>(quants + 8);
            target[48] = Unsafe.ReadUnaligned<uint>(quants + 12);
        }

        return finite;
    }

    private static bool EightBits(byte* panel, int lane, byte* source, PanelMatrix matrix)
    {
        var finite = true;
        var target = (uint*)(panel + matrix.ScaleBytes) + lane;
        for (var block = 0; block < matrix.Blocks; block++, source += 34, target += PanelMatrix.EightBitsBytes / 4)
        {
            var scale = Unsafe.ReadUnaligned<Half>(source);
            finite &= Half.IsFinite(scale);
            ((Half*)panel)[(block * PanelMatrix.PanelRows) + lane] = scale;
            for (var chunk = 0; chunk < 8; chunk++)
            {
                target[chunk * 16] = Unsafe.ReadUnaligned<uint>(source + 2 + (chunk * 4)) ^ 0x8080_8080;
            }
        }

        return finite;
    }

    private static bool Wide(PanelMatrix matrix, ushort* panel, int lane, ushort* source)
    {
        var finite = true;
        var exponent = matrix.Format == PanelFormat.Half ? 0x7C00 : 0x7F80;
        for (var column = 0; column < matrix.Blocks * PanelMatrix.BlockColumns; column++)
        {
            var value = column < matrix.Columns ? source[column] : (ushort)0;
            finite &= (value & exponent) != exponent;
            panel[(column * PanelMatrix.PanelRows) + lane] = value;
        }

        return finite;
    }

    private static bool Quantise(byte* panel, int lane, float* row, PanelMatrix matrix)
    {
        var finite = true;
        var target = panel + matrix.ScaleBytes + (lane * 4);
        for (var block = 0; block < matrix.Blocks; block++, row += PanelMatrix.BlockColumns, target += PanelMatrix.EightBitsBytes)
        {
            var largest = 0f;
            for (var column = 0; column < PanelMatrix.BlockColumns; column++)
            {
                largest = Math.Max(largest, Math.Abs(row[column]));   // stays no number once it is none
            }

            var scale = (Half)(largest / 127);
            finite &= Half.IsFinite(scale);
            var inverse = (float)scale is var exact && exact > 0 ? 1 / exact : 0;
            ((Half*)panel)[(block * PanelMatrix.PanelRows) + lane] = scale;
            for (var column = 0; column < PanelMatrix.BlockColumns; column++)
            {
                var value = Math.Clamp((int)MathF.Round(row[column] * inverse), -127, 127);
                target[(column / 4 * 64) + (column % 4)] = (byte)(value + 128);
            }
        }

        return finite;
    }
}
