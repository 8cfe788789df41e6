using NextGpt.Media;
using NextGpt.Model.Language;

namespace NextGpt.Model;

/// <summary>Where a reply's last token stands.</summary>
/// <param name="Kind">The signal's medium.</param>
/// <param name="Index">Place in the signal, from 0.</param>
/// <param name="IsLast">Whether the signal is whole with it.</param>
internal sealed record SignalPlace(MediaKind Kind, int Index, bool IsLast);

/// <summary>What media a reply may and must have.</summary>
internal sealed record SignalRules
{
    /// <summary>Most media of each kind that can come; a kind that is not there cannot.</summary>
    public required IReadOnlyDictionary<MediaKind, int> MostOfKind { get; init; }

    /// <summary>Most media in all.</summary>
    public required int Most { get; init; }

    /// <summary>Kinds that must come, in this order.</summary>
    public IReadOnlyList<MediaKind> Required { get; init; } = [];

    /// <summary>Whether text may come beside them.</summary>
    public bool Text { get; init; } = true;
}

/// <summary>Keeps signals whole: once one has begun the rest of it is forced, and none begins that must not or could not end.</summary>
/// <remarks>
/// Also sees to it that required media come: text is cut short where the limit would not leave room for their signals, and
/// <see cref="EndText"/> forces those still missing when the model has ended by itself. A constraint of the request works on the
/// text between signals. One instance serves one reply.
/// </remarks>
internal sealed class SignalConstraint : ITokenConstraint
{
    private readonly SignalTokens _signals;
    private readonly SignalRules _rules;
    private readonly int _maxTokens;
    private readonly ITokenConstraint? _text;
    private readonly Dictionary<MediaKind, int> _made = [];
    private readonly Dictionary<int, MediaKind> _first;
    private int _followed;
    private MediaKind? _open;
    private int _at;
    private bool _textOver;

    /// <param name="signals">The package's tokens.</param>
    /// <param name="rules">What may and must come.</param>
    /// <param name="maxTokens">Most tokens of the reply.</param>
    /// <param name="text">What restricts the text, or null.</param>
    public SignalConstraint(SignalTokens signals, SignalRules rules, int maxTokens, ITokenConstraint? text)
    {
        _signals = signals;
        _rules = rules;
        _maxTokens = maxTokens;
        _text = text;
        _textOver = !rules.Text;
        _first = signals.Patterns.ToDictionary(pattern => pattern.Value[0], pattern => pattern.Key);
    }

    /// <summary>Required kinds that have not come yet, in order.</summary>
    public IEnumerable<MediaKind> Missing
    {
        get
        {
            var spare = new Dictionary<MediaKind, int>(_made);
            foreach (var kind in _rules.Required)
            {
                if (spare.GetValueOrDefault(kind) > 0)
                {
                    spare[kind]--;
                }
                else
                {
                    yield return kind;
                }
            }
        }
    }

    /// <summary>Whether nothing may follow any more.</summary>
    public bool IsDone => _textOver && _open is null && !Missing.Any();

    /// <summary>Text has ended: only what is required and missing may follow.</summary>
    public void EndText() => _textOver = true;

    /// <summary>Takes note of a reply's tokens.</summary>
    /// <param name="generated">All of them; those seen before are not looked at again.</param>
    /// <returns>Where the last one stands, or null if it is text.</returns>
    public SignalPlace? Follow(IReadOnlyList<int> generated)
    {
        SignalPlace? place = null;
        _followed = Math.Min(_followed, generated.Count);   // text may have been taken back
        for (; _followed < generated.Count; _followed++)
        {
            place = Step(generated[_followed]);
        }

        return place;
    }

    /// <inheritdoc/>
    public void Apply(IReadOnlyList<int> generated, Span<float> logits)
    {
        Follow(generated);
        if (_open is { } open)
        {
            Force(logits, _signals.Patterns[open][_at]);
            return;
        }

        var missing = Missing.ToList();
        var reserved = missing.Sum(kind => _signals.Patterns[kind].Count);
        var room = _maxTokens - generated.Count;
        if (missing.Count > 0 && (_textOver || room <= reserved))
        {
            Force(logits, _signals.Patterns[missing[0]][0]);
            return;
        }

        _text?.Apply(generated, logits);
        foreach (var token in _signals.Added)
        {
            if ((uint)token < (uint)logits.Length
                && !(_first.TryGetValue(token, out var kind) && MayBegin(kind, missing, room - reserved)))
            {
                logits[token] = float.NegativeInfinity;
            }
        }
    }

    private SignalPlace? Step(int token)
    {
        if (_open is null && _first.TryGetValue(token, out var kind))
        {
            (_open, _at) = (kind, 0);
        }

        if (_open is not { } open)
        {
            return null;
        }

        var pattern = _signals.Patterns[open];
        var place = new SignalPlace(open, _at, _at == pattern.Count - 1);
        _at++;
        if (place.IsLast)
        {
            _made[open] = _made.GetValueOrDefault(open) + 1;
            _open = null;
        }

        return place;
    }

    /// <param name="kind">What would begin.</param>
    /// <param name="missing">Required kinds that have not come.</param>
    /// <param name="free">Tokens left beside those reserved for them.</param>
    private bool MayBegin(MediaKind kind, List<MediaKind> missing, int free)
    {
        if (missing.Count > 0 && missing.Contains(kind))
        {
            return missing[0] == kind;   // its tokens are reserved already
        }

        return _made.GetValueOrDefault(kind) < _rules.MostOfKind.GetValueOrDefault(kind)
            && _made.Values.Sum() + missing.Count < _rules.Most
            && _signals.Patterns[kind].Count <= free;
    }

    private static void Force(Span<float> logits, int token)
    {
        logits.Fill(float.NegativeInfinity);
        logits[token] = 0;
    }
}
