using NextGpt.Model.Weights;

namespace NextGpt.Model.Conversion;

/// <summary>A file that a package will have, and how it comes about.</summary>
/// <param name="Path">In the package, with <c>/</c>.</param>
internal abstract record PlannedFile(string Path)
{
    /// <summary>What it will need on the disk, headers left out.</summary>
    public abstract long SizeBytes { get; }

    /// <summary>Writes it.</summary>
    /// <param name="file">Its place; the folder exists.</param>
    /// <param name="watch">Counts, and stops.</param>
    public abstract void Write(string file, ConversionWatch watch);
}

/// <summary>A file taken as it is.</summary>
internal sealed record CopiedFile(string Path, string Source) : PlannedFile(Path)
{
    private const int BufferBytes = 1 << 20;

    public override long SizeBytes { get; } = LengthOf(Source);

    public override void Write(string file, ConversionWatch watch)
    {
        using var from = new FileStream(Source, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        using var to = new FileStream(file, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        var buffer = new byte[BufferBytes];
        for (int read; (read = from.Read(buffer)) > 0;)
        {
            to.Write(buffer, 0, read);
            watch.Count(read);
        }

        to.Flush(flushToDisk: true);
    }

    private static long LengthOf(string file)
    {
        using var handle = File.OpenHandle(file);
        return RandomAccess.GetLength(handle);
    }
}

/// <summary>A small file made here.</summary>
internal sealed record WrittenFile(string Path, byte[] Content) : PlannedFile(Path)
{
    public override long SizeBytes => Content.Length;

    public override void Write(string file, ConversionWatch watch)
    {
        File.WriteAllBytes(file, Content);
        watch.Count(Content.Length);
    }
}

/// <summary>A safetensors file of tensors from anywhere, in their stored types.</summary>
internal sealed record TensorFile(string Path, IReadOnlyList<PlannedTensor> Tensors) : PlannedFile(Path)
{
    public override long SizeBytes => Tensors.Sum(tensor => tensor.SizeBytes);

    public override void Write(string file, ConversionWatch watch)
    {
        var writer = new SafetensorsWriter();
        foreach (var tensor in Tensors)
        {
            writer.Add(tensor.Name, tensor.Type, tensor.Shape, () =>
            {
                var bytes = tensor.Read();
                watch.Count(bytes.Length);
                return bytes;
            });
        }

        writer.Save(file);
    }
}

/// <summary>A tensor of a source under its name in the package.</summary>
/// <param name="Name">In the package.</param>
/// <param name="Source">Where it is.</param>
/// <param name="Stored">Its name there.</param>
/// <param name="FromRow">First row that is taken.</param>
internal sealed record PlannedTensor(string Name, IStoredTensors Source, string Stored, long FromRow = 0)
{
    public SafetensorsType Type => Source.TypeOf(Stored);

    public IReadOnlyList<long> Shape => FromRow == 0
        ? Source.Tensors[Stored].Shape
        : [Source.Tensors[Stored].Shape[0] - FromRow, .. Source.Tensors[Stored].Shape.Skip(1)];

    public long SizeBytes => checked(Shape.Aggregate(1L, (product, size) => product * size) * SafetensorsHeader.ByteSize(Type));

    public byte[] Read()
    {
        var whole = Source.Tensors[Stored].Count * SafetensorsHeader.ByteSize(Type);
        if (whole > Array.MaxLength)
        {
            throw new InvalidDataException(
                $"{Source.Name}: tensor '{Stored}' has {whole} bytes, at most {Array.MaxLength} are copied at once.");
        }

        var bytes = new byte[whole];
        Source.ReadBytes(Stored, bytes);
        return FromRow == 0 ? bytes : bytes[^(int)SizeBytes..];
    }
}

/// <summary>Counts bytes, tells of them, and stops where nobody waits any more.</summary>
internal sealed class ConversionWatch(long total, IProgress<ConversionProgress>? progress, CancellationToken cancellationToken)
{
    private string _doing = "";
    private long _done;

    public void Begin(string doing)
    {
        _doing = doing;
        Count(0);
    }

    public void Count(long bytes)
    {
        cancellationToken.ThrowIfCancellationRequested();
        _done += bytes;
        progress?.Report(new ConversionProgress(_doing, total == 0 ? 1 : Math.Min(1, (double)_done / total)));
    }
}
