using NextGpt.Media;
using NextGpt.Model;
using NextGpt.Tuning.Talk;
using NextGpt.Tuning.Tasks;

namespace NextGpt.Tuning.Alignment;

/// <summary>Rows out of the world's tasks, of which a stage may want a few alone, with open answers mixed in.</summary>
/// <remarks>Samples with media that cannot be shown or made, and rows that are too long, are passed over. Not thread-safe.</remarks>
/// <param name="mixture">All tasks.</param>
/// <param name="writer">Writes rows.</param>
/// <param name="reads">Kinds that can be shown.</param>
/// <param name="makes">Kinds whose signals can be learnt.</param>
public sealed class MixtureRows(TaskMixture mixture, RowWriter writer, IReadOnlySet<MediaKind> reads, IReadOnlySet<MediaKind> makes) : IRowSource
{
    // Of one task many draws may be unusable, where most kinds are missing.
    private const int Attempts = 256;

    private TrainingRow[]? _open;

    /// <summary>Tasks that are drawn, each as often; empty draws all in their shares.</summary>
    public IReadOnlyList<string> Tasks { get; init; } = [];

    /// <summary>Share of the rows that are a bare caption and its signal and no request (decoding-side alignment).</summary>
    public double CaptionShare { get; init; }

    /// <summary>Open requests with the untouched model's answers, so that general English is kept.</summary>
    public IReadOnlyList<OpenAnswer> Open { get; init; } = [];

    /// <summary>Share of the rows that are open requests, where there are any.</summary>
    public double OpenShare { get; init; } = 0.15;

    /// <summary>How much an open answer counts beside other rows.</summary>
    public double OpenWeight { get; init; } = 1;

    /// <summary>Longest row in tokens.</summary>
    public int MaxTokens { get; init; } = 256;

    /// <summary>Tasks that show a medium and want its words: encoding-side alignment.</summary>
    /// <param name="reads">Kinds that can be shown.</param>
    public static IReadOnlyList<string> Naming(IReadOnlySet<MediaKind> reads) => Of("text", reads, from: true);

    /// <summary>Tasks that want one medium of words: decoding-side alignment.</summary>
    /// <param name="makes">Kinds whose signals can be learnt.</param>
    public static IReadOnlyList<string> Making(IReadOnlySet<MediaKind> makes) => Of("text", makes, from: false);

    /// <inheritdoc/>
    public TrainingRow At(long place)
    {
        _open ??= Written();
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var draw = new Random(HashCodeOf(place, attempt));
            if (_open.Length > 0 && draw.NextDouble() < OpenShare)
            {
                return _open[draw.Next(_open.Length)];
            }

            var sample = mixture.ForTraining((place * Attempts) + attempt, Tasks.Count == 0 ? null : Tasks[draw.Next(Tasks.Count)]);
            if (!IsPossible(sample))
            {
                continue;
            }

            if (CaptionShare > 0 && draw.NextDouble() < CaptionShare && sample.Signals is [{ } signal, ..])
            {
                sample = Bare(sample, signal);
            }

            var row = writer.Write(sample);
            if (row.Tokens.Count <= MaxTokens)
            {
                return row;
            }
        }

        throw new InvalidDataException(
            $"No sample of {(Tasks.Count == 0 ? "any task" : string.Join(", ", Tasks))} fits {MaxTokens} tokens and the media that are there "
            + $"(shown: {string.Join(", ", reads)}; made: {string.Join(", ", makes)}).");
    }

    private static IReadOnlyList<string> Of(string other, IReadOnlySet<MediaKind> kinds, bool from) => [.. kinds.Order().Select(kind =>
    {
        var word = kind switch { MediaKind.Image => "picture", MediaKind.Audio => "sound", _ => "video" };
        return from ? $"{word} to {other}" : $"{other} to {word}";
    })];

    private static InstructionSample Bare(InstructionSample sample, GoldSignal signal) => sample with
    {
        Messages =
        [
            new InstructionMessage(PromptRole.User, [new WordsPart(signal.Caption)]),
            new InstructionMessage(PromptRole.Assistant, [new SignalPart(signal.Caption, signal.Target)]),
        ],
    };

    private bool IsPossible(InstructionSample sample) => sample.Messages.SelectMany(message => message.Parts).All(part => part switch
    {
        ShownPart shown => reads.Contains(shown.Recipe.Kind),
        SignalPart signal => makes.Contains(signal.Kind),
        _ => true,
    });

    private TrainingRow[] Written() => [.. Open
        .Select(answer => writer.Write(TalkTrainer.MessagesOf(new Dialogue("open", [new TalkTurn(answer.Request, answer.Answer)])), OpenWeight))
        .Where(row => row.Tokens.Count <= MaxTokens)];

    // Not HashCode, which differs from process to process.
    private static int HashCodeOf(long place, int attempt)
    {
        var mixed = unchecked((((ulong)place * Attempts) + (ulong)attempt + 1) * 0x9E3779B97F4A7C15UL);
        mixed = unchecked((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9UL);
        return (int)((mixed ^ (mixed >> 31)) & int.MaxValue);
    }
}
