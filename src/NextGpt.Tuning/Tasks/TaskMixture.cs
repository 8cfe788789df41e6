using NextGpt.Tuning.Data;
using NextGpt.Tuning.Talk;

namespace NextGpt.Tuning.Tasks;

/// <summary>All tasks in their proportions; a sample is a function of seed and place, so that a resumed run goes on where it was.</summary>
/// <remarks>Everyday talk is about a quarter. Thread-safe.</remarks>
/// <param name="world">What samples are made of.</param>
/// <param name="seed">The same seed makes the same samples.</param>
public sealed class TaskMixture(WorldData world, int seed)
{
    private static readonly TaskFamily[] Families =
        [.. MakingTasks.Families, .. NamingTasks.Families, .. CrossingTasks.Families, .. GroupTasks.Families, .. UnknownTasks.Families, .. WordTasks.Families];

    private readonly WorldPool _pool = new(world);

    /// <summary>Names of all tasks with their shares, which sum to 1.</summary>
    public static IReadOnlyDictionary<string, double> Shares { get; } =
        Families.ToDictionary(family => family.Name, family => family.Weight / Families.Sum(other => other.Weight), StringComparer.Ordinal);

    /// <summary>The rows that samples are made of.</summary>
    internal WorldPool Pool => _pool;

    /// <summary>Makes the media of samples.</summary>
    public WorldStudio Studio => _pool.Studio;

    /// <summary>The sample at a place, for training.</summary>
    /// <param name="place">0 and up; as many as are wanted.</param>
    /// <param name="task">One of <see cref="Shares"/>, or null for the mixture.</param>
    public InstructionSample ForTraining(long place, string? task = null) => At(place, testing: false, task);

    /// <summary>The sample at a place, in words and of rows that no training sees.</summary>
    /// <param name="place">0 and up.</param>
    /// <param name="task">One of <see cref="Shares"/>, or null for the mixture.</param>
    public InstructionSample ForTesting(long place, string? task = null) => At(place, testing: true, task);

    /// <summary>Requests to see whether a model answers with the media that are wanted: every task in turn, in held-out wordings.</summary>
    /// <param name="count">How many; the goal counts 300.</param>
    public IReadOnlyList<InstructionSample> Switching(int count = 300) =>
        [.. Enumerable.Range(0, count).Select(place => ForTesting(place, Families[place % Families.Length].Name))];

    private InstructionSample At(long place, bool testing, string? task)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(place);
        var draw = new TaskDraw(_pool, new TalkDraw(Address(place, testing), testing));
        for (var attempt = 0; attempt < 200; attempt++)
        {
            var family = task is null ? Pick(draw.Talk.Number(0, 999_999) / 1e6) : Array.Find(Families, family => family.Name == task)
                ?? throw new ArgumentException($"There is no task {task}; there are {string.Join(", ", Shares.Keys)}.", nameof(task));
            // A family whose draw does not fit is tried again before another is picked, so that shares hold.
            for (var again = 0; again < 40; again++)
            {
                if (family.Make(draw) is { } sample)
                {
                    return sample;
                }
            }
        }

        throw new InvalidDataException($"The world in {_pool.World.Folder} has nothing for the task {task ?? "of any kind"}; it lacks pictures, sounds or clips.");
    }

    private static TaskFamily Pick(double chance)
    {
        foreach (var family in Families)
        {
            chance -= Shares[family.Name];
            if (chance < 0)
            {
                return family;
            }
        }

        return Families[^1];
    }

    // SplitMix64 (Steele et al. 2014): neighbouring places get unrelated seeds.
    private int Address(long place, bool testing)
    {
        var mixed = ((ulong)seed * 0x9E3779B97F4A7C15) + (((ulong)place + 1) * 0xBF58476D1CE4E5B9) + (testing ? 0x632BE59BD9B4E019UL : 0UL);
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        return (int)((mixed ^ (mixed >> 31)) & int.MaxValue);
    }
}
