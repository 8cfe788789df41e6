using System.Globalization;
using System.Text.RegularExpressions;
using NextGpt.Tuning.Talk;

namespace NextGpt.Tuning.Tests.Talk;

public sealed class TalkComposerTests
{
    private static readonly IReadOnlyList<Dialogue> Training = TalkComposer.ForTraining(20_000, 1);
    private static readonly IReadOnlyList<Dialogue> Testing = TalkComposer.ForTesting(3_000, 2);

    [Fact]
    public void No_wording_of_a_test_is_ever_trained()
    {
        // Words that are filled in are taken out, so that what is compared is the wording itself.
        var trained = Training.SelectMany(dialogue => dialogue.Turns).Select(turn => turn.Question).ToHashSet(StringComparer.Ordinal);
        var asked = Testing.Select(dialogue => dialogue.Turns[^1].Question).Distinct().ToList();

        Assert.DoesNotContain(asked, trained.Contains);
    }

    [Fact]
    public void Numbers_of_a_test_are_never_trained()
    {
        var trained = Pairs(Training);
        var asked = Pairs(Testing);

        Assert.True(asked.Count > 50, $"only {asked.Count} pairs were asked");
        Assert.Empty(asked.Intersect(trained));
    }

    [Fact]
    public void Every_family_is_trained_and_asked()
    {
        Assert.Equal(TalkComposer.Families.Order(), Training.Select(dialogue => dialogue.Family).Distinct().Order());
        Assert.Equal(TalkComposer.Families.Order(), Testing.Select(dialogue => dialogue.Family).Distinct().Order());
        Assert.True(TalkComposer.Families.Count >= 45);
    }

    [Fact]
    public void Every_answer_contains_what_is_expected_of_it_and_no_place_is_left_unfilled()
    {
        Assert.All(Training.Concat(Testing).SelectMany(dialogue => dialogue.Turns), turn =>
        {
            Assert.DoesNotMatch(@"\{\d\}", turn.Question + turn.Answer);
            Assert.True(turn.Expected is null || Regex.IsMatch(turn.Answer, turn.Expected, RegexOptions.IgnoreCase), $"{turn}");
        });
    }

    [Fact]
    public void Sums_are_right()
    {
        var sums = Training.SelectMany(dialogue => dialogue.Turns)
            .Select(turn => (turn, match: Regex.Match(turn.Answer, @"^(\d+) (plus|minus|times) (\d+) is (\d+)\.$"))).Where(pair => pair.match.Success).ToList();

        Assert.True(sums.Count > 500);
        Assert.All(sums, pair =>
        {
            var (a, b, result) = (Number(pair.match, 1), Number(pair.match, 3), Number(pair.match, 4));
            Assert.Equal(pair.match.Groups[2].Value switch { "plus" => a + b, "minus" => a - b, _ => a * b }, result);
        });
    }

    [Fact]
    public void What_is_recalled_was_said_before_and_tests_leave_four_turns_between()
    {
        var recalled = Testing.Where(dialogue => dialogue.Family.StartsWith("recall", StringComparison.Ordinal)).ToList();

        Assert.All(recalled, dialogue =>
        {
            Assert.True(dialogue.Turns.Count >= 6);
            Assert.Contains(dialogue.Turns.Take(2), turn => turn.Question.Contains(dialogue.Turns[^1].Expected!, StringComparison.Ordinal));
        });
    }

    [Fact]
    public void The_same_seed_makes_the_same_conversations() =>
        Assert.Equal(
            Training.Take(100).SelectMany(dialogue => dialogue.Turns),
            TalkComposer.ForTraining(100, 1).SelectMany(dialogue => dialogue.Turns));

    private static int Number(Match match, int group) => int.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    private static HashSet<(int, int)> Pairs(IEnumerable<Dialogue> dialogues) =>
        [.. dialogues.SelectMany(dialogue => dialogue.Turns)
            .Select(turn => Regex.Match(turn.Answer, @"^(\d+) (plus|minus|times) (\d+) is \d+\.$")).Where(match => match.Success)
            .Select(match => (Number(match, 1), Number(match, 3)))];
}
