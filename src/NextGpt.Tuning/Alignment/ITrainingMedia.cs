using NextGpt.Media;
using NextGpt.Tuning.Data;

namespace NextGpt.Tuning.Alignment;

/// <summary>What frozen networks say of media and captions; encoder and decoders stand behind it and may be missing.</summary>
public interface ITrainingMedia : IDisposable
{
    /// <summary>Kinds that can be shown.</summary>
    IReadOnlySet<MediaKind> Reads { get; }

    /// <summary>Kinds whose signals can be learnt.</summary>
    IReadOnlySet<MediaKind> Makes { get; }

    /// <summary>Width of the encoder's features; null where nothing can be shown.</summary>
    int? FeatureSize { get; }

    /// <summary>Positions and width of a kind's gold captions.</summary>
    /// <param name="kind">One of <see cref="Makes"/>.</param>
    (int Queries, int Width) ShapeOf(MediaKind kind);

    /// <summary>The encoder's features of media.</summary>
    /// <param name="recipes">Of kinds in <see cref="Reads"/>.</param>
    /// <returns>For each [positions · features].</returns>
    IReadOnlyList<float[]> Features(IReadOnlyList<MediumRecipe> recipes);

    /// <summary>What the decoder's own text encoder makes of captions.</summary>
    /// <param name="kind">One of <see cref="Makes"/>.</param>
    /// <param name="captions">The captions.</param>
    /// <returns>For each [queries · width].</returns>
    IReadOnlyList<float[]> Golds(MediaKind kind, IReadOnlyList<string> captions);
}
