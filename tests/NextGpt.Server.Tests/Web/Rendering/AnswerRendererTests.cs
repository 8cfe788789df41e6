using AngleSharp.Dom;
using AngleSharp.Html.Parser;
using NextGpt.Server.Web.Rendering;

namespace NextGpt.Server.Tests.Web.Rendering;

/// <summary>A model's Markdown becomes markup that loads nothing and runs nothing (WEB-6, THR-2).</summary>
public sealed class AnswerRendererTests
{
    private static readonly string[] Elements =
    [
        "p", "br", "hr", "strong", "em", "del", "code", "pre", "blockquote", "ul", "ol", "li", "h3", "div", "span", "table",
        "thead", "tbody", "tr", "th", "td", "a",
    ];

    private static readonly string[] Attributes = ["href", "rel", "target", "class", "start", "tabindex"];

    private readonly AnswerRenderer _renderer = new();

    public static TheoryData<string> Hostile => [.. HostileText.All];

    [Theory]
    [MemberData(nameof(Hostile))]
    [Trait("Id", "WEB-6")]
    public void Hostile_text_gives_only_listed_elements_and_attributes(string text)
    {
        var root = Parse(text);
        foreach (var element in root.QuerySelectorAll("*"))
        {
            Assert.Contains(element.LocalName, Elements);
            Assert.All(element.Attributes, attribute => Assert.Contains(attribute.Name, Attributes));
        }

        foreach (var link in root.QuerySelectorAll("a"))
        {
            Assert.Matches("^(https?://|mailto:)", link.GetAttribute("href"));
            Assert.Equal("noopener noreferrer nofollow", link.GetAttribute("rel"));
            Assert.Equal("_blank", link.GetAttribute("target"));
        }
    }

    [Theory]
    [MemberData(nameof(Hostile))]
    [Trait("Id", "WEB-6")]
    public void Hostile_text_is_as_harmless_at_every_moment_of_its_stream(string text)
    {
        var answer = new StreamedAnswer(_renderer);
        for (var length = 1; length <= text.Length; length += Math.Max(1, text.Length / 40))
        {
            foreach (var block in answer.Update(text[..length])?.Blocks ?? [])
            {
                var root = new HtmlParser().ParseDocument($"<body>{block}").Body;
                Assert.NotNull(root);
                Assert.All(root.QuerySelectorAll("*"), element => Assert.Contains(element.LocalName, Elements));
            }
        }
    }

    [Fact]
    [Trait("Id", "WEB-6")]
    public void A_link_shows_where_it_leads()
    {
        var root = Parse("See [our page](https://example.com/a?b=c) or <https://example.com/plain>.");
        Assert.Equal("See our page (https://example.com/a?b=c) or https://example.com/plain.", root.TextContent.Trim());
    }

    [Fact]
    [Trait("Id", "WEB-6")]
    public void A_link_that_pretends_to_be_another_shows_its_true_address_in_plain_letters()
    {
        // Cyrillic а in the name, and a user part that looks like a host.
        var root = Parse("[https://apple.com](https://\u0430pple.com) [bank](https://bank.example@evil.example/x)");
        var addresses = root.QuerySelectorAll("a").Select(link => link.GetAttribute("href")).ToArray();
        Assert.Equal(["https://xn--pple-43d.com/", "https://evil.example/x"], addresses);
        Assert.Contains("(https://xn--pple-43d.com/)", root.TextContent, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Id", "WEB-6")]
    public void An_image_is_named_and_never_loaded()
    {
        var root = Parse("![a cat](https://example.com/cat.png)");
        Assert.Empty(root.QuerySelectorAll("img"));
        Assert.Equal("Picture not loaded: a cat (https://example.com/cat.png)", root.TextContent.Trim());
    }

    [Fact]
    public void Ordinary_Markdown_is_shown_as_it_was_meant()
    {
        var root = Parse("# Title\n\ntext **bold** *soft* ~~gone~~ `code`\nnext line\n\n- a\n- b\n\n3. c\n\n| x | y |\n|---|---|\n| 1 | 2 |");
        Assert.Equal("Title", root.QuerySelector("h3")?.TextContent);
        Assert.NotNull(root.QuerySelector("p > br"));
        Assert.Equal(2, root.QuerySelectorAll("ul > li").Length);
        Assert.Equal("3", root.QuerySelector("ol")?.GetAttribute("start"));
        Assert.Equal("2", root.QuerySelector(".scroll td:last-child")?.TextContent);
        Assert.Equal(["bold", "soft", "gone", "code"], root.QuerySelectorAll("strong,em,del,code").Select(e => e.TextContent));
    }

    [Fact]
    public void Code_keeps_every_character()
    {
        var root = Parse("```python\nif a < b and \"c\":\n\tpass & go\n```");
        Assert.Equal("if a < b and \"c\":\n\tpass & go\n", root.QuerySelector("pre code")?.TextContent);
    }

    [Fact]
    public void Control_characters_are_shown_as_pictures()
    {
        Assert.Contains("␇␛[31m", Parse("bell \u0007\u001B[31m").TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public void A_text_nested_deeper_than_the_reader_follows_is_shown_as_it_is()
    {
        var text = new string('>', 5_000) + " x";
        Assert.Contains("x", Parse(text).TextContent, StringComparison.Ordinal);
    }

    private IElement Parse(string markdown) =>
        new HtmlParser().ParseDocument($"<body>{_renderer.Render(markdown)}").Body
        ?? throw new InvalidOperationException("A parsed document has a body.");
}
