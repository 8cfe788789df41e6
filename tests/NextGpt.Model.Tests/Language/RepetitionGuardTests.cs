using NextGpt.Model.Language;

namespace NextGpt.Model.Tests.Language;

public sealed class RepetitionGuardTests
{
    private static readonly ITokenizer Tokenizer = TokenizerGolden.ByteBpe("gpt2");

    public static TheoryData<string, string> Loops => new()
    {
        { "a sentence", Repeat("They'd sail the ship to the island, and the crew would find a ship. ", 12) },
        { "a word", Repeat(" no", 120) },
        { "a paragraph after an answer", "The capital of France is Paris.\n" + Repeat(
            "It is a city on a river.\nIt has many bridges and a tower.\n", 10) },
        { "white space", Repeat("\n", 200) },
    };

    public static TheoryData<string, string> Legitimate => new()
    {
        { "counting", string.Join(", ", Enumerable.Range(1, 200)) },
        { "a list of one form", string.Join('\n', Enumerable.Range(1, 60).Select(i => $"{i}. Fish: Fish live in the sea.")) },
        { "bottles on a wall", string.Join('\n', Enumerable.Range(0, 30).Select(i =>
            $"{99 - i} bottles of beer on the wall, {99 - i} bottles of beer.\nTake one down and pass it around,")) },
        { "a refrain between verses", string.Join('\n', "river bank stone cloud".Split(' ').Select(verse =>
            $"I saw a {verse} that shone so bright.\nRow, row, row your boat, gently down the stream.\nMerrily, merrily,"
            + " merrily, merrily, life is but a dream.\n")) },
        { "a song sung three times", Repeat(
            "Row, row, row your boat, gently down the stream.\nMerrily, merrily, merrily, merrily, life is but a dream.\n", 3) },
        { "a ruled line and a table", "| a | b | c | d |\n|---|---|---|---|\n" + new string('-', 80) + "\n| 1 | 2 | 3 | 4 |" },
        { "laughter", Repeat("ha ", 30) },
        { "code with closing braces", Repeat("        }\n", 6) },
    };

    [Theory]
    [MemberData(nameof(Loops))]
    public void A_passage_without_end_is_noticed_within_a_few_copies(string what, string text)
    {
        Assert.True(TokensUntilStopped(text) is { } stopped && stopped <= 400, what);
    }

    [Theory]
    [MemberData(nameof(Legitimate))]
    public void Lists_poems_and_rules_are_left_alone(string what, string text)
    {
        Assert.True(TokensUntilStopped(text) is null, what);
    }

    private static int? TokensUntilStopped(string text)
    {
        var guard = new RepetitionGuard();
        var count = 0;
        foreach (var token in Tokenizer.Encode(text, SpecialTokens.AsText))
        {
            count++;
            if (guard.Loops(token))
            {
                return count;
            }
        }

        return null;
    }

    private static string Repeat(string text, int times) => string.Concat(Enumerable.Repeat(text, times));
}
