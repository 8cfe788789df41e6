using NextGpt.Tuning.Talk;

namespace NextGpt.Tuning.Tasks;

/// <summary>Requests for things outside the world, answered honestly with the nearest inside it, and with no medium.</summary>
internal static class UnknownTasks
{
    private static readonly Wordings Draw = new(
        "Draw {0}.", "Show me {0}.", "Can you draw {0}?", "Please paint {0}.", "I would like a picture of {0}.", "Make a drawing of {0}.", "Sketch {0} for me.", "Could you paint {0} for me?",
        "A picture of {0}, please.", "I want to see {0}.", "Make an image of {0}.", "How about a drawing of {0}?");

    private static readonly Wordings Hear = new(
        "Make the sound of {0}.", "Let me hear {0}.", "Can you play the sound of {0}?", "I want to listen to {0}.", "Play {0} for me.", "What does it sound like: {0}? Play it.",
        "The noise of {0}, please.", "Could you make the sound of {0}?", "I would like to hear {0}.", "Give me the sound of {0}.", "Do you have a recording of {0}?", "Let it sound: {0}.");

    private static readonly Wordings Film = new(
        "Show me a clip of {0}.", "Make a video of {0}.", "Film {0}.", "Can you make a clip of {0}?", "I want to watch {0}.", "Please animate {0}.",
        "A short film of {0}, please.", "Could I see a video of {0}?", "Create a clip that shows {0}.", "Let me see {0} as a film.", "I would like a video of {0}.", "How about a clip of {0}?");

    private static readonly string[] Relatives =
        ["grandmother:an old woman", "grandfather:an old man", "mother:a woman", "father:a man", "sister:a girl", "brother:a boy", "neighbour:a person", "teacher:a teacher", "doctor:a health worker", "boss:an office worker", "aunt:a woman", "uncle:a man"];

    private static readonly string[] Places =
        ["house in {0}:a house", "street in {0}:a house", "hotel in {0}:a hotel", "school in {0}:a school", "view over {0}:a cityscape", "map of {0}:a world map", "skyline of {0}:a cityscape", "church in {0}:a church", "garden in {0}:a house with a garden", "station in {0}:a train"];

    internal static IReadOnlyList<TaskFamily> Families { get; } =
    [
        new("unknown", 5, Unseen),
        new("unknown sound", 2, draw => Unmade(draw, draw.Talk.OneOfMySide(UnknownThings.Heard), Hear, "play", "sounds")),
        new("unknown clip", 2, draw => Unmade(draw, draw.Talk.OneOfMySide(UnknownThings.Filmed), Film, "film", "moves")),
    ];

    private static InstructionSample Unseen(TaskDraw draw)
    {
        var talk = draw.Talk;
        return Unmade(
            draw,
            talk.Number(0, 5) switch
            {
                0 => $"my {talk.One(Relatives)}",
                1 => $"my friend {talk.OneOfMySide(TalkFacts.Names)}:a person",
                2 => "the " + talk.One(Places).Replace("{0}", talk.OneOfMySide(TalkFacts.Towns), StringComparison.Ordinal),
                _ => talk.OneOfMySide(UnknownThings.Seen),
            },
            Draw, "draw", "looks");
    }

    private static InstructionSample Unmade(TaskDraw draw, string pair, Wordings wordings, string verb, string appears)
    {
        var (asked, nearest) = (pair.Split(':')[0], pair.Split(':')[1]);
        var yours = asked.Replace("my ", "your ", StringComparison.Ordinal).Replace("your own", "my own", StringComparison.Ordinal);
        var words = draw.Talk.One(new[]
        {
            $"I only know about 1,100 simple things, and not that. The nearest I know is {nearest}.", $"That I cannot {verb}; I do not know it. I could {verb} {nearest} instead.",
            $"I am sorry, I do not know how {yours} {appears}. Shall I {verb} {nearest}?", $"{char.ToUpperInvariant(yours[0])}{yours[1..]} I do not know. I can {verb} {nearest}, if you like.",
        });
        return draw.Sample(
            verb switch { "play" => "unknown sound", "film" => "unknown clip", _ => "unknown" }, "not know|not that|cannot",
            TaskDraw.Ask(wordings.Say(draw.Talk, asked)), TaskDraw.Answer(words));
    }
}
