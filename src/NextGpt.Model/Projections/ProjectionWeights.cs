using System.Globalization;
using NextGpt.Model.Weights;
using static TorchSharp.torch;

namespace NextGpt.Model.Projections;

/// <summary>What the files of projections have in common: names under a prefix, sizes read from shapes, fresh values from a seed.</summary>
internal static class ProjectionWeights
{
    /// <summary>How the checkpoints of both generations call what stands before a projection's own names.</summary>
    private static readonly string[] Prefixes =
    [
        "llama_proj.", "gen_text_hidden_fcs.0.", "gen_text_hidden_fcs_video.0.", "gen_text_hidden_fcs_audio.0.",
        "model.mm_input_projector.", "mm_input_projector.", "model.mm_output_img_projector.", "mm_output_img_projector.",
        "model.mm_output_vid_projector.", "mm_output_vid_projector.", "model.mm_output_aud_projector.", "mm_output_aud_projector.",
    ];

    /// <summary>A tensor's name without the name of the projection before it.</summary>
    public static string OwnName(string stored) =>
        Prefixes.FirstOrDefault(prefix => stored.StartsWith(prefix, StringComparison.Ordinal)) is { } prefix ? stored[prefix.Length..] : stored;

    /// <summary>The shape of a tensor by its own name.</summary>
    /// <exception cref="InvalidDataException">It is not there, or has another number of dimensions.</exception>
    public static IReadOnlyList<long> ShapeOf(ITensorSource source, string name, int dimensions)
    {
        var shape = source.Tensors.FirstOrDefault(tensor => OwnName(tensor.Key) == name).Value?.Shape
            ?? throw new InvalidDataException($"{source.Name}: tensor '{name}' is missing; is this the file of another projection?");
        return shape.Count == dimensions
            ? shape
            : throw new InvalidDataException(
                $"{source.Name}: tensor '{name}' has the shape [{string.Join(", ", shape)}], {dimensions} dimensions were expected.");
    }

    /// <summary>How many members a numbered list has, <c>PREFIX.0.</c> onwards.</summary>
    public static int Count(ITensorSource source, string prefix)
    {
        var names = source.Tensors.Keys.Select(OwnName).ToHashSet(StringComparer.Ordinal);
        var count = 0;
        while (names.Any(name => name.StartsWith(
            string.Create(CultureInfo.InvariantCulture, $"{prefix}.{count}."), StringComparison.Ordinal)))
        {
            count++;
        }

        return count;
    }

    /// <summary>Whether there is a tensor below a path.</summary>
    public static bool Has(ITensorSource source, string path) => source.Tensors.Keys.Any(name => OwnName(name) is var own
        && (own == path || own.StartsWith(path + ".", StringComparison.Ordinal)));

    /// <summary>
    /// Gives every parameter a fresh value: matrices evenly between ±1/√inputs as linear layers usually begin, norms one, what is
    /// added zero, learned tokens as they are told.
    /// </summary>
    /// <param name="network">On the CPU or another device; made anew.</param>
    /// <param name="seed">Same seed, same values.</param>
    /// <param name="tokens">The spread of a learned token's values by its name; 0 is all zero.</param>
    public static void Fill(nn.Module network, long seed, Func<string, double> tokens)
    {
        using var noGradient = no_grad();
        using var generator = new Generator((ulong)seed, CPU);
        foreach (var (name, parameter) in network.named_parameters().OrderBy(named => named.name, StringComparer.Ordinal))
        {
            using var scope = NewDisposeScope();
            var shape = parameter.shape;
            var fresh = shape.Length switch
            {
                2 => rand(shape, generator: generator).mul(2).sub(1).div(Math.Sqrt(shape[1])),
                1 => name.EndsWith("weight", StringComparison.Ordinal) ? ones(shape) : zeros(shape),
                _ => randn(shape, generator: generator).mul(tokens(name)),
            };
            parameter.copy_(fresh);
        }
    }
}
