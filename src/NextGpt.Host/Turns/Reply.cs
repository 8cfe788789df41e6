using System.Text;
using NextGpt.Host.Memory;

namespace NextGpt.Host.Turns;

/// <summary>What came of asking the model, filled while it speaks.</summary>
internal sealed class Reply(string modelId, long seed)
{
    private readonly StringBuilder _text = new();

    /// <summary>Base and adapter that spoke.</summary>
    public string ModelId { get; set; } = modelId;

    /// <summary>The seed in use.</summary>
    public long Seed { get; set; } = seed;

    /// <summary>The text so far.</summary>
    public string Text => _text.ToString();

    /// <summary>Whether any text came.</summary>
    public bool HasText => _text.Length > 0;

    /// <summary>Pictures, sounds and clips, in the order in which they were whole or lost.</summary>
    public List<RememberedMedium> Media { get; } = [];

    /// <summary>Whether there is anything to show: text, or a medium that was made.</summary>
    public bool HasAnswer => HasText || Media.Any(medium => medium.Lost is null);

    /// <summary>Whether anything came yet, text or the beginning of a medium.</summary>
    public bool HasBegun { get; set; }

    /// <summary>Media that were lost: the reference in the person's sentence, and why.</summary>
    public List<(string Reference, string Because)> Losses { get; } = [];

    /// <summary>Media that were left out because an answer has only so many.</summary>
    public int MediaLeftOut { get; set; }

    public int PromptTokens { get; set; }

    /// <summary>Tokens of the answer; until the model says so, the pieces of text that came (about one token each).</summary>
    public int ReplyTokens { get; set; }

    /// <summary>Oldest messages the model left out because they did not fit.</summary>
    public int DroppedMessages { get; set; }

    /// <summary><c>stop</c>, <c>length</c>, <c>cancelled</c>, <c>timed_out</c> ...</summary>
    public string FinishReason { get; set; } = "stop";

    /// <summary>What went wrong, or null.</summary>
    public TurnError? Error { get; set; }

    /// <summary>From work begun to the first text; null if none came.</summary>
    public TimeSpan? FirstText { get; set; }

    /// <summary>From work begun to the end.</summary>
    public TimeSpan Duration { get; set; }

    public void Append(string text)
    {
        _text.Append(text);
        ReplyTokens++;
    }
}
