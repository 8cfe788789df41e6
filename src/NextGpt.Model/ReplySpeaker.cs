using System.Text;
using NextGpt.Media;
using NextGpt.Model.Language;

namespace NextGpt.Model;

/// <summary>A medium whose signal is complete.</summary>
/// <param name="Index">Among the media of the reply, from 0.</param>
/// <param name="Kind">Picture, sound or clip.</param>
/// <param name="Caption">The sentence before it.</param>
/// <param name="States">[positions · hidden]: at every position of the signal the last hidden state plus the token's embedding.</param>
internal sealed record SpokenMedium(int Index, MediaKind Kind, string Caption, float[] States);

/// <summary>What was spoken.</summary>
/// <param name="Reason">Why it ended.</param>
/// <param name="Tokens">How many tokens it took.</param>
/// <param name="Media">The media to make, in order.</param>
/// <param name="HiddenSize">Width of a state.</param>
internal sealed record Spoken(GenerationFinishReason Reason, int Tokens, IReadOnlyList<SpokenMedium> Media, int HiddenSize);

/// <summary>Chooses token after token: tells text as it comes, keeps the states of signals. One instance serves one reply.</summary>
/// <param name="model">What speaks.</param>
/// <param name="plan">What was decided.</param>
/// <param name="sequence">The prompt, read.</param>
/// <param name="sampler">Chooses.</param>
/// <param name="signals">Keeps signals whole; null where there are none.</param>
/// <param name="tell">Gets what happens.</param>
internal sealed class ReplySpeaker(
    LoadedModel model, ReplyPlan plan, ILanguageSequence sequence, TokenSampler sampler, SignalConstraint? signals,
    Action<GenerationEvent> tell)
{
    private const int LongestCaption = 300;

    private readonly TokenTextStream _text = new(model.Tokenizer);
    private readonly StopSequences _stops = new(plan.StopTexts);
    private readonly RepetitionGuard _guard = new();
    private readonly StringBuilder _said = new();           // since the last medium
    private readonly List<int> _lengths = [0];              // characters decoded after so many tokens
    private readonly List<SpokenMedium> _media = [];
    private readonly float[] _hidden = new float[model.Engine.HiddenSize];
    private readonly float[] _embedding = new float[model.Engine.HiddenSize];
    private readonly List<float> _states = [];
    private int _shown;
    private int _signalEnd;

    /// <summary>Speaks until the end.</summary>
    /// <param name="logits">[vocab] of the first token; scratch afterwards.</param>
    /// <param name="cancellationToken">Looked at before every token.</param>
    public Spoken Speak(float[] logits, CancellationToken cancellationToken)
    {
        GenerationFinishReason? ended = null;   // text has ended, required media still come
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (signals is { IsDone: true })
            {
                return Done(ended ?? GenerationFinishReason.Stop);
            }

            var token = sampler.Next(logits);
            if (signals?.Follow(sampler.Generated) is { } place)
            {
                Signal(token, place, logits);
                if (sampler.Generated.Count == plan.MaxTokens)
                {
                    return Done(ended ?? GenerationFinishReason.Length);
                }

                continue;
            }

            var why = Text(token);
            if (why is null)
            {
                model.Engine.Decode(sequence, token, logits);
            }
            else if (signals is null || !signals.Missing.Any())
            {
                return Done(why.Value, token);
            }
            else
            {
                ended = why;
                TakeBack(token, logits);
                signals.EndText();
            }
        }
    }

    /// <returns>Why the text ends here, or null.</returns>
    private GenerationFinishReason? Text(int token)
    {
        if (model.Tokenizer.EndTokens.Contains(token))
        {
            Show(_stops.Add(_text.End()));
            Show(_stops.End());
            return GenerationFinishReason.Stop;
        }

        var decoded = _text.Add(token);
        _lengths.Add(_lengths[^1] + decoded.Length);
        Show(_stops.Add(decoded));
        if (_stops.Found)
        {
            return GenerationFinishReason.Stop;
        }

        if (_guard.Loops(token))
        {
            Show(_stops.Add(_text.End()));
            Show(_stops.End());
            return _stops.Found ? GenerationFinishReason.Stop : GenerationFinishReason.Repetition;
        }

        if (sampler.Generated.Count < plan.MaxTokens)
        {
            return null;
        }

        Show(_stops.End());   // half a character that the limit cut off is left out
        return GenerationFinishReason.Length;
    }

    private void Signal(int token, SignalPlace place, float[] logits)
    {
        if (place.Index == 0)
        {
            Show(_stops.Add(_text.End()));
            Show(_stops.End());   // a stop text does not reach across a signal
            _states.Clear();
        }

        _lengths.Add(_lengths[^1]);
        model.Engine.Decode(sequence, token, logits, _hidden);
        model.Engine.Embed(token, _embedding);
        for (var i = 0; i < _hidden.Length; i++)
        {
            _states.Add(_hidden[i] + _embedding[i]);
        }

        if (place.IsLast)
        {
            _signalEnd = sampler.Generated.Count;
            var medium = new SpokenMedium(_media.Count, place.Kind, CaptionOf(_said.ToString()), [.. _states]);
            _media.Add(medium);
            _said.Clear();
            tell(new MediaBegun(medium.Index, medium.Kind));
        }
    }

    /// <summary>Goes back to behind the last token that was shown, so that a forced signal follows what the person reads.</summary>
    private void TakeBack(int token, float[] logits)
    {
        var isEnd = model.Tokenizer.EndTokens.Contains(token);
        var kept = isEnd || !_stops.Found ? sampler.Generated.Count - (isEnd ? 1 : 0) : Shown();
        var read = plan.Prompt.Tokens.Count + kept;
        if (kept == sampler.Generated.Count)
        {
            model.Engine.Decode(sequence, token, logits);
        }
        else if (sequence.Length > read)
        {
            sequence.Truncate(read);
        }

        sampler.Truncate(kept);
    }

    /// <summary>Tokens that everything shown needs, the last signal included.</summary>
    private int Shown()
    {
        var found = _lengths.FindIndex(length => length >= _shown);
        return found < 0 ? sampler.Generated.Count : Math.Max(found, _signalEnd);
    }

    private void Show(string text)
    {
        if (text.Length > 0)
        {
            _shown += text.Length;
            _said.Append(text);
            tell(new TextGenerated(text));
        }
    }

    /// <param name="reason">Why it ended.</param>
    /// <param name="last">The last token; an end token is not part of the reply.</param>
    private Spoken Done(GenerationFinishReason reason, int last = -1) => new(
        reason, sampler.Generated.Count - (model.Tokenizer.EndTokens.Contains(last) ? 1 : 0), _media, _hidden.Length);

    /// <summary>The last sentence of what was said.</summary>
    internal static string CaptionOf(string said)
    {
        var text = said.AsSpan().Trim();
        var from = text.Length;
        while (from > 0 && !(from < text.Length - 1 && text[from - 1] is '.' or '!' or '?' or '\n' or '。' && (text[from] is ' ' or '\n' || text[from - 1] is '\n' or '。')))
        {
            from--;
        }

        var caption = text[from..].Trim();
        return caption.Length <= LongestCaption ? caption.ToString() : $"{caption[..(LongestCaption - 1)].TrimEnd()}…";
    }
}
