using NextGpt.Tuning.Data;
using NextGpt.Tuning.Talk;

namespace NextGpt.Tuning.Tasks;

/// <summary>Other names of things, what kind of thing something is, and things of a kind.</summary>
internal static class GroupTasks
{
    private static readonly Wordings IsIt = new(
        "Is this {0}?", "Is it {0}?", "Would you call this {0}?", "Is that {0}?", "Is what you see {0}?", "Do you see {0} here?", "Tell me if this is {0}.", "Is the thing in the picture {0}?",
        "Yes or no: is this {0}?", "Does the picture show {0}?", "Could one say that this is {0}?", "Look at this. Is it {0}?");

    private static readonly Wordings WhatKind = new(
        "What kind of thing is this?", "To which group does this belong?", "What sort of thing do you see?", "What kind of thing is in the picture?", "Which group of things does it belong to?", "What is it, roughly?",
        "Is it food, an animal, a tool or what?", "Into which group would you put this?", "What sort of thing is that?", "In general, what is this?", "Say what kind of thing it is.", "What type of thing is shown?");

    private static readonly Wordings ThreeOf = new(
        "Name three {0} that you can draw.", "Which {0} do you know? Name three.", "Give me three {0} from your world.", "Tell me three {0} that I can ask for.", "List three {0} you can show me.", "What {0} can you draw? Three are enough.",
        "Three {0} that you know, please.", "Which three {0} could you draw for me?", "I want to choose: name three {0} you can draw.", "Say three {0} you have learnt.", "Do you know {0}? Name three of them.", "Three {0} you could draw are which?");

    internal static IReadOnlyList<TaskFamily> Families { get; } =
    [
        new("synonym to picture", 2, Called),
        new("group of a picture", 3, Kind),
        new("things of a group", 2, Listed),
    ];

    private static InstructionSample? Called(TaskDraw draw)
    {
        var row = draw.Pool.One(WorldKind.Picture, draw.Talk, row => Synonyms.Of.ContainsKey(row.Concept));
        // Where the side has none, any drawing of training serves: what is tested is the wording.
        row ??= draw.Pool.World.Of(WorldKind.Picture).Where(other => other.IsForTraining && Synonyms.Of.ContainsKey(other.Concept)).ToList() is { Count: > 0 } rows ? draw.Talk.One(rows) : null;
        return PictureRules.Plain(draw.Pool, row) is { } picture && row is not null
            ? draw.Sample("synonym to picture", null, TaskDraw.Ask(MakingTasks.Draw.Say(draw.Talk, draw.Talk.One(Synonyms.Of[row.Concept]))), TaskDraw.Answer(MakingTasks.DrawAnswers(draw, picture), picture))
            : null;
    }

    private static InstructionSample? Kind(TaskDraw draw)
    {
        var row = draw.Pool.One(WorldKind.Picture, draw.Talk, row => GroupFacts.KindOf(row) is not null && WorldNames.Of(row) is { } said && !WorldNames.IsMany(said));
        if (PictureRules.Plain(draw.Pool, row) is not { } picture || row is null || GroupFacts.KindOf(row) is not { } kind)
        {
            return null;
        }

        var name = GroupFacts.Kinds[kind].One;
        if (draw.Talk.Chance(0.3))
        {
            return draw.Sample("group of a picture", CaptionOf(name), draw.Ask(WhatKind.Say(draw.Talk), picture), TaskDraw.Answer($"It is {name}: {picture.Said}."));
        }

        if (draw.Talk.Chance(0.5))
        {
            return draw.Sample("group of a picture", "Yes", draw.Ask(IsIt.Say(draw.Talk, name), picture), TaskDraw.Answer($"Yes, it is {name}: {picture.Said}."));
        }

        var others = GroupFacts.Kinds.Keys.Where(other => GroupFacts.Exclude(kind, other)).ToList();
        var wrong = GroupFacts.Kinds[draw.Talk.One(others)].One;
        return draw.Sample("group of a picture", "No", draw.Ask(IsIt.Say(draw.Talk, wrong), picture), TaskDraw.Answer($"No, it is {picture.Said}, and that is not {wrong}."));
    }

    private static InstructionSample? Listed(TaskDraw draw)
    {
        var lists = GroupFacts.Lists(draw.Pool.World);
        if (lists.Count == 0)
        {
            return null;
        }

        var (kind, members) = draw.Talk.One(lists);
        var three = draw.Talk.Some(members, 3);
        return draw.Sample(
            "things of a group", string.Join('|', members.Select(CaptionOf)),
            TaskDraw.Ask(ThreeOf.Say(draw.Talk, kind)), TaskDraw.Answer(WorldNames.Upper($"{three[0]}, {three[1]} and {three[2]}.")));
    }

    private static string CaptionOf(string said) => Pictures.CaptionWording.Bare(said);
}
