using NextGpt.Server.Web.Rendering;

namespace NextGpt.Server.Tests.Web.Rendering;

/// <summary>Whatever goes into a hole of a page stays text (THR-2).</summary>
public sealed class HtmlTests
{
    [Fact]
    public void A_hole_is_encoded_in_text_and_in_attributes()
    {
        const string Hostile = "\"><script>'&";
        Assert.Equal(
            "<p title=\"&quot;&gt;&lt;script&gt;&#x27;&amp;\">&quot;&gt;&lt;script&gt;&#x27;&amp;</p>",
            Html.Of($"<p title=\"{Hostile}\">{Hostile}</p>").ToString());
    }

    [Fact]
    public void Markup_in_a_hole_is_taken_as_it_is_and_nothing_is_empty()
    {
        var inner = Html.Of($"<b>{1}</b>");
        Assert.Equal("<p><b>1</b></p>", Html.Of($"<p>{inner}{Html.Empty}{(string?)null}</p>").ToString());
    }

    [Fact]
    public void Letters_of_every_script_stay_readable() =>
        Assert.Equal("Grüße, 你好, مرحبا 🙂", Html.Text("Grüße, 你好, مرحبا 🙂").ToString()
            .Replace("&#x1F642;", "🙂", StringComparison.Ordinal));

    [Theory]
    [InlineData("a\u0000b\u0007\u007F\u0085", "a␀b␇␡\uFFFD")]
    [InlineData("line\r\nnext\ttab", "line\nnext\ttab")]
    public void Control_characters_are_made_visible(string text, string visible) =>
        Assert.Equal(visible, PlainText.Visible(text));

    [Fact]
    public void Half_surrogates_are_replaced_and_whole_ones_stay() => Assert.Equal(
        "\uD83D\uDE42 \uFFFD x \uFFFD", PlainText.Visible("\uD83D\uDE42 \uD83D x \uDE42"));

    [Theory]
    [InlineData("short", "short")]
    [InlineData("  two \n lines ", "two lines")]
    [InlineData("a sentence that is a good deal longer", "a sentence that is…")]
    [InlineData("onewordthatislongerthanallowed", "onewordthatislonger…")]
    public void A_title_is_the_first_words_on_one_line(string text, string title) =>
        Assert.Equal(title, PlainText.FirstWords(text, 20));
}
