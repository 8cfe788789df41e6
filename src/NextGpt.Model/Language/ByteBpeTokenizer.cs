using System.Buffers;
using System.Text;

namespace NextGpt.Model.Language;

/// <summary>What a byte-level BPE tokenizer is made of, whatever file it came from.</summary>
internal sealed record ByteBpeVocabulary
{
    /// <summary>Every token by id, in GPT-2's alphabet of bytes; null where an id is not used.</summary>
    public required IReadOnlyList<string?> Tokens { get; init; }

    /// <summary>Merges in order: the two halves, in GPT-2's alphabet.</summary>
    public required IReadOnlyList<(string Left, string Right)> Merges { get; init; }

    /// <summary>Tokens matched before words are split; their ids may lie within or beyond <see cref="Tokens"/>.</summary>
    public required IReadOnlyList<AddedToken> Added { get; init; }

    /// <summary>How words are split.</summary>
    public required WordSplitter Words { get; init; }

    /// <summary>A word that is a token is that token, whatever the merges say (Llama 3).</summary>
    public bool WholeWordsFirst { get; init; }

    /// <summary>Whether text is brought to Unicode's composed form first (Qwen2).</summary>
    public bool Composes { get; init; }

    /// <summary>Whether a space is put before a text that does not begin with one.</summary>
    public bool PrefixSpace { get; init; }

    /// <summary>The token that begins a sequence, or null.</summary>
    public int? BeginToken { get; init; }

    /// <summary>Tokens that end a reply.</summary>
    public required IReadOnlySet<int> EndTokens { get; init; }

    /// <summary>The token that pads a batch.</summary>
    public required int PadToken { get; init; }
}

/// <summary>Byte-level BPE as GPT-2, RoBERTa, SmolLM2, Llama 3 and Qwen2 use it (Radford et al. 2019, section 2.2).</summary>
/// <remarks>
/// Own code rather than Microsoft.ML.Tokenizers, which knows neither whole words first nor characters beyond the basic
/// plane as letters, and matches special tokens in everything; a test compares the two where both apply.
/// </remarks>
internal sealed class ByteBpeTokenizer : ITokenizer
{
    private readonly ByteBpeVocabulary _vocabulary;
    private readonly AddedTokens _added;
    private readonly BytePairs _pairs;
    private readonly Dictionary<string, int> _ids;
    private readonly Dictionary<string, int> _literals = new(StringComparer.Ordinal);
    private readonly HashSet<int> _specials;
    private readonly int[] _byteTokens;
    private readonly byte[][] _bytes;

    public ByteBpeTokenizer(ByteBpeVocabulary vocabulary)
    {
        _vocabulary = vocabulary;
        _added = new AddedTokens(vocabulary.Added);
        _specials = [.. vocabulary.Added.Where(token => token.Special).Select(token => token.Id)];
        VocabularySize = Math.Max(
            vocabulary.Tokens.Count, vocabulary.Added.Select(token => token.Id + 1).DefaultIfEmpty().Max());

        _ids = new Dictionary<string, int>(vocabulary.Tokens.Count, StringComparer.Ordinal);
        _bytes = new byte[VocabularySize][];
        Array.Fill(_bytes, []);
        for (var id = 0; id < vocabulary.Tokens.Count; id++)
        {
            if (vocabulary.Tokens[id] is { Length: > 0 } token)
            {
                _ids.TryAdd(token, id);
                _bytes[id] = ByteAlphabet.ToBytes(token);
            }
        }

        foreach (var token in vocabulary.Added)
        {
            _literals.TryAdd(token.Literal, token.Id);
            _bytes[token.Id] = token.Special ? [] : Encoding.UTF8.GetBytes(token.Literal);
        }

        _byteTokens = new int[256];
        for (var value = 0; value < 256; value++)
        {
            _byteTokens[value] = _ids.GetValueOrDefault(ByteAlphabet.Character((byte)value).ToString(), -1);
        }

        _pairs = new BytePairs(vocabulary.Merges.Count);
        foreach (var (left, right) in vocabulary.Merges)
        {
            AddMerge(left, right);
        }
    }

    public int VocabularySize { get; }

    public int? BeginToken => _vocabulary.BeginToken;

    public IReadOnlySet<int> EndTokens => _vocabulary.EndTokens;

    public int PadToken => _vocabulary.PadToken;

    public bool AddsPrefixSpace => _vocabulary.PrefixSpace;

    public IReadOnlyList<int> Encode(IReadOnlyList<TextRun> runs, bool beginsText)
    {
        var tokens = new List<int>();
        foreach (var segment in _added.Split(runs))
        {
            if (segment.Text is null)
            {
                tokens.Add(segment.Token);
            }
            else
            {
                EncodePlain(segment.Text, beginsText, tokens);
            }

            beginsText = false;
        }

        return tokens;
    }

    public ReadOnlySpan<byte> BytesOf(int token) => (uint)token < (uint)_bytes.Length ? _bytes[token] : [];

    public string Decode(IEnumerable<int> tokens)
    {
        var bytes = new ArrayBufferWriter<byte>();
        foreach (var token in tokens)
        {
            bytes.Write(BytesOf(token));
        }

        var text = Encoding.UTF8.GetString(bytes.WrittenSpan);
        return AddsPrefixSpace && text.StartsWith(' ') ? text[1..] : text;
    }

    public int? Find(string literal) =>
        _literals.TryGetValue(literal, out var id) || _ids.TryGetValue(literal, out id) ? id : null;

    private void AddMerge(string left, string right)
    {
        // A merge whose result is a special token would let typed text become one: it is left out.
        if (_ids.TryGetValue(left, out var leftId) && _ids.TryGetValue(right, out var rightId)
            && _ids.TryGetValue(left + right, out var token) && !_specials.Contains(token))
        {
            _pairs.Add(leftId, rightId, token);
        }
    }

    private void EncodePlain(string text, bool beginsText, List<int> tokens)
    {
        if (_vocabulary.Composes)
        {
            text = text.Normalize(NormalizationForm.FormC);
        }

        if (_vocabulary.PrefixSpace && beginsText && !text.StartsWith(' '))
        {
            text = " " + text;
        }

        foreach (var word in _vocabulary.Words.Split(text))
        {
            EncodeWord(text.AsSpan(word), tokens);
        }
    }

    private void EncodeWord(ReadOnlySpan<char> word, List<int> tokens)
    {
        var most = Encoding.UTF8.GetMaxByteCount(word.Length);
        var byteBuffer = ArrayPool<byte>.Shared.Rent(most);
        var tokenBuffer = ArrayPool<int>.Shared.Rent(most);
        var bytes = byteBuffer.AsSpan(0, Encoding.UTF8.GetBytes(word, byteBuffer));
        if (_vocabulary.WholeWordsFirst
            && _ids.TryGetValue(ByteAlphabet.ToText(bytes), out var whole) && !_specials.Contains(whole))
        {
            tokens.Add(whole);
        }
        else
        {
            var count = 0;
            foreach (var value in bytes)
            {
                if (_byteTokens[value] is >= 0 and var token)   // a byte without a token has no place in the vocabulary
                {
                    tokenBuffer[count++] = token;
                }
            }

            count = _pairs.Merge(tokenBuffer.AsSpan(0, count));
            tokens.AddRange(tokenBuffer.AsSpan(0, count));
        }

        ArrayPool<byte>.Shared.Return(byteBuffer);
        ArrayPool<int>.Shared.Return(tokenBuffer);
    }
}
