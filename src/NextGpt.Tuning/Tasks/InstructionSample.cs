using NextGpt.Media;
using NextGpt.Model;
using NextGpt.Model.Packages;
using NextGpt.Tuning.Data;

namespace NextGpt.Tuning.Tasks;

/// <summary>A piece of a message.</summary>
public abstract record InstructionPart;

/// <summary>Words.</summary>
/// <param name="Text">The words.</param>
public sealed record WordsPart(string Text) : InstructionPart;

/// <summary>A medium that the person sends.</summary>
/// <param name="Recipe">How it is made; <see cref="WorldStudio.Make"/> makes it.</param>
public sealed record ShownPart(MediumRecipe Recipe) : InstructionPart;

/// <summary>A place where the model speaks a signal.</summary>
/// <param name="Caption">The gold caption, in the words that decoders have learnt.</param>
/// <param name="Target">The medium that is meant.</param>
public sealed record SignalPart(string Caption, MediumRecipe Target) : InstructionPart
{
    /// <summary>Which signal.</summary>
    public MediaKind Kind => Target.Kind;
}

/// <summary>One message of a sample.</summary>
/// <param name="Role">Who speaks.</param>
/// <param name="Parts">In order.</param>
public sealed record InstructionMessage(PromptRole Role, IReadOnlyList<InstructionPart> Parts);

/// <summary>The gold caption and target of one signal, in the order in which signals stand in the text.</summary>
/// <param name="Message">Place of the message.</param>
/// <param name="Kind">Which signal.</param>
/// <param name="Caption">What the decoder's text encoder is to be given.</param>
/// <param name="Target">The medium that is meant.</param>
public sealed record GoldSignal(int Message, MediaKind Kind, string Caption, MediumRecipe Target);

/// <summary>A request with its answer, for training or for a test: any mix of media in, any mix out.</summary>
public sealed record InstructionSample
{
    /// <summary>Which task, for example <c>text to picture</c>.</summary>
    public required string Task { get; init; }

    /// <summary>Oldest first; the last one is the answer that a test looks for.</summary>
    public required IReadOnlyList<InstructionMessage> Messages { get; init; }

    /// <summary><c>train</c> or <c>test</c>.</summary>
    public required string Split { get; init; }

    /// <summary>What a right answer contains, alternatives between bars; null where many answers are right.</summary>
    public string? Expected { get; init; }

    /// <summary>The media that the last answer must have, and no others; empty where only words are wanted.</summary>
    public IReadOnlySet<MediaKind> Wanted =>
        Messages[^1].Parts.OfType<SignalPart>().Select(part => part.Kind).ToHashSet();

    /// <summary>Every row of the world that the sample uses.</summary>
    public IEnumerable<WorldRow> Rows => Messages.SelectMany(message => message.Parts).SelectMany(part => part switch
    {
        ShownPart shown => shown.Recipe.Rows,
        SignalPart signal => signal.Target.Rows,
        _ => [],
    });

    /// <summary>Gold captions of all signals, in the order in which a model speaks them.</summary>
    public IReadOnlyList<GoldSignal> Signals => [.. Messages.SelectMany((message, index) =>
        message.Parts.OfType<SignalPart>().Select(part => new GoldSignal(index, part.Kind, part.Caption, part.Target)))];

    /// <summary>The sample as a prompt: media made, signals spelt as a model's tokens.</summary>
    /// <param name="tokens">The model's tokens.</param>
    /// <param name="studio">Makes the media.</param>
    /// <exception cref="InvalidOperationException">The model has no signal for a medium of the sample.</exception>
    public IReadOnlyList<PromptMessage> Write(TokenPart tokens, WorldStudio studio) => [.. Messages.Select(message => new PromptMessage
    {
        Role = message.Role,
        Parts = Joined([.. message.Parts.Select<InstructionPart, PromptPart>(part => part switch
        {
            WordsPart words => new TextPart(words.Text),
            ShownPart shown => new MediaPart(studio.Make(shown.Recipe)),
            SignalPart signal => new TextPart(Spell(tokens, signal.Kind)),
            _ => throw new InvalidOperationException($"A part of kind {part.GetType().Name} cannot be written."),
        })]),
    })];

    /// <summary>A medium's signal as text.</summary>
    /// <param name="tokens">The model's tokens.</param>
    /// <param name="kind">Which medium.</param>
    public static string Spell(TokenPart tokens, MediaKind kind) => tokens.Signals.TryGetValue(kind, out var signal)
        ? string.Join(tokens.Separator is null ? string.Empty : " ", signal)
        : throw new InvalidOperationException($"The model has no signal for {kind}; leave such samples out or give it one.");

    private static PromptPart[] Joined(PromptPart[] parts)
    {
        var joined = new List<PromptPart>();
        foreach (var part in parts)
        {
            if (part is TextPart next && joined.Count > 0 && joined[^1] is TextPart before)
            {
                joined[^1] = new TextPart($"{before.Text} {next.Text}");
            }
            else
            {
                joined.Add(part);
            }
        }

        return [.. joined];
    }
}
