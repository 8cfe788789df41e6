using System.Globalization;

namespace NextGpt.Tuning.Talk;

/// <summary>Days, months and seasons, what comes before and after.</summary>
internal static class CalendarTalk
{
    private static readonly Wordings Next = new(
        "What comes after {0}?", "Which one follows {0}?", "{0} is over. What comes next?", "What is next after {0}?", "Tell me what follows {0}.", "If it is {0} now, what comes then?",
        "What do we have after {0}?", "Which comes right after {0}?", "After {0} comes what?", "Name the one after {0}.", "What is the one following {0}?", "{0}, and then?");

    private static readonly Wordings Before = new(
        "What comes before {0}?", "Which one is just before {0}?", "{0} has begun. What was before?", "What was there before {0}?", "Tell me what comes before {0}.", "If it is {0} now, what came before?",
        "What do we have before {0}?", "Which comes right before {0}?", "Before {0} comes what?", "Name the one before {0}.", "What is the one preceding {0}?", "What ends when {0} begins?");

    private static readonly Wordings Tomorrow = new(
        "Today is {0}. What day is tomorrow?", "If today is {0}, what day will it be tomorrow?", "It is {0} today. Which day comes tomorrow?", "What is tomorrow if today is {0}?",
        "Tell me tomorrow's day; today is {0}.", "We have {0} today. And tomorrow?", "Today is {0}, so tomorrow is what day?", "Suppose it is {0}. What is the next day called?",
        "It is {0}. What day do we have tomorrow?", "When today is {0}, tomorrow is?", "Say which day follows today if it is {0}.", "My calendar says {0}. What will it say tomorrow?");

    private static readonly Wordings Yesterday = new(
        "Today is {0}. What day was yesterday?", "If today is {0}, what day was it yesterday?", "It is {0} today. Which day was yesterday?", "What was yesterday if today is {0}?",
        "Tell me yesterday's day; today is {0}.", "We have {0} today. And yesterday?", "Today is {0}, so yesterday was what day?", "Suppose it is {0}. What was the day before called?",
        "It is {0}. What day did we have yesterday?", "When today is {0}, yesterday was?", "Say which day came before today if it is {0}.", "My calendar says {0}. What did it say yesterday?");

    private static readonly Wordings Season = new(
        "Which season is {0} in, in Europe?", "What season is it in {0} in the north?", "Is {0} in spring, summer, autumn or winter in Germany?", "In the northern half of the world, which season has {0}?",
        "What is the season in {0} in France?", "To which season does {0} belong in Europe?", "Which season do people in Canada have in {0}?", "Northern {0}: which season is that?",
        "What time of year is {0} in England?", "Tell me the season of {0} in the north.", "It is {0} in Norway. Which season is it?", "In which season does {0} fall in Poland?");

    private static readonly string[] Seasons = ["winter", "spring", "summer", "autumn"];

    private static readonly Wordings Count = new(
        "How many {0} are in {1}?", "{1} has how many {0}?", "Tell me how many {0} {1} has.", "How many {0} make up {1}?", "What is the number of {0} in {1}?", "Into how many {0} is {1} divided?",
        "Do you know how many {0} {1} has?", "How many {0} does {1} have?", "Count the {0} in {1}.", "How many {0} long is {1}?", "Say how many {0} there are in {1}.", "In {1}, how many {0} are there?");

    private static readonly (string Small, string Large, int Number)[] Units =
    [
        ("days", "a week", 7), ("months", "a year", 12), ("hours", "a day", 24), ("minutes", "an hour", 60), ("seconds", "a minute", 60), ("seasons", "a year", 4),
        ("weeks", "a year", 52), ("years", "a century", 100), ("years", "a decade", 10), ("days", "April", 30), ("days", "January", 31), ("letters", "the English alphabet", 26),
        ("legs", "the body of a dog", 4), ("wheels", "a usual car", 4), ("centimetres", "a metre", 100), ("metres", "a kilometre", 1_000),
    ];

    internal static IReadOnlyList<TalkFamily> Families { get; } =
    [
        new("next month", draw => Step(draw, Next, TalkFacts.Months, 1, "comes after")),
        new("month before", draw => Step(draw, Before, TalkFacts.Months, -1, "comes before")),
        new("next day", draw => Step(draw, Next, TalkFacts.Days, 1, "comes after")),
        new("day before", draw => Step(draw, Before, TalkFacts.Days, -1, "comes before")),
        new("tomorrow", draw => Around(draw, Tomorrow, 1, "Tomorrow is {0}.")),
        new("yesterday", draw => Around(draw, Yesterday, -1, "Yesterday was {0}.")),
        new("season", draw =>
        {
            var month = draw.Number(0, 11);
            var season = Seasons[(month + 1) % 12 / 3];
            return new(Season.Say(draw, TalkFacts.Months[month]), $"{TalkFacts.Months[month]} is in {season} there.", season);
        }),
        new("how many", draw =>
        {
            var (small, large, number) = draw.One(Units);
            return new(Count.Say(draw, small, large), $"There are {Comma(number)} {small} in {large}.".Replace("in the body of a dog", "on a dog", StringComparison.Ordinal)
                .Replace("in a usual car", "on a usual car", StringComparison.Ordinal), $"{number}|{Comma(number)}");
        }),
    ];

    private static string Comma(int number) => number.ToString("#,0", CultureInfo.InvariantCulture);

    private static TalkTurn Step(TalkDraw draw, Wordings wordings, IReadOnlyList<string> names, int step, string relation)
    {
        var at = draw.Number(0, names.Count - 1);
        var there = names[(at + step + names.Count) % names.Count];
        return new TalkTurn(wordings.Say(draw, names[at]), $"{there} {relation} {names[at]}.", there);
    }

    private static TalkTurn Around(TalkDraw draw, Wordings wordings, int step, string answer)
    {
        var at = draw.Number(0, 6);
        var there = TalkFacts.Days[(at + step + 7) % 7];
        return new TalkTurn(wordings.Say(draw, TalkFacts.Days[at]), answer.Replace("{0}", there, StringComparison.Ordinal), there);
    }
}
