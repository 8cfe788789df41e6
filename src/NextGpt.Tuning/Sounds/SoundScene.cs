using NextGpt.Tuning.Data;
using NextGpt.Tuning.Talk;

namespace NextGpt.Tuning.Sounds;

/// <summary>One sound of the training and the words that are true of it.</summary>
internal sealed record SoundScene
{
    /// <summary>The recordings and the change that the captions name.</summary>
    public required SoundRecipe Recipe { get; init; }

    /// <summary>Wordings.</summary>
    public required IReadOnlyList<string> Captions { get; init; }

    /// <summary>How often it is drawn, in proportion.</summary>
    public required double Weight { get; init; }

    /// <summary>A semitone up or down that no caption names: −1, 0 or 1.</summary>
    public int Semitone { get; init; }

    /// <summary>Samples before it begins.</summary>
    public int Onset { get; init; }

    /// <summary>Its loudness, 0..1 of the usual.</summary>
    public float Gain { get; init; } = 1;
}

/// <summary>Composes the sounds of the training from the recordings of the world.</summary>
internal static class SoundComposer
{
    /// <summary>Changes when composing changes, so that kept latents are made anew.</summary>
    internal const int Rules = 1;

    /// <summary>Wordings of every sound.</summary>
    internal const int Wordings = 4;

    private const double PlainShare = 0.6;
    private const double ChangedShare = 0.2;
    private const int Mixes = 2;

    private static readonly SoundChange[] Changes =
        [SoundChange.Higher, SoundChange.Lower, SoundChange.Faster, SoundChange.Slower, SoundChange.Quieter];

    /// <summary>Composes: every recording as it is, varied without a word, with each named change, and mixed with others.</summary>
    /// <param name="world">The recordings; only those for training are used.</param>
    /// <param name="variants">Variations per recording that no caption names.</param>
    /// <param name="seed">Everything random follows from it.</param>
    internal static IReadOnlyList<SoundScene> Compose(WorldData world, int variants, int seed)
    {
        var pool = new WorldPool(world);
        var draw = new TalkDraw(seed, testing: false);
        var rows = world.Of(WorldKind.Sound).Where(row => row.IsForTraining).ToList();
        var counts = rows.GroupBy(row => row.Concept, StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => group.Count(), StringComparer.Ordinal);
        var scenes = new List<SoundScene>();
        foreach (var row in rows)
        {
            // A thing with forty recordings shall not drown one with a single recording, nor be drawn as rarely.
            var weight = 1 / Math.Sqrt(counts[row.Concept]);
            var plain = Scene(SoundRules.Plain(row), weight * PlainShare / (1 + variants));
            scenes.Add(plain);
            scenes.AddRange(Enumerable.Range(0, variants).Select(_ => plain with
            {
                Semitone = draw.Number(-1, 1),
                Onset = draw.Number(0, 4_000),
                Gain = draw.Number(60, 100) / 100f,
            }));
            if (row.Seconds < 0.4)
            {
                continue;   // too short for a change to be heard
            }

            scenes.AddRange(Changes.Select(change => Scene(SoundRules.Changed(row, change), weight * ChangedShare / Changes.Length)));
            for (var mix = 0; mix < Mixes; mix++)
            {
                if (pool.One(WorldKind.Sound, draw, other => other.Concept != row.Concept && other.Seconds >= 0.4) is { } second)
                {
                    scenes.Add(Scene(
                        SoundRules.Mixed(row, second), weight * (1 - PlainShare - ChangedShare) / Mixes));
                }
            }
        }

        return scenes;
    }

    private static SoundScene Scene(Composed? composed, double weight)
    {
        var made = composed ?? throw new ArgumentNullException(nameof(composed));
        return new SoundScene { Recipe = (SoundRecipe)made.Recipe, Captions = Worded(made.Caption), Weight = weight };
    }

    private static string[] Worded(string caption)
    {
        var capital = char.ToUpperInvariant(caption[0]) + caption[1..];
        return [caption, $"the sound of {caption}", capital, $"{capital}."];
    }
}
