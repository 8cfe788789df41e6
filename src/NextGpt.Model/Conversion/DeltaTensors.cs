using NextGpt.Media;
using NextGpt.Model.Weights;

namespace NextGpt.Model.Conversion;

/// <summary>Where a tensor stands.</summary>
/// <param name="Source">Which file.</param>
/// <param name="Stored">Its name there.</param>
internal sealed record TensorPlace(IStoredTensors Source, string Stored)
{
    public IReadOnlyList<long> Shape => Source.Tensors[Stored].Shape;
}

/// <summary>NExT-GPT's own weights, sorted by what they are, from the files of either generation and of any stage.</summary>
/// <remarks>
/// Names: v0 stages 1 and 2 <c>llama_model.model.</c>, stage 3 <c>llama_model.base_model.model.model.</c>, with the adapter's name
/// <c>.default</c> or without; v2 <c>model.mm_*</c>, peft's <c>base_model.model.model.</c>, and
/// <c>non_lora_trainables.bin</c> behind <c>base_model.model.</c>. What none of them has is refused, never dropped.
/// </remarks>
internal sealed class DeltaTensors
{
    private const int ShownNames = 8;

    private static readonly (string Prefix, MediaKind? Kind, bool IsV0)[] Projections =
    [
        ("llama_proj.", null, true),
        ("gen_text_hidden_fcs.0.", MediaKind.Image, true),
        ("gen_text_hidden_fcs_video.0.", MediaKind.Video, true),
        ("gen_text_hidden_fcs_audio.0.", MediaKind.Audio, true),
        ("mm_input_projector.", null, false),
        ("mm_output_img_projector.", MediaKind.Image, false),
        ("mm_output_vid_projector.", MediaKind.Video, false),
        ("mm_output_aud_projector.", MediaKind.Audio, false),
    ];

    private readonly List<string> _unknown = [];
    private readonly List<string> _replaced = [];
    private bool? _isV0;

    /// <summary>Whether the names are those of the first generation.</summary>
    public bool IsV0 => _isV0 ?? false;

    /// <summary>The input projection under its own names.</summary>
    public Dictionary<string, TensorPlace> Input { get; } = new(StringComparer.Ordinal);

    /// <summary>The output projections under their own names.</summary>
    public Dictionary<MediaKind, Dictionary<string, TensorPlace>> Outputs { get; } = [];

    /// <summary>The LoRA, <c>model.layers.0.self_attn.q_proj.lora_A.weight</c> and so on.</summary>
    public Dictionary<string, TensorPlace> Lora { get; } = new(StringComparer.Ordinal);

    /// <summary>The token embedding: rows of all tokens.</summary>
    public TensorPlace? Embedding { get; private set; }

    /// <summary>The head: rows of all tokens.</summary>
    public TensorPlace? Head { get; private set; }

    /// <summary>Names that stood in more than one file; the last one counts.</summary>
    public IReadOnlyList<string> Replaced => _replaced;

    /// <summary>Whether a file has weights of NExT-GPT itself.</summary>
    public static bool IsDelta(IEnumerable<string> names) => names.Select(Plain).Any(name =>
        Projections.Any(projection => name.StartsWith(projection.Prefix, StringComparison.Ordinal)) || IsLora(name));

    /// <summary>Whether a tensor belongs to a projection; the language model of a merged checkpoint lies beside them.</summary>
    public static bool IsProjection(string stored) => Projections.Any(projection =>
        Plain(stored).StartsWith(projection.Prefix, StringComparison.Ordinal));

    /// <summary>Takes the tensors of one file; files of later stages after those of earlier ones.</summary>
    /// <param name="source">Stays open.</param>
    /// <param name="only">Which of its tensors; null is all.</param>
    /// <exception cref="InvalidDataException">It has tensors that are no part of NExT-GPT, or mixes generations.</exception>
    public void Add(IStoredTensors source, Func<string, bool>? only = null)
    {
        _unknown.Clear();
        foreach (var stored in source.Tensors.Keys.Where(only ?? (_ => true)).Order(StringComparer.Ordinal))
        {
            Sort(Plain(stored), new TensorPlace(source, stored));
        }

        if (_unknown.Count > 0)
        {
            throw new InvalidDataException(
                $"{source.Name} has {_unknown.Count} tensors that are no part of NExT-GPT: "
                + $"{string.Join(", ", _unknown.Take(ShownNames))}{(_unknown.Count > ShownNames ? ", ..." : "")}. Expected were "
                + "projections, LoRA pairs, embed_tokens and lm_head.");
        }
    }

    /// <summary>A name without what the trainers of both generations put in front of it, and without the adapter's name.</summary>
    private static string Plain(string stored)
    {
        var name = Without(Without(stored, "llama_model."), "base_model.model.");
        if (name.StartsWith("model.mm_", StringComparison.Ordinal))
        {
            name = name["model.".Length..];
        }

        return IsLora(name) ? name.Replace(".default.weight", ".weight", StringComparison.Ordinal) : name;
    }

    private static string Without(string name, string prefix) =>
        name.StartsWith(prefix, StringComparison.Ordinal) ? name[prefix.Length..] : name;

    private static bool IsLora(string name) =>
        name.Contains(".lora_A.", StringComparison.Ordinal) || name.Contains(".lora_B.", StringComparison.Ordinal);

    private void Sort(string name, TensorPlace place)
    {
        if (IsLora(name) && name.StartsWith("model.layers.", StringComparison.Ordinal))
        {
            Put(Lora, name, place);
            return;
        }

        switch (name)
        {
            case "model.embed_tokens.weight" or "embed_tokens.weight":
                Embedding = Last(Embedding, place);
                return;
            case "lm_head.weight" or "model.lm_head.weight":
                Head = Last(Head, place);
                return;
        }

        var found = Projections.FirstOrDefault(projection => name.StartsWith(projection.Prefix, StringComparison.Ordinal));
        if (found.Prefix is null || IsLora(name))
        {
            _unknown.Add(place.Stored);
            return;
        }

        if (_isV0 is { } before && before != found.IsV0)
        {
            throw new InvalidDataException(
                $"{place.Source.Name}: '{place.Stored}' is of the {(found.IsV0 ? "first" : "second")} generation of NExT-GPT, the rest of "
                + "the sources of the other; a package has one. Convert them one by one.");
        }

        _isV0 = found.IsV0;
        var projection = found.Kind is { } kind ? OutputOf(kind) : Input;
        Put(projection, name[found.Prefix.Length..], place);
    }

    private Dictionary<string, TensorPlace> OutputOf(MediaKind kind)
    {
        if (!Outputs.TryGetValue(kind, out var output))
        {
            Outputs.Add(kind, output = new(StringComparer.Ordinal));
        }

        return output;
    }

    private TensorPlace Last(TensorPlace? before, TensorPlace now)
    {
        if (before is not null)
        {
            Refuse(before, now);
        }

        return now;
    }

    private void Put(Dictionary<string, TensorPlace> places, string name, TensorPlace place)
    {
        if (places.TryGetValue(name, out var before))
        {
            Refuse(before, place);
        }

        places[name] = place;
    }

    /// <summary>The same tensor in two files is a later stage of it; twice in one file is damage.</summary>
    private void Refuse(TensorPlace before, TensorPlace now)
    {
        if (before.Source == now.Source)
        {
            throw new InvalidDataException(
                $"{now.Source.Name}: '{before.Stored}' and '{now.Stored}' are the same tensor under two names; which one counts cannot be told.");
        }

        _replaced.Add($"{now.Stored} of {Path.GetFileName(before.Source.Name)} by that of {Path.GetFileName(now.Source.Name)}");
    }
}
