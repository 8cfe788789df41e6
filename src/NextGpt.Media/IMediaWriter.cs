namespace NextGpt.Media;

/// <summary>Turns what the model made into files that say so, and what people sent into clean ones.</summary>
public interface IMediaWriter
{
    /// <summary>Encodes a medium with the mark of its origin (AID-1); thread-safe.</summary>
    /// <param name="medium">A picture becomes PNG, a sound WAV (16 bit), a clip MP4 where ffmpeg is there, else animated WebP.</param>
    /// <param name="mark">What is written into it; null writes none: for a person's own medium, which no model made.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="MediaException">It could not be encoded, with what to do.</exception>
    Task<MediaFile> WriteAsync(Medium medium, GenerationMark? mark, CancellationToken cancellationToken = default);
}

/// <summary>The machine-readable mark of a generated file (AID-1): that a model made it, which and when; never what was asked.</summary>
/// <param name="ModelId">Base and adapter.</param>
/// <param name="CreatedAt">When it was made.</param>
public sealed record GenerationMark(string ModelId, DateTimeOffset CreatedAt);
