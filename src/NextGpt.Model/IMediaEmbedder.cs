using NextGpt.Media;

namespace NextGpt.Model;

/// <summary>Places pictures, sounds and clips in one space, where what belongs together lies close.</summary>
public interface IMediaEmbedder
{
    /// <summary>The id of what embeds. Known without loading weights.</summary>
    string ModelId { get; }

    /// <summary>Kinds that are embedded. Known without loading weights.</summary>
    IReadOnlyList<MediaKind> Embeds { get; }

    /// <summary>Numbers per medium, or null where they are known only once the weights are loaded.</summary>
    int? Dimensions { get; }

    /// <summary>The places of media; thread-safe.</summary>
    /// <param name="media">Of the kinds in <see cref="Embeds"/>.</param>
    /// <param name="cancellationToken">Gives up between two media.</param>
    /// <returns>One array of <see cref="Dimensions"/> numbers per medium, in order; a medium's place does not depend on its neighbours.</returns>
    /// <exception cref="GenerationRefusedException">The request was refused.</exception>
    Task<IReadOnlyList<float[]>> EmbedAsync(IReadOnlyList<Medium> media, CancellationToken cancellationToken = default);
}
