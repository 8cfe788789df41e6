using NextGpt.Tuning.Data;
using NextGpt.Tuning.Pictures;
using NextGpt.Tuning.Talk;

namespace NextGpt.Tuning.Tasks;

/// <summary>A picture, sound or clip in, words out.</summary>
internal static class NamingTasks
{
    internal static readonly Wordings What = new(
        "What is in this picture?", "What do you see?", "What does this picture show?", "What is this a picture of?", "Describe this picture.", "What can you see here?", "Name what is in the picture.", "Tell me what you see in this image.",
        "What is shown here?", "What is that?", "Can you say what this drawing shows?", "Do you recognise this?");

    private static readonly Wordings Colour = new(
        "What colour {1} {0}?", "Which colour do you see most in {0}?", "Tell me the colour of {0}.", "Which colour {1} {0}?", "What is the main colour of {0}?", "Name the colour of {0} in the picture.",
        "In which colour {1} {0} drawn?", "What colour does {0} have?");

    private static readonly Wordings HowMany = new(
        "How many {0} do you see?", "How many {0} are there?", "Count the {0}.", "What is the number of {0} in the picture?", "Can you count the {0}?", "How many {0} are in this picture?",
        "Please count the {0} for me.", "Tell me how many {0} you can see.");

    internal static readonly Wordings Heard = new(
        "What do you hear?", "What is this sound?", "What makes this noise?", "Which sound is this?", "What can be heard here?", "Name this sound.", "Listen to this. What is it?", "Can you tell what this recording is?",
        "What am I hearing?", "Describe this sound.", "What does this sound like to you?", "Do you recognise this sound?");

    internal static readonly Wordings Moves = new(
        "What moves here, and how?", "What happens in this clip?", "What do you see in this video?", "Describe this clip.", "What is going on in the video?", "What does this clip show?", "Tell me what moves and how.", "How would you describe this video?",
        "What is happening here?", "What does the thing in the clip do?", "Watch this. What do you see?", "Say what the video shows.");

    internal static IReadOnlyList<TaskFamily> Families { get; } =
    [
        new("picture to text", 14, draw => Named(draw, "picture to text",
            draw.Picture("plain", "plain", "plain", "backdrop", "turned", "place", "several", "pair", "three"), What, made => $"{WorldNames.Upper(made.Said)}.")),
        new("colour of a picture", 2, ColourOf),
        new("count in a picture", 2, CountOf),
        new("sound to text", 8, draw => Named(draw, "sound to text", draw.Sound("sound", "sound", "sound", "mixed"), Heard, made => $"{WorldNames.Upper(made.Said)}.")),
        new("video to text", 8, draw => Named(draw, "video to text", draw.Clip("moved", "moved", "animation"), Moves, Happening)),
    ];

    private static string Happening(Composed made) =>
        WorldNames.Upper($"{made.Thing} {WorldNames.Be(made.Thing ?? made.Said)} {made.Said[((made.Thing ?? string.Empty).Length + 1)..]}.");

    private static InstructionSample? Named(TaskDraw draw, string task, Composed? shown, Wordings wordings, Func<Composed, string> answer) => shown is null ? null
        : draw.Sample(task, shown.Thing is { } thing && shown.Count is null or 1 ? CaptionWording.Bare(shown.Rule is "turned" or "place" ? shown.Said : thing) : null,
            draw.Ask(wordings.Say(draw.Talk), shown), TaskDraw.Answer(answer(shown)));

    private static InstructionSample? ColourOf(TaskDraw draw)
    {
        if (draw.Picture("plain", "turned") is not { Thing: { } thing, Colour: { } colour } shown || thing.Split(' ').Contains(colour) || WorldNames.IsMany(thing)
            || shown.Recipe.Rows[0].Style is "silhouette" or "doodle" || shown.Recipe.Rows[0].Group is "face" or "person")
        {
            return null;
        }

        // A thing that was turned may carry its old colour in its name, which must not be asked for by that name.
        var name = WorldNames.The(shown.Rule == "turned" ? "a thing in the picture" : thing);
        return draw.Sample("colour of a picture", colour,
            draw.Ask(Colour.Say(draw.Talk, name, "is"), shown), TaskDraw.Answer($"Mostly {colour}."));
    }

    private static InstructionSample? CountOf(TaskDraw draw)
    {
        if (draw.Picture("several") is not { Count: { } count } shown)
        {
            return null;
        }

        var plural = shown.Said[(shown.Said.IndexOf(' ', StringComparison.Ordinal) + 1)..];
        return draw.Sample("count in a picture", PictureRules.Number(count),
            draw.Ask(HowMany.Say(draw.Talk, plural), shown), TaskDraw.Answer($"There are {PictureRules.Number(count)} {plural}."));
    }
}
