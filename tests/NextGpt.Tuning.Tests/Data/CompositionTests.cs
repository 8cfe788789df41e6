using NextGpt.Media;
using NextGpt.Tuning.Data;
using NextGpt.Tuning.Pictures;
using NextGpt.Tuning.Talk;

namespace NextGpt.Tuning.Tests.Data;

public sealed class CompositionTests
{
    private static readonly WorldPool Pool = new(FixtureFolder.World);

    private static IEnumerable<(string Name, Func<WorldPool, TalkDraw, Composed?> Make)> Rules =>
    [
        .. PictureRules.All.Select(rule => (rule.Key, (Func<WorldPool, TalkDraw, Composed?>)((pool, draw) => rule.Value(pool, draw, null)))),
        .. SoundRules.All.Select(rule => (rule.Key, rule.Value)),
        .. ClipRules.All.Select(rule => (rule.Key, rule.Value)),
    ];

    [Fact]
    public void Nothing_of_a_test_only_package_or_split_is_drawn_for_training_by_any_rule()
    {
        var pool = new WorldPool(FixtureFolder.Poisoned);
        foreach (var (name, make) in Rules)
        {
            var draw = new TalkDraw(11, testing: false);
            var made = Enumerable.Range(0, 400).Select(_ => make(pool, draw)).OfType<Composed>().ToList();

            Assert.True(made.Count > 100, $"{name} made only {made.Count}");
            Assert.All(made.SelectMany(composed => composed.Recipe.Rows), row => Assert.True(row.IsForTraining, $"{name} drew {row.Id}"));
        }
    }

    [Fact]
    public void A_test_draws_what_was_kept_back()
    {
        var draw = new TalkDraw(3, testing: true);
        var rows = Enumerable.Range(0, 100).Select(_ => PictureRules.All["plain"](Pool, draw, null)!.Recipe.Rows[0]);

        Assert.All(rows, row => Assert.Equal("test_pair", row.Split));
    }

    [Fact]
    public void The_same_seed_makes_the_same_and_every_rule_renders()
    {
        foreach (var (_, make) in Rules)
        {
            var (first, second) = (make(Pool, new TalkDraw(5, false)), make(Pool, new TalkDraw(5, false)));
            Assert.NotNull(first);
            Assert.Equal(first.Said, second!.Said);
            Assert.Equal(Bytes(first), Bytes(second));
        }
    }

    [Fact]
    public void A_turned_thing_has_the_colour_that_is_said_of_it()
    {
        var draw = new TalkDraw(6, false);
        for (var index = 0; index < 60; index++)
        {
            var composed = PictureRules.Turned(Pool, draw, null)!;
            Assert.Contains(composed.Colour!, composed.Said.Split(' '));
            Assert.Contains(composed.Colour!, composed.Caption.Split(' '));
            Assert.Equal(composed.Colour, ColourSeen((Picture)Pool.Studio.Make(composed.Recipe)));
            Assert.False(FixtureFolder.World.IsDrawn(composed.Caption));
        }
    }

    [Theory]
    [InlineData("flat/red-apple", "red")]
    [InlineData("flat/banana", "yellow")]
    [InlineData("shaded/blue-heart", "blue")]
    [InlineData("flat/soccer-ball", "white")]
    public void The_main_colour_is_measured_or_there_is_no_answer(string id, string? colour) =>
        Assert.Equal(colour, Pool.Studio.MainColourOf(Row(id)));

    [Fact]
    public void Stripes_of_three_colours_have_no_main_colour()
    {
        var planes = new byte[4 * 300];
        Array.Fill(planes, (byte)255, 900, 300);
        Array.Fill(planes, (byte)220, 0, 100);
        Array.Fill(planes, (byte)220, 300 + 100, 100);
        Array.Fill(planes, (byte)220, 600 + 200, 100);

        Assert.Null(MainColour.Measure(planes));
    }

    [Fact]
    public void As_many_things_are_seen_as_are_counted()
    {
        var ball = Row("flat/soccer-ball");
        foreach (var count in new[] { 2, 3, 4 })
        {
            var composed = PictureRules.SeveralOf(Pool, ball, count)!;
            var picture = (Picture)Pool.Studio.Make(composed.Recipe);
            Assert.Equal($"{PictureRules.Number(count)} soccer balls", composed.Said);
            Assert.Equal(count, new[] { (0, 0), (32, 0), (0, 32), (32, 32), (16, 0), (0, 16), (32, 16) }
                .Count(place => composed.Recipe is PictureRecipe recipe && recipe.Pieces.Any(piece => (piece.X, piece.Y) == place)
                    && Ink(picture, place.Item1, place.Item2, 32) > 100));
        }
    }

    [Fact]
    public void What_is_left_of_something_is_on_the_left_in_the_pixels()
    {
        var draw = new TalkDraw(8, false);
        var seen = 0;
        for (var index = 0; index < 60; index++)
        {
            var composed = PictureRules.Pair(Pool, draw, null)!;
            var pieces = ((PictureRecipe)composed.Recipe).Pieces;
            var alone = (Picture)Pool.Studio.Make(new PictureRecipe([pieces[0]], Backdrop.White));
            var side = composed.Said.Contains(" above ", StringComparison.Ordinal);
            Assert.True(side ? Ink(alone, 0, 0, 64, 32) > 50 && Ink(alone, 0, 32, 64, 32) == 0 : Ink(alone, 0, 0, 32, 64) > 50 && Ink(alone, 32, 0, 32, 64) == 0);
            Assert.StartsWith(WorldNames.Of(pieces[0].Row)!, composed.Said, StringComparison.Ordinal);
            seen += side ? 1 : 0;
        }

        Assert.InRange(seen, 1, 59);
    }

    [Fact]
    public void Each_of_the_ten_motions_moves_as_its_name_says()
    {
        var ball = Row("flat/soccer-ball");
        Assert.Equal(10, Motion.All.Count);
        foreach (var motion in Motion.All)
        {
            var clip = (VideoClip)Pool.Studio.Make(new ClipRecipe(ball, motion, false, 32, 0, Backdrop.White));
            Assert.Equal(16, clip.Frames.Count);
            Assert.All(clip.Frames, frame => Assert.Equal((64, 64), (frame.Width, frame.Height)));
            var (first, last) = (Middle(clip.Frames[2]), Middle(clip.Frames[13]));
            var areas = clip.Frames.Select(frame => Ink(frame, 0, 0, 64)).ToList();
            var heights = clip.Frames.Select(frame => Middle(frame).Y).ToList();
            Assert.True(motion.Name switch
            {
                "sliding to the left" => last.X < first.X - 8,
                "sliding to the right" => last.X > first.X + 8,
                "rising" => last.Y < first.Y - 8,
                "falling" => last.Y > first.Y + 8,
                "bouncing" => heights.Max() - heights.Min() > 15 && Math.Abs(heights[0] - heights[8]) < 1,
                "growing" => areas[15] > 3 * areas[0],
                "shrinking" => areas[0] > 3 * areas[15],
                _ => clip.Frames.Zip(clip.Frames.Skip(1)).All(pair => !pair.First.Pixels.SequenceEqual(pair.Second.Pixels)),
            }, motion.Name);
        }
    }

    [Fact]
    public void About_four_in_a_hundred_pairs_of_thing_and_motion_are_never_trained()
    {
        var kept = Enumerable.Range(0, 5_000).Count(index => Motion.All[index % 10].IsForTesting($"thing-{index / 10}"));
        Assert.InRange(kept, 130, 270);

        var draw = new TalkDraw(4, false);
        var made = Enumerable.Range(0, 500).Select(_ => ClipRules.All["moved"](Pool, draw)!.Recipe).Cast<ClipRecipe>();
        Assert.DoesNotContain(made, recipe => recipe.Motion!.IsForTesting(recipe.Row.Concept));
    }

    [Fact]
    public void Sounds_change_as_said()
    {
        const int rate = 16_000;
        var tone = new AudioClip { SampleRateHz = rate, Channels = [[.. Enumerable.Range(0, rate).Select(at => 0.5f * MathF.Sin(2 * MathF.PI * 440 * at / rate))]] };

        Assert.Equal(440 * 9 / 8.0, Pitch(SoundShaping.Change(tone, SoundChange.Higher)), 3.0);
        Assert.Equal(440 * 8 / 9.0, Pitch(SoundShaping.Change(tone, SoundChange.Lower)), 3.0);
        var (faster, slower) = (SoundShaping.Change(tone, SoundChange.Faster), SoundShaping.Change(tone, SoundChange.Slower));
        Assert.Equal((12_800, 20_000), (faster.Length, slower.Length));
        Assert.Equal(440, Pitch(faster), 6.0);
        Assert.Equal(440, Pitch(slower), 6.0);
        Assert.Equal(0.125f, SoundShaping.Change(tone, SoundChange.Quieter).Channels[0].Max(), 0.001f);
    }

    [Fact]
    public void Both_sounds_of_a_mixture_are_in_it_and_it_does_not_clip()
    {
        var (rain, dog) = (Pool.Studio.Make(new SoundRecipe([Sound("rain falling")])), Pool.Studio.Make(new SoundRecipe([Sound("a dog barking")])));
        var mixed = SoundShaping.Mix((AudioClip)rain, (AudioClip)dog);

        Assert.True(mixed.Channels[0].Max(MathF.Abs) <= 0.951f);
        Assert.Equal(((AudioClip)rain).Length, mixed.Length);
        Assert.All(new[] { (AudioClip)rain, (AudioClip)dog }, part => Assert.True(Likeness(part.Channels[0], mixed.Channels[0]) > 0.4));
    }

    [Theory]
    [InlineData("a spaghetti", "spaghetti", "is")]
    [InlineData("scissors", "scissors", "are")]
    [InlineData("an ewe", "a ewe", "is")]
    [InlineData("two hearts", "two hearts", "are")]
    [InlineData("ice", "ice", "is")]
    public void Names_are_put_right(string caption, string said, string verb)
    {
        var row = Row("flat/dog") with { Caption = caption };
        Assert.Equal(said, WorldNames.Of(row));
        Assert.Equal(verb, WorldNames.Be(said));
    }

    [Fact]
    public void A_broken_world_says_which_line_is_broken()
    {
        var folder = Directory.CreateTempSubdirectory().FullName;
        File.WriteAllText(Path.Combine(folder, "captions.jsonl"), File.ReadLines(Path.Combine(FixtureFolder.Path, "captions.jsonl")).First() + "\n{\"id\":\n");

        Assert.Contains("line 2", Assert.Throws<InvalidDataException>(() => WorldData.Load(folder)).Message, StringComparison.Ordinal);
        Assert.Contains("nextgpt data fetch", Assert.Throws<InvalidDataException>(() => WorldData.Load(folder + "x")).Message, StringComparison.Ordinal);
        Directory.Delete(folder, recursive: true);
    }

    private static WorldRow Row(string id) => FixtureFolder.World.Rows.Single(row => row.Id == id);

    private static WorldRow Sound(string caption) => FixtureFolder.World.Rows.Single(row => row.Caption == caption);

    private static byte[] Bytes(Composed composed) => Pool.Studio.Make(composed.Recipe) switch
    {
        Picture picture => picture.Pixels,
        VideoClip clip => [.. clip.Frames.SelectMany(frame => frame.Pixels)],
        AudioClip sound => WaveFile.Write(sound),
        _ => [],
    };

    private static int Ink(Picture picture, int left, int top, int width, int? height = null)
    {
        var count = 0;
        for (var y = top; y < top + (height ?? width); y++)
        {
            for (var x = left; x < left + width; x++)
            {
                count += picture.Pixels.AsSpan((y * 64 + x) * 3, 3).IndexOfAnyInRange((byte)0, (byte)235) >= 0 ? 1 : 0;
            }
        }

        return count;
    }

    private static (double X, double Y) Middle(Picture picture)
    {
        var dark = Enumerable.Range(0, 64 * 64).Where(at => picture.Pixels[at * 3] < 235).ToList();
        return dark.Count == 0 ? (32, 32) : (dark.Average(at => at % 64), dark.Average(at => at / 64));
    }

    private static string? ColourSeen(Picture picture)
    {
        var planes = new byte[4 * 64 * 64];
        for (var at = 0; at < 64 * 64; at++)
        {
            for (var channel = 0; channel < 3; channel++)
            {
                planes[at + (channel * 64 * 64)] = picture.Pixels[(at * 3) + channel];
            }

            planes[at + (3 * 64 * 64)] = (byte)(picture.Pixels.AsSpan(at * 3, 3).IndexOfAnyInRange((byte)0, (byte)235) >= 0 ? 255 : 0);
        }

        return MainColour.Measure(planes);
    }

    private static double Pitch(AudioClip clip)
    {
        var samples = clip.Channels[0][1_000..^1_000];
        var rising = Enumerable.Range(1, samples.Length - 1).Where(at => samples[at - 1] < 0 && samples[at] >= 0).ToList();
        return (rising.Count - 1) * (double)clip.SampleRateHz / (rising[^1] - rising[0]);
    }

    private static double Likeness(float[] part, float[] whole)
    {
        var length = Math.Min(part.Length, whole.Length);
        double dot = 0, first = 1e-9, second = 1e-9;
        for (var at = 0; at < length; at++)
        {
            dot += part[at] * whole[at];
            first += part[at] * part[at];
            second += whole[at] * whole[at];
        }

        return dot / Math.Sqrt(first * second);
    }
}
