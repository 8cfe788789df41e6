using NextGpt.Tuning.Data;
using NextGpt.Tuning.Optimisation;
using NextGpt.Tuning.Sounds;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Tests.Sounds;

public sealed class SoundSceneTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nextgpt-sound-words-").FullName;

    [Fact]
    public void Scenes_are_made_of_training_recordings_only_and_say_every_change_and_mixture()
    {
        var scenes = SoundComposer.Compose(FixtureFolder.Poisoned, 2, 1);

        Assert.All(scenes.SelectMany(scene => scene.Recipe.Rows), row => Assert.True(row.IsForTraining, row.Id));
        Assert.All(scenes, scene => Assert.Equal(SoundComposer.Wordings, scene.Captions.Count));
        Assert.All(scenes, scene => Assert.All(scene.Captions, caption => Assert.All(
            scene.Recipe.Rows, row => Assert.Contains(row.Caption, caption, StringComparison.OrdinalIgnoreCase))));
        Assert.Contains(scenes, scene => scene.Recipe.Rows.Count == 2);
        Assert.All(
            scenes.Where(scene => scene.Recipe.Change == SoundChange.Quieter),
            scene => Assert.Contains("quieter", scene.Captions[0], StringComparison.Ordinal));
    }

    [Fact]
    public void The_same_seed_composes_the_same_and_things_with_many_recordings_weigh_less_each()
    {
        var (one, other) = (SoundComposer.Compose(FixtureFolder.World, 3, 5), SoundComposer.Compose(FixtureFolder.World, 3, 5));
        Assert.Equal(one.Select(Address), other.Select(Address));

        double Plain(string caption) => one.First(scene => scene.Captions[0] == caption).Weight;
        Assert.True(Plain("a violin playing a low note") < Plain("a helicopter flying"));   // two violins, one helicopter
    }

    [Fact]
    public void A_quieter_sound_is_quieter_and_every_sound_has_the_same_length()
    {
        var renderer = new SoundRenderer(new WorldStudio(FixtureFolder.World));
        var row = FixtureFolder.World.Of(WorldKind.Sound).First(sound => sound.Seconds > 0.4);
        SoundScene Scene(SoundChange change) => new() { Recipe = new SoundRecipe([row], change), Captions = ["x"], Weight = 1 };

        var (plain, quiet) = (renderer.Render(Scene(SoundChange.None)), renderer.Render(Scene(SoundChange.Quieter)));

        Assert.Equal(MiniSounds.Samples, plain.Length);
        Assert.Equal(0.5f, plain.Max(MathF.Abs), 3);
        Assert.Equal(0.125f, quiet.Max(MathF.Abs), 3);
        Assert.All(renderer.Render(Scene(SoundChange.None) with { Onset = 500 })[..500], sample => Assert.Equal(0, sample));
    }

    [Fact]
    public void Windows_are_drawn_the_same_for_the_same_step_stay_in_range_and_are_not_all_silent()
    {
        using var bank = SoundBank.Read(
            new WorldStudio(FixtureFolder.World), [.. FixtureFolder.World.Of(WorldKind.Sound).Where(row => row.IsForTraining)], CPU);
        using var random = new StepRandom(CPU, 3);
        float[] Draw(long step)
        {
            using var scope = NewDisposeScope();
            random.Begin(step);
            var drawn = bank.Draw(8, 4_000, random);
            Assert.Equal([8, 4_000], drawn.shape);
            return drawn.data<float>().ToArray();
        }

        var (one, again, next) = (Draw(1), Draw(1), Draw(2));
        Assert.Equal(one, again);
        Assert.NotEqual(one, next);
        Assert.All(one, sample => Assert.InRange(sample, -1, 1));
        Assert.All(one.Chunk(4_000), window => Assert.True(window.Max(MathF.Abs) > 0.005f));
        Assert.Throws<InvalidDataException>(() => SoundBank.Read(new WorldStudio(FixtureFolder.World), [], CPU));
    }

    [Fact]
    public void Frequent_words_become_one_token_and_every_text_can_be_written()
    {
        string[] captions = ["a cat meowing", "a cat hissing", "the sound of a cat", "a dog barking", "A dog barking.", "a dog growling"];
        var (tokenizer, size) = SoundVocabulary.Learn(captions, 400, _folder);

        Assert.True(size <= 400);
        Assert.Equal(SoundVocabulary.PadToken, tokenizer.PadToken);
        Assert.Equal(MiniSounds.CaptionTokens, tokenizer.Encode(string.Join(' ', Enumerable.Repeat("Zürich 東京!?", 20))).Count);
        Assert.All(tokenizer.Encode("Zürich 東京 !?"), id => Assert.InRange(id, 0, size - 1));
        Assert.Equal(4, tokenizer.Encode("a cat").Count);   // begin, two words, end
    }

    public void Dispose() => Directory.Delete(_folder, true);

    private static string Address(SoundScene scene) =>
        $"{string.Join('+', scene.Recipe.Rows.Select(row => row.Id))} {scene.Recipe.Change} {scene.Semitone} {scene.Onset} {scene.Gain} {scene.Weight}";
}
