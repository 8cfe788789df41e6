using NextGpt.Model;
using NextGpt.Tuning.Data;
using NextGpt.Tuning.Talk;

namespace NextGpt.Tuning.Tasks;

/// <summary>Chance, the rows that may be drawn, and short ways to write turns.</summary>
internal sealed class TaskDraw(WorldPool pool, TalkDraw talk)
{
    internal WorldPool Pool { get; } = pool;

    internal TalkDraw Talk { get; } = talk;

    /// <summary>A picture by a rule, one of those named.</summary>
    internal Composed? Picture(params string[] rules) => PictureRules.All[Talk.One(rules)](Pool, Talk, null);

    internal Composed? Sound(params string[] rules) => SoundRules.All[Talk.One(rules)](Pool, Talk);

    internal Composed? Clip(params string[] rules) => ClipRules.All[Talk.One(rules)](Pool, Talk);

    /// <summary>A picture and a sound that belong together, each of the side that is drawn from.</summary>
    internal (WorldRow Picture, WorldRow Sound)? Together()
    {
        var sound = Pool.One(WorldKind.Sound, Talk, row => row.PictureConcept is { } concept && Drawn(concept).Count > 0);
        if (sound?.PictureConcept is not { } concept)
        {
            return TogetherForTraining();
        }

        return (Talk.One(Drawn(concept)), sound);
    }

    /// <summary>Drawings of a concept that may be drawn and spoken of.</summary>
    internal IReadOnlyList<WorldRow> Drawn(string concept) =>
        [.. Pool.World.Pictures(concept).Where(row => WorldPool.IsMine(row, Talk) && WorldNames.Of(row) is not null)];

    internal InstructionSample Sample(string task, string? expected, params InstructionMessage[] messages) => new()
    {
        Task = task,
        Messages = messages,
        Expected = expected,
        Split = Talk.Testing ? "test" : "train",
    };

    internal static InstructionMessage Ask(string words) => new(PromptRole.User, [new WordsPart(words)]);

    /// <summary>A question with a medium, before or behind it.</summary>
    internal InstructionMessage Ask(string words, Composed shown) => new(
        PromptRole.User,
        Talk.Chance(0.5) ? [new ShownPart(shown.Recipe), new WordsPart(words)] : [new WordsPart(words), new ShownPart(shown.Recipe)]);

    internal static InstructionMessage Answer(string words, params Composed[] media) =>
        new(PromptRole.Assistant, [new WordsPart(words), .. media.Select(medium => new SignalPart(medium.Caption, medium.Recipe))]);

    private (WorldRow Picture, WorldRow Sound)? TogetherForTraining()
    {
        var pairs = Pool.World.Of(WorldKind.Sound).Where(row => row.IsForTraining && row.PictureConcept is { } concept && Drawn(concept).Count > 0).ToList();
        if (pairs.Count == 0)
        {
            return null;
        }

        var sound = Talk.One(pairs);
        return (Talk.One(Drawn(sound.PictureConcept ?? string.Empty)), sound);
    }
}

/// <summary>A row of the table of tasks.</summary>
/// <param name="Name">For example <c>text to picture</c>.</param>
/// <param name="Weight">How often it is drawn, relative to the others.</param>
/// <param name="Make">Makes a sample; null where the world has nothing that fits this draw.</param>
internal sealed record TaskFamily(string Name, double Weight, Func<TaskDraw, InstructionSample?> Make);
