using NextGpt.Tuning.Data;
using NextGpt.Tuning.Talk;

namespace NextGpt.Tuning.Tasks;

/// <summary>From one medium to another, and conversations that change what was made.</summary>
internal static class CrossingTasks
{
    private static readonly Wordings Noise = new(
        "What noise does this make?", "Let me hear what is in the picture.", "What does this sound like?", "Make the sound that belongs to this picture.", "Give this picture its sound.", "Play the sound of this.",
        "How does that sound? Play it.", "Can I hear this?", "Turn this picture into a sound.", "Which sound goes with this? Play it.", "Please make this audible.", "I want to hear this one.");

    private static readonly Wordings DrawHeard = new(
        "Draw what you hear.", "Make a picture of this sound.", "What could this look like? Draw it.", "Show me what makes this sound.", "Paint what you hear.", "Turn this sound into a picture.",
        "Which thing sounds like this? Draw it.", "Listen and draw what it is.", "Please draw the thing that one hears.", "Give me a drawing of what makes this noise.", "Draw this sound's source.", "Show me a picture of it.");

    private static readonly Wordings Order = new(
        "Make it {0}.", "Let it {0}.", "I want to see it {0}.", "How would it look if it were to {0}? Show me.", "Please let this {0}.", "Make this picture {0}.",
        "Animate it so that it starts to {0}.", "Could you let it {0} for me?");

    private static readonly Wordings Begin = new(
        "Draw {0}.", "Show me {0}.", "Please draw {0}.", "May I see {0}?", "I would like a picture of {0}.", "Make a picture of {0}.", "Can you paint {0}?", "Would you do a drawing of {0}?");

    private static readonly Wordings Then = new(
        "Now make it {0}.", "And now in {0}, please.", "Can it be {0}?", "I would rather have it {0}.", "Change it to {0}.", "Make it {0} instead.", "Good. Now {0}, please.", "Could you make it {0}?");

    private static readonly Wordings ThenHear = new(
        "And what does it sound like?", "Now let me hear it.", "What sound belongs to it?", "Can I hear it too?", "And its sound, please.", "Now the sound.", "How does that sound?", "May I hear how it sounds?");

    private static readonly Wordings ThenMove = new(
        "Now make it {0}.", "And now let it {0}.", "Can you make it {0}?", "Could it {0}?", "Please make it {0} now.", "Great, now let it {0}.", "I would like to see it {0}.", "Now I want it to {0}.");

    private static readonly Wordings ThenMore = new(
        "Now draw {0} of them.", "And {0}, please.", "Make it {0}.", "I would like {0} of those.", "Now {0} of them.", "Can you draw {0} of them?", "Add more until there are {0}.", "Give me {0} instead of one.");

    private static readonly Wordings ThenName = new(
        "What did you draw?", "What was that again?", "Remind me what you drew.", "What is in your picture?", "Say in words what that is.", "What did you just show me?", "Tell me what it shows.", "Which thing did you draw?");

    internal static IReadOnlyList<TaskFamily> Families { get; } =
    [
        new("picture to sound", 3, draw => draw.Together() is { } pair && PictureRules.Plain(draw.Pool, pair.Picture) is { } picture && SoundRules.Plain(pair.Sound) is { } sound
            ? draw.Sample("picture to sound", null, draw.Ask(Noise.Say(draw.Talk), picture), TaskDraw.Answer(MakingTasks.HearAnswers(draw, sound), sound)) : null),
        new("sound to picture", 3, draw => draw.Together() is { } pair && PictureRules.Plain(draw.Pool, pair.Picture) is { } picture && SoundRules.Plain(pair.Sound) is { } sound
            ? draw.Sample("sound to picture", null, draw.Ask(DrawHeard.Say(draw.Talk), sound),
                TaskDraw.Answer($"I hear {sound.Said}. Here {WorldNames.Be(picture.Said)} {picture.Said}.", picture)) : null),
        new("picture to video", 4, PictureToVideo),
        new("picture, then changed", 4, Changed),
        new("picture, then heard", 2, ThenHeard),
        new("picture, then moved", 3, ThenMoved),
        new("picture, then more", 2, More),
        new("picture, then named", 2, draw => draw.Picture("plain", "turned", "pair") is { } picture
            ? draw.Sample("picture, then named", null, First(draw, picture), TaskDraw.Answer(MakingTasks.DrawAnswers(draw, picture), picture),
                TaskDraw.Ask(ThenName.Say(draw.Talk)), TaskDraw.Answer(WorldNames.Upper($"{picture.Said}."))) : null),
    ];

    private static InstructionMessage First(TaskDraw draw, Composed picture) => TaskDraw.Ask(Begin.Say(draw.Talk, picture.Said));

    private static WorldRow? Single(TaskDraw draw) =>
        draw.Pool.One(WorldKind.Picture, draw.Talk, row => row.Group is not "person" && WorldNames.Of(row) is { } said && !WorldNames.IsMany(said));

    private static InstructionSample? PictureToVideo(TaskDraw draw)
    {
        var row = Single(draw);
        var motion = draw.Talk.One(Motion.All);
        return PictureRules.Plain(draw.Pool, row) is { } picture && ClipRules.Moved(draw.Talk, row, motion) is { } clip
            ? draw.Sample("picture to video", null, draw.Ask(Order.Say(draw.Talk, motion.Order), picture), TaskDraw.Answer(MakingTasks.FilmAnswers(draw, clip), clip)) : null;
    }

    private static InstructionSample? Changed(TaskDraw draw)
    {
        var row = draw.Pool.One(WorldKind.Picture, draw.Talk, row => PictureRules.IsTurnable(draw.Pool, row));
        return PictureRules.Plain(draw.Pool, row) is { } picture && PictureRules.Turned(draw.Pool, draw.Talk, row) is { Colour: { } colour } turned
            ? draw.Sample("picture, then changed", null, First(draw, picture), TaskDraw.Answer(MakingTasks.DrawAnswers(draw, picture), picture),
                TaskDraw.Ask(Then.Say(draw.Talk, colour)), TaskDraw.Answer($"Here is {turned.Said}.", turned)) : null;
    }

    private static InstructionSample? ThenHeard(TaskDraw draw) =>
        draw.Together() is { } pair && PictureRules.Plain(draw.Pool, pair.Picture) is { } picture && SoundRules.Plain(pair.Sound) is { } sound
            ? draw.Sample("picture, then heard", null, First(draw, picture), TaskDraw.Answer(MakingTasks.DrawAnswers(draw, picture), picture),
                TaskDraw.Ask(ThenHear.Say(draw.Talk)), TaskDraw.Answer(MakingTasks.HearAnswers(draw, sound), sound)) : null;

    private static InstructionSample? ThenMoved(TaskDraw draw)
    {
        var row = Single(draw);
        var motion = draw.Talk.One(Motion.All);
        return PictureRules.Plain(draw.Pool, row) is { } picture && ClipRules.Moved(draw.Talk, row, motion) is { } clip
            ? draw.Sample("picture, then moved", null, First(draw, picture), TaskDraw.Answer(MakingTasks.DrawAnswers(draw, picture), picture),
                TaskDraw.Ask(ThenMove.Say(draw.Talk, motion.Order)), TaskDraw.Answer(MakingTasks.FilmAnswers(draw, clip), clip)) : null;
    }

    private static InstructionSample? More(TaskDraw draw)
    {
        var row = draw.Pool.One(WorldKind.Picture, draw.Talk, row => WorldNames.Of(row) is { } said && WorldNames.Plural(said) is not null);
        var count = draw.Talk.Number(2, 4);
        return PictureRules.Plain(draw.Pool, row) is { } picture && PictureRules.SeveralOf(draw.Pool, row, count) is { } more
            ? draw.Sample("picture, then more", null, First(draw, picture), TaskDraw.Answer(MakingTasks.DrawAnswers(draw, picture), picture),
                TaskDraw.Ask(ThenMore.Say(draw.Talk, PictureRules.Number(count))), TaskDraw.Answer($"Here are {more.Said}.", more)) : null;
    }
}
