using NextGpt.Media;
using NextGpt.Model;
using NextGpt.Model.Language;
using NextGpt.Tuning.Losses;
using NextGpt.Tuning.Tasks;

namespace NextGpt.Tuning.Alignment;

/// <summary>Writes conversations as rows, by the builder that answering reads with.</summary>
/// <remarks>
/// A medium that is shown stands as a stand-in of its kind; only its place counts, its features come later from a cache. A signal is
/// written as the model's own earlier medium, which is how a conversation's history has it.
/// </remarks>
public sealed class RowWriter
{
    private static readonly Picture Dot = new(1, 1, [0, 0, 0]);

    private readonly TrainableLanguage _language;
    private readonly SignalSpans? _spans;
    private readonly HashSet<int> _signalTokens;

    /// <summary>Prepares.</summary>
    /// <param name="language">Writes; media are taken where signals are given.</param>
    /// <param name="signals">The added tokens; null where conversations are text alone.</param>
    public RowWriter(TrainableLanguage language, SignalTokens? signals)
    {
        ArgumentNullException.ThrowIfNull(language);
        _language = language;
        _spans = signals is null ? null : new SignalSpans(signals.Signals, signals.Separator);
        _signalTokens = [.. signals?.Added ?? [], .. language.Tokenizer.EndTokens];
    }

    /// <summary>Whether only signals and end marks are learnt and the words around them are not (decoding-side alignment).</summary>
    public bool SignalsOnly { get; init; }

    /// <summary>A sample as messages, stand-ins in place of media.</summary>
    /// <param name="sample">The sample.</param>
    public static IReadOnlyList<PromptMessage> MessagesOf(InstructionSample sample)
    {
        ArgumentNullException.ThrowIfNull(sample);
        return [.. sample.Messages.Select(message => new PromptMessage
        {
            Role = message.Role,
            Parts = [.. message.Parts.Select<InstructionPart, PromptPart>(part => part switch
            {
                WordsPart words => new TextPart(words.Text),
                ShownPart shown => new MediaPart(StandIn(shown.Recipe.Kind)),
                SignalPart signal => new MediaPart(StandIn(signal.Kind)),
                _ => throw new ArgumentException($"A part of kind {part.GetType().Name} cannot be written.", nameof(sample)),
            })],
        })];
    }

    /// <summary>A sample as a row.</summary>
    /// <param name="sample">The sample.</param>
    /// <param name="weight">How much it counts.</param>
    /// <exception cref="InvalidDataException">The model has no signal for a medium of the sample.</exception>
    public TrainingRow Write(InstructionSample sample, double weight = 1)
    {
        ArgumentNullException.ThrowIfNull(sample);
        var built = _language.Write(MessagesOf(sample));
        var shown = sample.Messages.SelectMany(message => message.Parts).OfType<ShownPart>().ToList();
        var (labels, whole) = (LabelsOf(built, SignalsOnly), LabelsOf(built, signalsOnly: false));
        var spans = _spans?.Find(whole, whole.Length) ?? [];
        var gold = sample.Signals;
        if (built.Media.Count != shown.Count || !spans.Select(span => span.Kind).SequenceEqual(gold.Select(signal => signal.Kind)))
        {
            throw new InvalidDataException(
                $"A sample of '{sample.Task}' shows {shown.Count} media and speaks {gold.Count} signals; written it has {built.Media.Count} and "
                + $"{spans.Count}. The tokens of the model lack the signal of a kind, or the sample's words hold a signal.");
        }

        return new TrainingRow
        {
            Tokens = built.Tokens,
            Labels = labels,
            Weight = weight,
            Media = [.. built.Media.Zip(shown, (medium, part) => new ShownMedium(medium.Position, medium.Count, part.Recipe))],
            Signals = [.. spans.Zip(gold, (span, signal) => new SpokenSignal(span.Start, span.Length, span.Kind, signal.Caption, signal.Target))],
        };
    }

    /// <summary>A conversation of words as a row.</summary>
    /// <param name="messages">Oldest first; the model's messages are learnt.</param>
    /// <param name="weight">How much it counts.</param>
    public TrainingRow Write(IReadOnlyList<PromptMessage> messages, double weight = 1)
    {
        var built = _language.Write(messages);
        return new TrainingRow { Tokens = built.Tokens, Labels = LabelsOf(built, SignalsOnly), Weight = weight };
    }

    private long[] LabelsOf(BuiltPrompt built, bool signalsOnly) => [.. built.Tokens.Select((token, at) =>
        built.Trained[at] && (!signalsOnly || _signalTokens.Contains(token)) ? token : NextTokenLoss.Unlabelled)];

    private static Medium StandIn(MediaKind kind) => kind switch
    {
        MediaKind.Audio => new AudioClip { SampleRateHz = 16_000, Channels = [[0]] },
        MediaKind.Video => new VideoClip { Frames = [Dot], FramesPerSecond = 1 },
        _ => Dot,
    };
}
