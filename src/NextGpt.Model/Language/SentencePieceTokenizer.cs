using System.Buffers;
using System.Globalization;
using System.Text;

namespace NextGpt.Model.Language;

/// <summary>SentencePiece BPE with byte fallback, as LLaMA and Vicuna use it (Kudo and Richardson 2018).</summary>
/// <remarks>
/// Own code rather than Microsoft.ML.Tokenizers, which reads only the original file, not the same pieces in GGUF metadata
/// or <c>tokenizer.json</c>, and takes the right one of two equal merges that overlap ("   ") where the original takes the
/// left one. Pieces marked unused are never produced.
/// </remarks>
internal sealed class SentencePieceTokenizer : ITokenizer
{
    private const char Space = '▁';
    private readonly SentencePieceVocabulary _vocabulary;
    private readonly AddedTokens _added;
    private readonly Dictionary<string, int> _pieces;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private readonly Dictionary<string, int> _literals = new(StringComparer.Ordinal);
    private readonly int[] _byteTokens = new int[256];
    private readonly byte[][] _bytes;
    private readonly int _unknown;

    public SentencePieceTokenizer(SentencePieceVocabulary vocabulary)
    {
        _vocabulary = vocabulary;
        _added = new AddedTokens([.. vocabulary.Added, .. AddedFrom(vocabulary)]);
        VocabularySize = Math.Max(
            vocabulary.Pieces.Count, vocabulary.Added.Select(token => token.Id + 1).DefaultIfEmpty().Max());
        _pieces = new Dictionary<string, int>(vocabulary.Pieces.Count, StringComparer.Ordinal);
        _lookup = _pieces.GetAlternateLookup<ReadOnlySpan<char>>();
        _bytes = new byte[VocabularySize][];
        Array.Fill(_bytes, []);
        Array.Fill(_byteTokens, -1);
        _unknown = 0;
        for (var id = 0; id < vocabulary.Pieces.Count; id++)
        {
            AddPiece(vocabulary.Pieces[id], id, ref _unknown);
        }

        foreach (var token in _added.All)
        {
            _literals.TryAdd(token.Literal, token.Id);
            _bytes[token.Id] = token.Special ? [] : Encoding.UTF8.GetBytes(token.Literal.Replace(Space, ' '));
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
        var prefix = _vocabulary.PrefixSpace && beginsText;
        foreach (var segment in _added.Split(runs))
        {
            if (segment.Text is null)
            {
                tokens.Add(segment.Token);
                prefix = _vocabulary.PrefixSpace && _vocabulary.PrefixSpaceAfterSpecial;
            }
            else
            {
                var text = segment.Text.Replace(' ', Space);
                EncodePlain(prefix ? Space + text : text, tokens);
                prefix = false;
            }
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
        _literals.TryGetValue(literal, out var id) || _pieces.TryGetValue(literal, out id) ? id : null;

    private static IEnumerable<AddedToken> AddedFrom(SentencePieceVocabulary vocabulary)
    {
        var taken = vocabulary.Added.Select(token => token.Id).ToHashSet();
        for (var id = 0; id < vocabulary.Pieces.Count; id++)
        {
            var piece = vocabulary.Pieces[id];
            if (piece.Kind is SentencePieceKind.Control or SentencePieceKind.UserDefined or SentencePieceKind.Unknown
                && !taken.Contains(id))
            {
                yield return new AddedToken(id, piece.Text, piece.Kind != SentencePieceKind.UserDefined);
            }
        }
    }

    private void AddPiece(SentencePiece piece, int id, ref int unknown)
    {
        switch (piece.Kind)
        {
            case SentencePieceKind.Unknown:
                unknown = id;
                break;
            case SentencePieceKind.Byte:
                if (piece.Text.Length == 6
                    && byte.TryParse(piece.Text.AsSpan(3, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture,
                        out var value))
                {
                    _byteTokens[value] = id;
                    _bytes[id] = [value];
                }

                break;
            case SentencePieceKind.Normal when piece.Text.Length > 0:
                _pieces.TryAdd(piece.Text, id);
                _bytes[id] = Encoding.UTF8.GetBytes(piece.Text.Replace(Space, ' '));
                break;
        }
    }

    /// <summary>Merges neighbours, best score first and leftmost of equals, then names what is left.</summary>
    private void EncodePlain(string text, List<int> tokens)
    {
        var symbols = Characters(text);
        var heap = new PriorityQueue<(int Left, int Length), (float Score, int Left)>(symbols.Count, BestFirst.Instance);
        for (var i = 0; i + 1 < symbols.Count; i++)
        {
            Offer(heap, text, symbols, i);
        }

        while (heap.TryDequeue(out var merge, out _))
        {
            var left = symbols[merge.Left];
            if (left.Length == 0 || left.Next < 0
                || left.Length + symbols[left.Next].Length != merge.Length)
            {
                continue;   // one of the two was merged away since
            }

            var right = symbols[left.Next];
            symbols[left.Next] = right with { Length = 0 };
            symbols[merge.Left] = left with { Length = merge.Length, Next = right.Next };
            if (right.Next >= 0)
            {
                symbols[right.Next] = symbols[right.Next] with { Previous = merge.Left };
                Offer(heap, text, symbols, merge.Left);
            }

            if (left.Previous >= 0)
            {
                Offer(heap, text, symbols, left.Previous);
            }
        }

        for (var i = symbols.Count > 0 ? 0 : -1; i >= 0; i = symbols[i].Next)
        {
            AddSymbol(text.AsSpan(symbols[i].Start, symbols[i].Length), tokens);
        }
    }

    private void Offer(
        PriorityQueue<(int Left, int Length), (float Score, int Left)> heap, string text, List<Symbol> symbols, int at)
    {
        var symbol = symbols[at];
        var length = symbol.Length + symbols[symbol.Next].Length;
        if (_lookup.TryGetValue(text.AsSpan(symbol.Start, length), out var id))
        {
            heap.Enqueue((at, length), (_vocabulary.Pieces[id].Score, at));
        }
    }

    private void AddSymbol(ReadOnlySpan<char> symbol, List<int> tokens)
    {
        if (_lookup.TryGetValue(symbol, out var id))
        {
            tokens.Add(id);
            return;
        }

        Span<byte> bytes = stackalloc byte[8];   // only a single character can be unknown
        var count = Encoding.UTF8.GetBytes(symbol, bytes);
        foreach (var value in bytes[..count])
        {
            if (_byteTokens[value] < 0)
            {
                tokens.Add(_unknown);
                return;
            }
        }

        foreach (var value in bytes[..count])
        {
            tokens.Add(_byteTokens[value]);
        }
    }

    private static List<Symbol> Characters(string text)
    {
        var symbols = new List<Symbol>(text.Length);
        var at = 0;
        while (at < text.Length)
        {
            var length = char.IsSurrogatePair(text, at) ? 2 : 1;
            symbols.Add(new Symbol(at, length, symbols.Count - 1, at + length < text.Length ? symbols.Count + 1 : -1));
            at += length;
        }

        return symbols;
    }

    private readonly record struct Symbol(int Start, int Length, int Previous, int Next);

    private sealed class BestFirst : IComparer<(float Score, int Left)>
    {
        public static BestFirst Instance { get; } = new();

        public int Compare((float Score, int Left) x, (float Score, int Left) y) =>
            x.Score != y.Score ? y.Score.CompareTo(x.Score) : x.Left.CompareTo(y.Left);
    }
}
