namespace NextGpt.Model.Weights;

/// <summary>Where a tensor's blocks lie in a mapped GGUF file. Valid while the file is open.</summary>
/// <param name="Name">The file's name for it.</param>
/// <param name="Shape">Row-major, outermost first.</param>
/// <param name="Type">How elements are stored.</param>
/// <param name="Start">Position of the first block in the file, in bytes.</param>
/// <param name="SizeBytes">Bytes of all blocks.</param>
internal sealed record GgufTensor(
    string Name, IReadOnlyList<long> Shape, GgufType Type, long Start, long SizeBytes)
{
    /// <summary>Elements in one row (the innermost dimension).</summary>
    public long RowLength => Shape[^1];

    /// <summary>Number of rows (all other dimensions together).</summary>
    public long Rows
    {
        get
        {
            var rows = 1L;
            for (var dimension = 0; dimension < Shape.Count - 1; dimension++)
            {
                rows *= Shape[dimension];
            }

            return rows;
        }
    }

    /// <summary>Bytes of one row.</summary>
    public long RowBytes => SizeBytes / Rows;
}
