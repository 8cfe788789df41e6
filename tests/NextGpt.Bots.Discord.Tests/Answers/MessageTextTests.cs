using NextGpt.Bots.Discord.Answers;

namespace NextGpt.Bots.Discord.Tests.Answers;

public sealed class MessageTextTests
{
    [Fact]
    public void M1_text_is_cut_at_paragraphs_then_lines_then_words()
    {
        Assert.Equal(["first part", "second"], MessageText.Split("first part\n\nsecond", 16));
        Assert.Equal(["first part", "second"], MessageText.Split("first part\nsecond", 16));
        Assert.Equal(["first part", "second"], MessageText.Split("first part second", 16));
        Assert.Equal(["short"], MessageText.Split("short", 16));
    }

    [Fact]
    public void M1_a_code_block_is_closed_and_opened_again_in_its_language()
    {
        var pieces = MessageText.Split("```cs\n" + string.Join('\n', Enumerable.Range(0, 50).Select(i => $"line {i};")) + "\n```\nend", 120);

        Assert.True(pieces.Count > 3);
        Assert.All(pieces, piece => Assert.True(piece.Length <= 120 && piece.Split("```").Length % 2 == 1, piece));
        Assert.All(pieces.SkipLast(1), piece => Assert.StartsWith("```cs\n", piece, StringComparison.Ordinal));
        Assert.All(Enumerable.Range(0, 50), i => Assert.Single(pieces, piece => piece.Contains($"line {i};", StringComparison.Ordinal)));
    }

    [Fact]
    public void M1_no_pair_of_surrogates_no_mention_and_no_row_of_backticks_is_torn()
    {
        for (var before = 0; before < 40; before++)
        {
            foreach (var thing in (string[])["😀", "<@123456789012345678>", "<:smile:123456789>", "👩‍👩‍👧"])
            {
                var pieces = MessageText.Split(new string('x', before) + thing + new string('y', 60), 60);
                Assert.Single(pieces, piece => piece.Contains(thing, StringComparison.Ordinal));
            }
        }
    }

    [Fact]
    public void M1_whatever_the_text_every_message_fits_and_cutting_ends()
    {
        var cases = int.TryParse(Environment.GetEnvironmentVariable("NEXTGPT_FUZZ_CASES"), out var set) ? set : 500;
        var random = new Random(20260801);
        string[] bits = ["```", "`", "\n", "\n\n", " ", "<@12>", "😀", "word", "```py\n", "<", ">", "\u200D", "||", new string('z', 30)];
        for (var i = 0; i < cases; i++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(1, 200)).Select(_ => bits[random.Next(bits.Length)]));
            var pieces = MessageText.Split(text, 100);

            Assert.All(pieces, piece => Assert.InRange(piece.Length, 0, 100));
            Assert.True(pieces.Count < 20 + (text.Length / 20), $"{pieces.Count} pieces of {text.Length} characters");
            Assert.Equal(Letters(text), Letters(string.Concat(pieces)));
        }

        static int Letters(string text) => text.Count(letter => letter == 'z');   // other letters may be a language, said again
    }
}
