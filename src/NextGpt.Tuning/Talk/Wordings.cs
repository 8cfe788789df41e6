using System.Globalization;

namespace NextGpt.Tuning.Talk;

/// <summary>Several ways to ask or say one thing. Every fourth is kept for testing and never drawn for training.</summary>
/// <param name="texts">Formats; <c>{0}</c> and so on are filled. At least four, so that both sides have some.</param>
public sealed class Wordings(params string[] texts)
{
    /// <summary>Those that may be trained on.</summary>
    public IReadOnlyList<string> ForTraining { get; } = [.. texts.Where((_, index) => index % 4 != 3)];

    /// <summary>Those that are only asked in tests.</summary>
    public IReadOnlyList<string> ForTesting { get; } = [.. texts.Where((_, index) => index % 4 == 3)];

    /// <summary>One of them, filled.</summary>
    /// <param name="draw">Chooses, and says which side.</param>
    /// <param name="values">For the places.</param>
    public string Say(TalkDraw draw, params object[] values)
    {
        ArgumentNullException.ThrowIfNull(draw);
        return string.Format(CultureInfo.InvariantCulture, draw.One(draw.Testing ? ForTesting : ForTraining), values);
    }
}

/// <summary>Chance, and the side of the split that is drawn from. Not thread-safe.</summary>
/// <param name="seed">The same seed draws the same.</param>
/// <param name="testing">Whether what is kept for testing is drawn, and only that.</param>
public sealed class TalkDraw(int seed, bool testing)
{
    private readonly Random _random = new(seed);

    /// <summary>Whether what is kept for testing is drawn.</summary>
    public bool Testing { get; } = testing;

    /// <summary>One of several.</summary>
    /// <param name="choices">Not empty.</param>
    public T One<T>(IReadOnlyList<T> choices)
    {
        ArgumentNullException.ThrowIfNull(choices);
        return choices[_random.Next(choices.Count)];
    }

    /// <summary>One of several that nothing has to be known about, such as names: every fourth is kept for testing.</summary>
    /// <param name="choices">At least four.</param>
    public T OneOfMySide<T>(IReadOnlyList<T> choices) => One([.. choices.Where((_, index) => index % 4 == 3 == Testing)]);

    /// <summary>Different ones of several, in random order.</summary>
    /// <param name="choices">At least <paramref name="count"/>.</param>
    /// <param name="count">How many.</param>
    public IReadOnlyList<T> Some<T>(IReadOnlyList<T> choices, int count)
    {
        T[] all = [.. choices];
        _random.Shuffle(all);
        return all[..count];
    }

    /// <summary>A whole number, both ends included.</summary>
    public int Number(int least, int most) => _random.Next(least, most + 1);

    /// <summary>True in a share of the calls.</summary>
    public bool Chance(double share) => _random.NextDouble() < share;

    /// <summary>
    /// Numbers of a sum or the like: a tenth of all pairs is kept for testing, so that a right answer in a test was worked out and
    /// not remembered.
    /// </summary>
    /// <param name="make">Makes a pair.</param>
    public (int A, int B) Pair(Func<(int A, int B)> make)
    {
        ArgumentNullException.ThrowIfNull(make);
        while (true)
        {
            var pair = make();
            if (IsForTesting(pair.A, pair.B) == Testing)
            {
                return pair;
            }
        }
    }

    /// <summary>Whether a pair of numbers is kept for testing; the order does not matter.</summary>
    public static bool IsForTesting(int a, int b) =>
        ((Math.Min(a, b) * 7_919L) + (Math.Max(a, b) * 104_729L) + 13) % 10 == 0;
}

/// <summary>A question and its answer.</summary>
/// <param name="Question">What the person says.</param>
/// <param name="Answer">What is right to say.</param>
/// <param name="Expected">What a right answer contains, whatever its wording; null where many answers are right.</param>
public sealed record TalkTurn(string Question, string Answer, string? Expected = null);

/// <summary>A short conversation to learn from or to be asked.</summary>
/// <param name="Family">What it is about, for example <c>sum</c>.</param>
/// <param name="Turns">Oldest first; the last one is what a test looks at.</param>
public sealed record Dialogue(string Family, IReadOnlyList<TalkTurn> Turns);
