namespace NextGpt.Media;

/// <summary>Turns files from strangers into decoded media.</summary>
public interface IMediaReader
{
    /// <summary>Decodes a file; thread-safe.</summary>
    /// <remarks>
    /// The type is taken from the bytes. A GIF or WebP with more than one frame is a clip. Transparent pixels are laid on
    /// white, a camera's orientation is applied, everything else that a file carries beside its pixels or samples is dropped.
    /// </remarks>
    /// <param name="bytes">The whole file.</param>
    /// <param name="name">What the sender calls it, for the sentences of errors; null is none.</param>
    /// <param name="cancellationToken">Gives up; whatever works on the file is stopped.</param>
    /// <exception cref="MediaException">It cannot be used: code and sentence of the error catalogue (product.md 2.4).</exception>
    Task<ReadMedium> ReadAsync(ReadOnlyMemory<byte> bytes, string? name = null, CancellationToken cancellationToken = default);
}

/// <summary>A file that was read.</summary>
/// <param name="Medium">What was in it.</param>
/// <param name="Format">What the file was.</param>
public sealed record ReadMedium(Medium Medium, MediaFormat Format)
{
    /// <summary>A sentence where not all of the file was taken ("the first 60 of 90 frames"), or null.</summary>
    public string? Notice { get; init; }
}
