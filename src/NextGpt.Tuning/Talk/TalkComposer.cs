namespace NextGpt.Tuning.Talk;

/// <summary>Makes conversations out of the families of everyday talk.</summary>
public static class TalkComposer
{
    private const double MemoryShare = 0.3;
    private const double AloneShare = 0.55;

    /// <summary>Names of all families.</summary>
    public static IReadOnlyList<string> Families { get; } =
        [.. TalkFamily.All.Select(family => family.Name), .. MemoryTalk.Names.Select(name => "recall " + name)];

    /// <summary>Conversations for training.</summary>
    /// <param name="count">How many.</param>
    /// <param name="seed">The same seed makes the same.</param>
    public static IReadOnlyList<Dialogue> ForTraining(int count, int seed)
    {
        var draw = new TalkDraw(seed, testing: false);
        return [.. Enumerable.Range(0, count).Select(_ => Make(draw))];
    }

    /// <summary>
    /// Questions for a test, as many of every family: other wordings, other numbers and other names than any training saw;
    /// a third asks for what was said five turns before.
    /// </summary>
    /// <param name="count">How many.</param>
    /// <param name="seed">The same seed makes the same.</param>
    public static IReadOnlyList<Dialogue> ForTesting(int count, int seed)
    {
        var draw = new TalkDraw(seed, testing: true);
        var single = TalkFamily.All;
        return [.. Enumerable.Range(0, count).Select(index => index % 3 == 2
            ? MemoryTalk.Make(draw, between: 4)
            : new Dialogue(single[(index - (index / 3)) % single.Count].Name, [single[(index - (index / 3)) % single.Count].Make(draw)]))];
    }

    private static Dialogue Make(TalkDraw draw)
    {
        if (draw.Chance(MemoryShare))
        {
            return MemoryTalk.Make(draw);
        }

        var turns = draw.Chance(AloneShare) ? 1 : draw.Number(2, 4);
        var families = Enumerable.Range(0, turns).Select(_ => draw.One(TalkFamily.All)).ToList();
        return new Dialogue(families[^1].Name, [.. families.Select(family => family.Make(draw))]);
    }
}
