using NextGpt.Model.Decoders.StableDiffusion;
using NextGpt.Model.Encoders;
using NextGpt.Tuning.Data;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Contrastive;

/// <summary>Every text of a run, once, with its tokens.</summary>
internal sealed class TextTable
{
    private readonly Dictionary<string, int> _places = new(StringComparer.Ordinal);
    private readonly List<string> _texts = [];
    private ImageBindTokenizer? _tokenizer;
    private long[][] _tokens = [];

    /// <summary>Notes a text.</summary>
    /// <param name="text">The text.</param>
    /// <returns>Its place; the same for the same text.</returns>
    internal int Add(string text)
    {
        if (!_places.TryGetValue(text, out var place))
        {
            _places[text] = place = _texts.Count;
            _texts.Add(text);
        }

        return place;
    }

    /// <summary>Learns a vocabulary from all texts and cuts them; no text can be added after it.</summary>
    /// <param name="length">Tokens of a text at most.</param>
    internal ClipTokenizer Learn(int length)
    {
        var pairs = CaptionVocabulary.Learn(_texts, MiniEncoder.VocabularySize);
        _tokenizer = new ImageBindTokenizer(pairs, length);
        _tokens = [.. _texts.Select(_tokenizer.Encode)];
        return pairs;
    }

    /// <summary>Tokens of texts, cut where the longest of them ends.</summary>
    /// <param name="places">As <see cref="Add"/> gave them.</param>
    /// <param name="device">Where they shall lie.</param>
    /// <returns>[texts, tokens] int64, owned by the caller's dispose scope.</returns>
    internal Tensor Rows(IReadOnlyList<int> places, Device device)
    {
        // Unlike the end token, padding is zero and nothing attends to what follows it.
        var longest = places.Max(place => Array.FindLastIndex(_tokens[place], token => token != 0) + 1);
        return tensor([.. places.SelectMany(place => _tokens[place].Take(longest))], [places.Count, longest], device: device);
    }
}
