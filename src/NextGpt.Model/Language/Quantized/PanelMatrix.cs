namespace NextGpt.Model.Language.Quantized;

/// <summary>How a panel stores its weights.</summary>
internal enum PanelFormat
{
    /// <summary>Blocks of 32: f16 scale and minimum, values 0..15 (Q4_1; Q4_0 becomes it with minimum −8 scales).</summary>
    FourBits,

    /// <summary>Blocks of 32: f16 scale, values −128..127 (Q8_0).</summary>
    EightBits,

    /// <summary>float16, multiplied with float32 activations.</summary>
    Half,

    /// <summary>bfloat16, multiplied with float32 activations.</summary>
    Brain,
}

/// <summary>
/// A weight matrix [rows, columns] packed for streaming: panels of 16 rows, in which four consecutive values of one row
/// lie beside the same four of the next, so that one vector multiplies 16 rows by one broadcast piece of the activation
/// and no sum across a vector is ever needed.
/// </summary>
/// <remarks>
/// Panel of four bits, per block of 32 columns (320 bytes): 16 scales, 16 minima, then four chunks of 64 bytes; chunk
/// <c>c</c> holds for each row the bytes <c>4c..4c+3</c> of its 16, low nibbles columns 0..15, high nibbles 16..31, as GGUF
/// has them. Panel of eight bits: per block 16 scales, all blocks, then per block eight chunks of 64 bytes: for each row
/// columns <c>4c..4c+3</c>, plus 128. Half and Brain: per column 16 values. Rows and columns are padded with zeros to
/// multiples of 16 and 32.
/// </remarks>
internal sealed unsafe class PanelMatrix
{
    /// <summary>Rows per panel.</summary>
    public const int PanelRows = 16;

    /// <summary>Columns per block.</summary>
    public const int BlockColumns = 32;

    /// <summary>Bytes of a four-bit block of a panel.</summary>
    public const int FourBitsBytes = 320;

    /// <summary>Bytes of an eight-bit block of a panel, without its scales.</summary>
    public const int EightBitsBytes = 512;

    private readonly byte* _panels;
    private readonly long _panelBytes;

    /// <summary>Takes memory for a matrix; <see cref="PanelPacker"/> fills it.</summary>
    public PanelMatrix(WeightArena arena, PanelFormat format, int rows, int columns)
    {
        Format = format;
        Rows = rows;
        Columns = columns;
        Panels = (rows + PanelRows - 1) / PanelRows;
        Blocks = (columns + BlockColumns - 1) / BlockColumns;
        ScaleBytes = (Blocks * PanelRows * sizeof(ushort) + 63) / 64 * 64;
        _panelBytes = format switch
        {
            PanelFormat.FourBits => (long)Blocks * FourBitsBytes,
            PanelFormat.EightBits => ScaleBytes + ((long)Blocks * EightBitsBytes),
            _ => (long)Blocks * BlockColumns * PanelRows * sizeof(ushort),
        };
        _panels = arena.Take(_panelBytes * Panels);
    }

    /// <summary>How weights are stored.</summary>
    public PanelFormat Format { get; }

    /// <summary>Outputs.</summary>
    public int Rows { get; }

    /// <summary>Inputs.</summary>
    public int Columns { get; }

    /// <summary>Panels of 16 rows.</summary>
    public int Panels { get; }

    /// <summary>Blocks of 32 columns.</summary>
    public int Blocks { get; }

    /// <summary>Bytes of an eight-bit panel's scales, which come before its values.</summary>
    public int ScaleBytes { get; }

    /// <summary>Bytes that one product reads.</summary>
    public long SizeBytes => _panelBytes * Panels;

    /// <summary>Whether activations are needed as float32 too.</summary>
    public bool NeedsPlain => Format is PanelFormat.Half or PanelFormat.Brain;

    /// <summary>The first byte of a panel.</summary>
    public byte* Panel(int panel) => _panels + (panel * _panelBytes);

    /// <summary>Products of a panel's 16 rows with up to four activations.</summary>
    /// <param name="kernels">The instruction set to use.</param>
    /// <param name="panel">Which panel.</param>
    /// <param name="activations">The activations.</param>
    /// <param name="first">The first of them.</param>
    /// <param name="count">1 to 4.</param>
    /// <param name="result">[4, 16]; the first <paramref name="count"/> rows mean something afterwards.</param>
    public void Multiply(PanelKernels kernels, int panel, Activations activations, int first, int count, float* result)
    {
        var start = Panel(panel);
        switch (Format)
        {
            case PanelFormat.FourBits:
                kernels.FourBits(start, Blocks, activations, first, count, result);
                break;
            case PanelFormat.EightBits:
                kernels.EightBits(start, start + ScaleBytes, Blocks, activations, first, count, result);
                break;
            default:
                WidePanels.Multiply(
                    Format == PanelFormat.Half, (ushort*)start, Blocks * BlockColumns, activations, first, count, result);
                break;
        }
    }

    /// <summary>One row as float32 (the embedding of a token).</summary>
    /// <param name="row">Which row.</param>
    /// <param name="destination">[columns]</param>
    public void ReadRow(int row, float* destination)
    {
        var start = Panel(row / PanelRows);
        var lane = row % PanelRows;
        for (var column = 0; column < Columns; column++)
        {
            var (block, within) = (column / BlockColumns, column % BlockColumns);
            switch (Format)
            {
                case PanelFormat.FourBits:
                    var four = start + (block * FourBitsBytes);
                    var packed = four[64 + (within % 16 / 4 * 64) + (lane * 4) + (within % 4)];
                    var nibble = within < 16 ? packed & 15 : packed >> 4;
                    destination[column] = (nibble * (float)((Half*)four)[lane]) + (float)((Half*)four)[PanelRows + lane];
                    break;
                case PanelFormat.EightBits:
                    var value = start[ScaleBytes + (block * EightBitsBytes) + (within / 4 * 64) + (lane * 4) + (within % 4)] - 128;
                    destination[column] = value * (float)((Half*)start)[(block * PanelRows) + lane];
                    break;
                case PanelFormat.Half:
                    destination[column] = (float)((Half*)start)[(column * PanelRows) + lane];
                    break;
                default:
                    destination[column] = BitConverter.UInt32BitsToSingle(
                        (uint)((ushort*)start)[(column * PanelRows) + lane] << 16);
                    break;
            }
        }
    }
}
