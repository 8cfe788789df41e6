using NextGpt.Media;
using NextGpt.Model.Encoders;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Evaluation;

/// <summary>Looks at media with an encoder that had no part in making them.</summary>
/// <remarks>
/// A concept's place is the mean direction of its real media; a medium is right when no other concept's place is nearer. Needs no
/// text tower, so every encoder of the ImageBind architecture can judge. Belongs to one thread.
/// </remarks>
internal sealed class EncoderJudge : IDisposable
{
    private const int Batch = 32;
    private readonly ImageBind _network;
    private readonly MediaPreparation _preparation;
    private readonly Device _device;

    private EncoderJudge(ImageBind network, Device device)
    {
        _network = network;
        _preparation = new MediaPreparation(network.Config);
        _device = device;
    }

    /// <summary>Loads an encoder.</summary>
    /// <param name="folder">With <c>config.json</c> and safetensors weights.</param>
    /// <param name="device">Where it computes.</param>
    /// <exception cref="InvalidDataException">What does not fit, by name.</exception>
    internal static EncoderJudge Load(string folder, Device device) => new(ImageBind.Load(folder, device), device);

    /// <summary>Whether the encoder can look at a kind of medium.</summary>
    internal bool Sees(MediaKind kind) => kind == MediaKind.Audio ? _network.Config.Audio is not null : _network.Config.Vision is not null;

    /// <summary>Directions of media of one kind.</summary>
    /// <param name="media">All of one kind.</param>
    /// <param name="cancellationToken">Looked at between batches.</param>
    /// <returns>One array of length 1 per medium.</returns>
    internal IReadOnlyList<float[]> Embed(IEnumerable<Medium> media, CancellationToken cancellationToken)
    {
        using var noGradient = no_grad();
        var all = new List<float[]>();
        foreach (var chunk in media.Chunk(Batch))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var views = cat([.. chunk.Select(medium => _preparation.Prepare(medium, _device))]);
            var directions = nn.functional.normalize(_network.Pool(chunk[0].Kind, views), dim: -1).to(ScalarType.Float32).cpu();   // [batch, output]
            var numbers = directions.data<float>().ToArray();
            var width = numbers.Length / chunk.Length;
            all.AddRange(Enumerable.Range(0, chunk.Length).Select(at => numbers[(at * width)..((at + 1) * width)]));
        }

        return all;
    }

    /// <inheritdoc/>
    public void Dispose() => _network.Dispose();
}

/// <summary>Where concepts lie in a judge's space.</summary>
/// <param name="places">Concepts with the directions of their real media.</param>
internal sealed class ConceptGallery(IEnumerable<(string Concept, float[] Direction)> places)
{
    private readonly Dictionary<string, (float[] Sum, int Count)> _concepts = places
        .GroupBy(place => place.Concept, StringComparer.Ordinal)
        .ToDictionary(group => group.Key, group => (Summed(group.Select(place => place.Direction)), group.Count()), StringComparer.Ordinal);

    /// <summary>How many concepts there are.</summary>
    internal int Count => _concepts.Count;

    /// <summary>How many real media a concept has.</summary>
    internal int MediaOf(string concept) => _concepts.TryGetValue(concept, out var known) ? known.Count : 0;

    /// <summary>At which place a concept comes when all are ordered by their likeness to a medium; 1 is the nearest, null where it has no medium.</summary>
    /// <param name="direction">Of the medium that is judged.</param>
    /// <param name="asked">The concept that it should show.</param>
    /// <param name="ownMedium">Whether the medium itself is one of the concept's and is to be left out of its place.</param>
    internal int? Rank(float[] direction, string asked, bool ownMedium = false)
    {
        if (!_concepts.TryGetValue(asked, out var wanted) || (ownMedium && wanted.Count < 2))
        {
            return null;
        }

        var place = ownMedium ? [.. wanted.Sum.Zip(direction, (sum, own) => sum - own)] : wanted.Sum;
        var likeness = Cosine(place, direction);
        return 1 + _concepts.Count(other => other.Key != asked && Cosine(other.Value.Sum, direction) >= likeness);
    }

    /// <summary>The concept that a medium is most like.</summary>
    internal string Nearest(float[] direction) => _concepts.MaxBy(concept => Cosine(concept.Value.Sum, direction)).Key;

    private static double Cosine(float[] place, float[] direction)
    {
        double product = 0, length = 0;
        for (var at = 0; at < place.Length; at++)
        {
            product += place[at] * direction[at];
            length += place[at] * place[at];
        }

        return product / Math.Sqrt(Math.Max(length, 1e-24));
    }

    private static float[] Summed(IEnumerable<float[]> directions)
    {
        float[]? sum = null;
        foreach (var direction in directions)
        {
            sum ??= new float[direction.Length];
            for (var at = 0; at < sum.Length; at++)
            {
                sum[at] += direction[at];
            }
        }

        return sum ?? [];
    }
}
