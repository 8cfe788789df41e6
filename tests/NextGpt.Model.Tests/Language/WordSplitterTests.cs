using NextGpt.Model.Language;

namespace NextGpt.Model.Tests.Language;

public sealed class WordSplitterTests
{
    [Theory]
    [InlineData("go 𝐀𝐁c", "go| 𝐀𝐁c")]        // letters beyond the basic plane are letters
    [InlineData("a𝟏𝟐 b", "a|𝟏𝟐| b")]          // and so are digits
    [InlineData("hi 🐶🚗!", "hi| 🐶🚗!")]
    [InlineData("x  y", "x| | y")]
    public void Gpt2_words_count_characters_not_units(string text, string words) =>
        Assert.Equal(words, Split(WordSplitter.Gpt2, text));

    [Theory]
    [InlineData("in 2024", "in| |2|0|2|4")]
    [InlineData("½ cup", "½| cup")]
    public void SmolLM2_words_hold_digits_alone(string text, string words) =>
        Assert.Equal(words, Split(WordSplitter.DigitsThenGpt2, text));

    [Theory]
    [InlineData("🐶dog 12345", "🐶dog| |123|45")]   // one symbol may lead a word: one character, two units
    [InlineData("I'S a\r\n\r\nb", "I|'S| a|\r\n\r\n|b")]
    [InlineData("it'ſ", "it|'ſ")]
    public void Llama3_words(string text, string words) => Assert.Equal(words, Split(WordSplitter.Llama3, text));

    [Fact]
    public void A_pattern_that_is_not_understood_is_refused_by_name()
    {
        var failure = Assert.Throws<InvalidDataException>(() => WordSplitter.FromPattern("(unclosed"));

        Assert.Contains("(unclosed", failure.Message, StringComparison.Ordinal);
    }

    private static string Split(WordSplitter splitter, string text) =>
        string.Join('|', splitter.Split(text).Select(word => text[word]));
}
