using System.Runtime.InteropServices;
using NextGpt.Media;
using NextGpt.Model.Decoders;
using NextGpt.Model.Language;
using NextGpt.Model.Packages;
using NextGpt.Model.Projections;
using static TorchSharp.torch;

namespace NextGpt.Model;

/// <summary>What NExT-GPT puts around a language model: media in by encoder and projection, media out by projection and decoder.</summary>
/// <remarks>
/// Wu et al. 2023 (NExT-GPT), section 3. Speaking itself is <see cref="ReplySpeaker"/>'s; it gets embeddings from here and gives
/// signals back. Everything large is read when it is first needed; decoders that rest for a while, or stand in the way of
/// another one, are let go. Belongs to the model thread, except <see cref="Splice"/>, which any thread may use.
/// </remarks>
internal sealed class NextGptModel : IDisposable
{
    private const long FeatureBudgetBytes = 64L << 20;

    private readonly MediaInput? _input;
    private readonly Dictionary<MediaKind, MediaOutput> _outputs;
    private readonly TimeProvider _time;
    private readonly Func<long> _freeBytes;
    private readonly MediaIndex _index = new();
    private readonly Dictionary<int, float[]> _embeddings = [];
    private readonly Queue<int> _embeddingOrder = [];
    private long _embeddingBytes;

    /// <param name="signals">The package's tokens.</param>
    /// <param name="input">How media come in; null where the package reads none.</param>
    /// <param name="outputs">How media go out.</param>
    /// <param name="swallowsSpaces">See <see cref="TokenPart.SwallowsSpaces"/>.</param>
    /// <param name="time">The clock by which decoders rest.</param>
    /// <param name="freeBytes">Memory that is free on the decoders' device; null asks the machine.</param>
    /// <param name="embeddingSize">Width of the encoder's space; null where it is known only once the encoder is read.</param>
    public NextGptModel(
        SignalTokens signals, MediaInput? input, IEnumerable<MediaOutput> outputs, bool swallowsSpaces, TimeProvider time,
        Func<long>? freeBytes = null, int? embeddingSize = null)
    {
        Signals = signals;
        _input = input;
        _outputs = outputs.ToDictionary(output => output.Kind);
        _time = time;
        _freeBytes = freeBytes ?? FreeHostBytes;
        Splice = new MediaSplice
        {
            Tokens = signals,
            MediaTokens = input?.Part.MediaTokens ?? 1,
            SwallowsSpaces = swallowsSpaces,
            IdOf = _index.IdOf,
        };
        Abilities = new ModelAbilities
        {
            Reads = input?.Part.Kinds ?? [],
            EmbeddingSize = embeddingSize,
            Makes = [.. Enum.GetValues<MediaKind>().Where(_outputs.ContainsKey)],
        };
    }

    /// <summary>The package's tokens.</summary>
    public SignalTokens Signals { get; }

    /// <summary>How media stand in a prompt; thread-safe.</summary>
    public MediaSplice Splice { get; }

    /// <summary>Kinds that can come in and go out.</summary>
    public ModelAbilities Abilities { get; }

    /// <summary>What the package says of the kinds that can go out.</summary>
    public IReadOnlyDictionary<MediaKind, OutputPart> Outputs =>
        _outputs.ToDictionary(output => output.Key, output => output.Value.Part);

    /// <summary>Kinds whose decoder is in memory.</summary>
    public IEnumerable<MediaKind> LoadedDecoders => _outputs.Values.Where(output => output.IsLoaded).Select(output => output.Kind);

    /// <summary>Media that were encoded, counted since the start: those of earlier turns are not encoded again.</summary>
    public int EncodedMedia { get; private set; }

    /// <summary>What stands at a medium's positions of the language model's input.</summary>
    /// <param name="medium">A medium of the prompt.</param>
    /// <returns>[positions · hidden]</returns>
    /// <exception cref="GenerationRefusedException">The encoder cannot make anything of it.</exception>
    public float[] Embed(SplicedMedium medium)
    {
        if (_embeddings.TryGetValue(medium.Id, out var known))
        {
            return known;
        }

        var input = _input ?? throw new NotSupportedException("This model reads no media.");
        var embedding = input.Embed(medium.Medium);
        EncodedMedia++;
        _embeddings.Add(medium.Id, embedding);
        _embeddingOrder.Enqueue(medium.Id);
        _embeddingBytes += embedding.Length * sizeof(float);
        while (_embeddingBytes > FeatureBudgetBytes && _embeddingOrder.Count > 1)
        {
            _embeddings.Remove(_embeddingOrder.Dequeue(), out var oldest);
            _embeddingBytes -= oldest!.Length * sizeof(float);   // what is in the order is there
        }

        return embedding;
    }

    /// <summary>A medium's place in the encoder's space.</summary>
    /// <param name="medium">Of a kind that can come in.</param>
    /// <returns>[features]</returns>
    /// <exception cref="NotSupportedException">The model does not read this kind.</exception>
    public float[] Place(Medium medium)
    {
        var input = _input is { } reads && reads.Part.Kinds.Contains(medium.Kind) ? _input
            : throw new NotSupportedException($"This model does not embed {MediaWords.Many(medium.Kind)}.");
        return input.Place(medium);
    }

    /// <summary>Guidance that a kind's decoder uses where so much is asked.</summary>
    public double GuidanceFor(MediaKind kind, double asked) => _outputs[kind].GuidanceFor(asked);

    /// <summary>Makes the medium of a signal.</summary>
    /// <param name="kind">One of <see cref="Outputs"/>.</param>
    /// <param name="states">[positions · hidden], see <see cref="MediaOutput.Render"/>.</param>
    /// <param name="options">One seed; steps, guidance, size.</param>
    /// <param name="progress">Gets the share that is done, 0 to 1.</param>
    /// <param name="cancellationToken">Looked at before every denoising step.</param>
    public Medium Render(
        MediaKind kind, float[] states, RenderOptions options, IProgress<double>? progress, CancellationToken cancellationToken)
    {
        var output = _outputs[kind];
        if (!output.IsLoaded && _freeBytes() < output.SizeBytes)
        {
            OffLoad(other => other != output);
        }

        try
        {
            return output.Render(states, options, progress, cancellationToken);
        }
        catch (Exception failure) when (MediaOutput.IsOutOfMemory(failure) && _outputs.Values.Any(other => other != output && other.IsLoaded))
        {
            OffLoad(_ => true);
            return output.Render(states, options, progress, cancellationToken);
        }
        finally
        {
            output.LastUsed = _time.GetTimestamp();
        }
    }

    /// <summary>Lets go what has rested for a while.</summary>
    /// <param name="rest">How long.</param>
    /// <returns>When the next one will have rested so long; null where none is in memory.</returns>
    public TimeSpan? OffLoadIdle(TimeSpan rest)
    {
        OffLoad(output => _time.GetElapsedTime(output.LastUsed) >= rest);
        var resting = _outputs.Values.Where(output => output.IsLoaded).Select(output => rest - _time.GetElapsedTime(output.LastUsed)).ToList();
        return resting.Count == 0 ? null : resting.Min();
    }

    public void Dispose()
    {
        _input?.Dispose();
        foreach (var output in _outputs.Values)
        {
            output.Dispose();
        }
    }

    private void OffLoad(Func<MediaOutput, bool> which)
    {
        foreach (var output in _outputs.Values.Where(output => output.IsLoaded).Where(which))
        {
            output.OffLoad();
        }
    }

    private static long FreeHostBytes()
    {
        var memory = GC.GetGCMemoryInfo();
        return memory.TotalAvailableMemoryBytes - Environment.WorkingSet;
    }
}

/// <summary>How media come in: an encoder, read when the first medium comes, and a projection.</summary>
/// <param name="part">What the package says.</param>
/// <param name="load">Reads encoder and projection.</param>
internal sealed class MediaInput(InputPart part, Func<(IMediaEncoder Encoder, InputProjection Projection)> load) : IDisposable
{
    private (IMediaEncoder Encoder, InputProjection Projection)? _loaded;

    /// <summary>What the package says.</summary>
    public InputPart Part => part;

    /// <summary>Encodes and projects a medium.</summary>
    /// <returns>[positions · hidden]</returns>
    public float[] Embed(Medium medium)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var (encoder, projection) = _loaded ??= Load();
        var weights = projection.parameters().First();
        var features = encoder.Encode(medium);   // [1, positions, features]
        var projected = projection.call(features.to(weights.dtype).to(weights.device));   // [1, tokens, hidden]
        if (projected.shape[1] != part.MediaTokens)
        {
            throw new InvalidDataException(
                $"The input projection gives {projected.shape[1]} positions of a medium, the package says {part.MediaTokens}.");
        }

        return Plain(projected);
    }

    /// <summary>The encoder's own embedding of a medium.</summary>
    /// <returns>[features]</returns>
    public float[] Place(Medium medium)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var (encoder, _) = _loaded ??= Load();
        return Plain(encoder.Embed(medium));   // [1, features]
    }

    public void Dispose()
    {
        _loaded?.Encoder.Dispose();
        _loaded?.Projection.Dispose();
        _loaded = null;
    }

    private static float[] Plain(Tensor values)
    {
        using var scope = NewDisposeScope();
        return MemoryMarshal.Cast<byte, float>(values.to(ScalarType.Float32).cpu().contiguous().bytes).ToArray();
    }

    private (IMediaEncoder Encoder, InputProjection Projection) Load()
    {
        using var scope = NewDisposeScope();
        var (encoder, projection) = load();
        projection.eval();
        if (encoder.FeatureSize == projection.FeatureSize)
        {
            return (encoder, projection);
        }

        var (given, taken) = (encoder.FeatureSize, projection.FeatureSize);
        encoder.Dispose();
        projection.Dispose();
        throw new InvalidDataException($"The encoder gives features of width {given}, the input projection takes {taken}; they belong to different packages.");
    }
}
