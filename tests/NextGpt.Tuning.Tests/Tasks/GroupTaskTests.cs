using NextGpt.Tuning.Data;
using NextGpt.Tuning.Evaluation.Rows;
using NextGpt.Tuning.Tasks;

namespace NextGpt.Tuning.Tests.Tasks;

public sealed class GroupTaskTests
{
    private static readonly WorldData World =
        Environment.GetEnvironmentVariable("NEXTGPT_WORLD") is { Length: > 0 } world ? WorldData.Load(world) : FixtureFolder.World;

    private static readonly TaskMixture Mixture = new(World, 3);

    [Fact]
    public void A_question_about_a_kind_is_answered_yes_only_for_that_kind()
    {
        var samples = Enumerable.Range(0, 300).Select(place => Mixture.ForTesting(place, "group of a picture")).ToList();

        Assert.Contains(samples, sample => sample.Expected == "Yes");
        Assert.Contains(samples, sample => sample.Expected == "No");
        Assert.All(samples, sample =>
        {
            var kind = GroupFacts.Kinds[GroupFacts.KindOf(sample.Rows.Single())!].One;
            var asked = Words(sample.Messages[0]);
            Assert.Equal(sample.Expected == "Yes", sample.Expected is "Yes" or "No" && asked.Contains(kind, StringComparison.Ordinal));
            Assert.Contains(kind.Split(' ')[^1], sample.Expected == "No" ? kind : Words(sample.Messages[1]), StringComparison.Ordinal);
        });
    }

    [Theory]
    [InlineData("food", "animal", false)]
    [InlineData("plant", "food", false)]
    [InlineData("person", "animal", false)]
    [InlineData("tool", "food", true)]
    [InlineData("food", "food", false)]
    [InlineData("vehicle", "building", true)]
    public void Kinds_that_a_thing_could_have_both_of_are_never_denied(string kind, string other, bool denied) =>
        Assert.Equal(denied, GroupFacts.Exclude(kind, other));

    [Fact]
    public void A_list_of_three_names_three_different_things_of_the_kind()
    {
        var lists = GroupFacts.Lists(World).ToDictionary(list => list.Kind, list => list.Members);

        Assert.Contains("animals", lists.Keys);
        Assert.All(Enumerable.Range(0, 100).Select(place => Mixture.ForTesting(place, "things of a group")), sample =>
        {
            var kind = lists.Keys.Where(kind => Words(sample.Messages[0]).Contains(kind, StringComparison.Ordinal)).MaxBy(kind => kind.Length)!;
            var named = Words(sample.Messages[1]).TrimEnd('.').Split([", ", " and "], StringSplitOptions.None);
            Assert.True(named.Distinct().Count() >= 3, Words(sample.Messages[1]));
            Assert.True(lists[kind].Count(member => Words(sample.Messages[1]).Contains(member, StringComparison.OrdinalIgnoreCase)) >= 3);
        });
    }

    [Fact]
    public void A_thing_asked_for_by_another_name_is_drawn_and_called_by_its_own()
    {
        Assert.All(Enumerable.Range(0, 60).Select(place => Mixture.ForTesting(place, "synonym to picture")), sample =>
        {
            var row = sample.Rows.Single();
            Assert.Contains(Synonyms.Of[row.Concept], other => Words(sample.Messages[0]).Contains(other, StringComparison.Ordinal));
            Assert.Contains(WorldNames.Of(row)!, Words(sample.Messages[1]), StringComparison.OrdinalIgnoreCase);
        });
    }

    [Fact]
    public void Unknown_things_are_many_each_once_and_none_is_drawn_in_the_world()
    {
        Assert.True(UnknownThings.Seen.Count >= 100 && UnknownThings.Heard.Count + UnknownThings.Filmed.Count >= 80);
        foreach (var pairs in new[] { UnknownThings.Seen, UnknownThings.Heard, UnknownThings.Filmed })
        {
            Assert.Equal(pairs.Count, pairs.Select(pair => pair.Split(':')[0]).Distinct(StringComparer.OrdinalIgnoreCase).Count());
            Assert.All(pairs, pair => Assert.Equal(2, pair.Split(':').Length));
        }

        Assert.DoesNotContain(UnknownThings.Seen, pair => World.IsDrawn(pair.Split(':')[0]));
        Assert.DoesNotContain(UnknownThings.Heard, pair => World.Of(WorldKind.Sound).Any(row => row.Caption == pair.Split(':')[0]));
    }

    [Fact]
    public void A_hundred_refusals_are_asked_of_pictures_sounds_and_clips_and_the_gold_answers_pass()
    {
        var asked = Refusal.Unknown(100, 4);

        Assert.Equal(100, asked.Distinct().Count());
        Assert.All(new[] { "unknown", "unknown sound", "unknown clip" }, task => Assert.All(Enumerable.Range(0, 60).Select(place => Mixture.ForTesting(place, task)), sample =>
        {
            Assert.True(Refusal.Says(Words(sample.Messages[1])), Words(sample.Messages[1]));
            Assert.Empty(sample.Wanted);
        }));
        Assert.False(Refusal.Says("Here is a drawing of your grandmother."));
    }

    [Fact]
    public void Things_of_a_refusal_that_are_asked_in_tests_are_never_in_training()
    {
        string[] tasks = ["unknown sound", "unknown clip"];
        var trained = Enumerable.Range(0, 12_000).Select(place => Mixture.ForTraining(place)).Where(sample => tasks.Contains(sample.Task))
            .Select(sample => Words(sample.Messages[0])).ToList();
        var held = UnknownThings.Heard.Where((_, index) => index % 4 == 3).Concat(UnknownThings.Filmed.Where((_, index) => index % 4 == 3))
            .Select(pair => pair.Split(':')[0]).ToList();

        Assert.True(trained.Count > 100);
        Assert.DoesNotContain(trained, request => held.Any(thing => request.EndsWith($"{thing}.", StringComparison.Ordinal) || request.EndsWith($"{thing}?", StringComparison.Ordinal)));
    }

    private static string Words(InstructionMessage message) => string.Join(' ', message.Parts.OfType<WordsPart>().Select(part => part.Text));
}
