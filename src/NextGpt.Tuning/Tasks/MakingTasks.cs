using NextGpt.Tuning.Data;
using NextGpt.Tuning.Talk;

namespace NextGpt.Tuning.Tasks;

/// <summary>Words in, a picture, sound or clip out, or two of them.</summary>
internal static class MakingTasks
{
    internal static readonly Wordings Draw = new(
        "Draw {0}.", "Show me {0}.", "Can you draw {0}?", "Paint {0} for me.", "Please draw {0}.", "I would like a picture of {0}.", "Make a picture of {0}.", "Could you sketch {0} for me?",
        "I want to see {0}.", "A drawing of {0}, please.", "Create an image of {0}.", "May I see a drawing of {0}?");

    internal static readonly Wordings Hear = new(
        "Make the sound of {0}.", "Let me hear {0}.", "I want to hear {0}.", "Can you make the sound of {0}?", "Please play the sound of {0}.", "What does {0} sound like? Let me hear it.",
        "Could I hear {0}?", "I would love to listen to {0}.", "Give me the sound of {0}.", "The sound of {0}, please.", "I need a recording of {0}.", "Play me the noise of {0}.");

    internal static readonly Wordings Film = new(
        "Show me a clip of {0}.", "Make a video of {0}.", "Animate {0}.", "Can you film {0}?", "I want to see a short film of {0}.", "Please make a clip of {0}.",
        "A video of {0}, please.", "Could you make a short animation of {0}?", "Create a video that shows {0}.", "Let me watch {0}.", "I would like a moving picture of {0}.", "Give me an animated picture of {0}.");

    private static readonly Wordings Both = new(
        "Draw {0} and let me hear {1}.", "Show me {0} and make the sound of {1}.", "I want to see {0} and hear {1}.", "A picture of {0} together with the sound of {1}, please.",
        "Please draw {0} and also play {1}.", "Can you paint {0} and add the sound of {1}?", "Make a picture of {0} and the sound of {1}.", "I would like to look at {0} while I listen to {1}.");

    internal static IReadOnlyList<TaskFamily> Families { get; } =
    [
        new("text to picture", 16, draw => Made(draw, "text to picture",
            draw.Picture("plain", "plain", "plain", "style", "style", "backdrop", "turned", "place", "several", "pair", "three"), Draw, DrawAnswers)),
        new("text to sound", 9, draw => Made(draw, "text to sound", draw.Sound("sound", "sound", "sound", "changed", "mixed"), Hear, HearAnswers)),
        new("text to video", 9, draw => Made(draw, "text to video", draw.Clip("moved", "moved", "moved", "animation"), Film, FilmAnswers)),
        new("text to picture and sound", 3, PictureAndSound),
    ];

    /// <summary>Words that come with a picture.</summary>
    internal static string DrawAnswers(TaskDraw draw, Composed made) => draw.Talk.One(new[]
    {
        $"Here {Verb(made)} {made.Said}.", $"{WorldNames.Upper(made.Said)}, as you wished.", $"I drew {made.Said}.", $"This picture shows {made.Said}.", $"Gladly: {made.Said}.",
    });

    /// <summary>Words that come with a sound.</summary>
    internal static string HearAnswers(TaskDraw draw, Composed made) => draw.Talk.One(new[]
    {
        $"This is the sound of {made.Said}.", $"Listen: {made.Said}.", $"Here you can hear {made.Said}.", $"You hear {made.Said}.",
    });

    /// <summary>Words that come with a clip.</summary>
    internal static string FilmAnswers(TaskDraw draw, Composed made) => draw.Talk.One(new[]
    {
        $"Watch: {made.Said}.", $"This clip shows {made.Said}.", $"Here is a clip of {made.Said}.", $"I made a short clip of {made.Said}.",
    });

    private static string Verb(Composed made) => made.Count > 1 || made.Rule is "pair" or "three" || WorldNames.IsMany(made.Thing ?? made.Said) ? "are" : "is";

    private static InstructionSample? Made(TaskDraw draw, string task, Composed? made, Wordings wordings, Func<TaskDraw, Composed, string> answer) =>
        made is null ? null : draw.Sample(task, null, TaskDraw.Ask(wordings.Say(draw.Talk, made.Said)), TaskDraw.Answer(answer(draw, made), made));

    private static InstructionSample? PictureAndSound(TaskDraw draw)
    {
        if (draw.Together() is not { } pair || PictureRules.Plain(draw.Pool, pair.Picture) is not { } picture || SoundRules.Plain(pair.Sound) is not { } sound)
        {
            return null;
        }

        return draw.Sample("text to picture and sound", null,
            TaskDraw.Ask(Both.Say(draw.Talk, picture.Said, sound.Said)),
            TaskDraw.Answer($"Here {WorldNames.Be(picture.Said)} {picture.Said}, and the sound of {sound.Said}.", picture, sound));
    }
}
