using System.Text.RegularExpressions;
using NextGpt.Media;
using NextGpt.Model;
using NextGpt.Model.Packages;
using NextGpt.Tuning.Data;
using NextGpt.Tuning.Tasks;

namespace NextGpt.Tuning.Tests.Tasks;

public sealed partial class TaskMixtureTests
{
    private static readonly TaskMixture Mixture = new(
        Environment.GetEnvironmentVariable("NEXTGPT_WORLD") is { Length: > 0 } world ? WorldData.Load(world) : FixtureFolder.World, 1);

    private static readonly IReadOnlyList<InstructionSample> Training = [.. Enumerable.Range(0, 3_000).Select(place => Mixture.ForTraining(place))];
    private static readonly IReadOnlyList<InstructionSample> Testing = Mixture.Switching();

    [Fact]
    public void Nothing_kept_for_testing_is_in_a_training_sample_of_any_task()
    {
        var poisoned = new TaskMixture(FixtureFolder.Poisoned, 2);
        var samples = Enumerable.Range(0, 2_000).Select(place => poisoned.ForTraining(place)).ToList();

        Assert.Equal(TaskMixture.Shares.Keys.Order(), samples.Select(sample => sample.Task).Distinct().Order());
        Assert.All(samples.SelectMany(sample => sample.Rows), row => Assert.True(row.IsForTraining, row.Id));
        Assert.All(samples, sample => Assert.Equal("train", sample.Split));
    }

    [Fact]
    public void No_request_of_a_test_is_ever_asked_in_training()
    {
        var trained = Training.SelectMany(sample => sample.Messages).Where(message => message.Role == PromptRole.User).Select(Words).ToHashSet(StringComparer.Ordinal);

        Assert.DoesNotContain(Testing.Select(sample => Words(sample.Messages[^2])), trained.Contains);
    }

    [Fact]
    public void Three_hundred_requests_ask_for_every_task_and_for_every_set_of_media()
    {
        Assert.Equal(300, Testing.Count);
        Assert.Equal(TaskMixture.Shares.Keys.Order(), Testing.Select(sample => sample.Task).Distinct().Order());
        Assert.All(new[] { MediaKind.Image, MediaKind.Audio, MediaKind.Video }, kind => Assert.Contains(Testing, sample => sample.Wanted.SetEquals([kind])));
        Assert.Contains(Testing, sample => sample.Wanted.SetEquals([MediaKind.Image, MediaKind.Audio]));
        Assert.Contains(Testing, sample => sample.Wanted.Count == 0);
    }

    [Fact]
    public void Tasks_come_in_their_shares_and_everyday_talk_is_about_a_quarter()
    {
        Assert.Equal(1, TaskMixture.Shares.Values.Sum(), 9);
        Assert.InRange(TaskMixture.Shares["everyday talk"], 0.22, 0.28);
        Assert.All(TaskMixture.Shares, share => Assert.InRange(
            Training.Count(sample => sample.Task == share.Key), (int)(share.Value * 3_000 * 0.5), (int)(share.Value * 3_000 * 1.6) + 5));
    }

    [Fact]
    public void A_resumed_run_draws_what_the_broken_one_would_have()
    {
        var again = new TaskMixture(FixtureFolder.World, 7);
        var first = new TaskMixture(FixtureFolder.World, 7);
        var all = Enumerable.Range(0, 50).Select(place => Text(first.ForTraining(place))).ToList();

        Assert.Equal(all[30..], Enumerable.Range(30, 20).Select(place => Text(again.ForTraining(place))));
        Assert.NotEqual(all[30], Text(new TaskMixture(FixtureFolder.World, 8).ForTraining(30)));
    }

    [Fact]
    public void Sentences_are_whole_and_have_the_right_article()
    {
        Assert.All(Training.Concat(Testing), sample => Assert.All(sample.Messages, message =>
        {
            var text = Words(message);
            Assert.DoesNotMatch(@"\{\d\}|  |\.\.| ,", text);
            Assert.DoesNotMatch(WrongArticle(), text);
            Assert.True(char.IsUpper(text[0]) || !char.IsLetter(text[0]) || sample.Task == "everyday talk", text);
        }));
    }

    [Fact]
    public void Every_signal_has_its_caption_and_is_spelt_as_the_models_tokens_say()
    {
        foreach (var tokens in new[] { TokenPart.V0, TokenPart.V2 })
        {
            var samples = Training.Where(sample => sample.Signals.Count > 0).Take(12).ToList();
            Assert.All(samples, sample =>
            {
                Assert.All(sample.Signals, signal => Assert.False(string.IsNullOrWhiteSpace(signal.Caption)));
                var written = sample.Write(tokens, Mixture.Studio);
                Assert.All(sample.Signals, signal => Assert.Contains(
                    InstructionSample.Spell(tokens, signal.Kind), Assert.IsType<TextPart>(written[signal.Message].Parts[^1]).Text, StringComparison.Ordinal));
                Assert.Equal(
                    sample.Messages.Sum(message => message.Parts.OfType<ShownPart>().Count()),
                    written.Sum(message => message.Parts.OfType<MediaPart>().Count()));
            });
        }

        Assert.Contains("[IMG0][IMG1]", InstructionSample.Spell(TokenPart.V0, MediaKind.Image), StringComparison.Ordinal);
        Assert.Contains("no signal", Assert.Throws<InvalidOperationException>(
            () => InstructionSample.Spell(TokenPart.V0 with { Signals = new Dictionary<MediaKind, IReadOnlyList<string>>() }, MediaKind.Image)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_answer_names_what_is_expected_and_a_refusal_makes_nothing()
    {
        Assert.All(Training.Where(sample => sample.Expected is not null && sample.Task != "everyday talk"), sample =>
            Assert.Contains(sample.Expected!.Split('|'), word => Words(sample.Messages[^1]).Contains(word, StringComparison.OrdinalIgnoreCase)));
        Assert.All(Training.Where(sample => sample.Task is "unknown" or "unknown sound" or "unknown clip" or "things of a group" or "text to text" or "everyday talk" or "about media, in words"), sample => Assert.Empty(sample.Wanted));
    }

    [Fact(Explicit = true)]
    public void Print_a_hundred_samples_to_be_read() =>
        Assert.All(Enumerable.Range(50_000, 100), place => TestContext.Current.TestOutputHelper?.WriteLine(Text(Mixture.ForTraining(place))));

    private static string Words(InstructionMessage message) => string.Join(' ', message.Parts.OfType<WordsPart>().Select(part => part.Text));

    private static string Text(InstructionSample sample) => $"[{sample.Task}] " + string.Join(" / ", sample.Messages.Select(message => string.Join(' ', message.Parts.Select(part => part switch
    {
        WordsPart words => words.Text,
        ShownPart shown => $"<{shown.Recipe.Kind} {string.Join('+', shown.Recipe.Rows.Select(row => row.Id))}>",
        SignalPart signal => $"<<{signal.Kind}: {signal.Caption}>>",
        _ => "?",
    }))));

    [GeneratedRegex(@"\b[Aa] (?=[aeio][a-z])(?!one|eu|ewe)|\b[Aa]n (?=[bcdfgjklmnpqrstvwxz])")]
    private static partial Regex WrongArticle();
}
