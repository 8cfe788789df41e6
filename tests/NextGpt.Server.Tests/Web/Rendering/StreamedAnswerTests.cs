using NextGpt.Server.Web.Rendering;

namespace NextGpt.Server.Tests.Web.Rendering;

/// <summary>An answer that grows is shown without flicker: what stood stays, half marks are not seen (WEB-6).</summary>
public sealed class StreamedAnswerTests
{
    private const string Sample = """
        Intro **bold words** and `some code`:

        - first item
        - second *item* with [a link](https://example.com/x)

        1. one
        2. two

        ## A heading

        | a | b |
        |---|---|
        | 1 | 2 |

        ```python
        def f(x):
            return [x] * 2
        ```

        The sum is 40 + 2 = 42.
        """;

    [Fact]
    public void What_was_streamed_ends_as_what_is_rendered_at_once()
    {
        var renderer = new AnswerRenderer();
        var answer = new StreamedAnswer(renderer);
        var shown = new List<string>();
        for (var length = 1; length <= Sample.Length; length++)
        {
            if (answer.Update(Sample[..length]) is { } change)
            {
                shown.RemoveRange(change.From, shown.Count - change.From);
                shown.AddRange(change.Blocks);
                Assert.Equal(change.Count, shown.Count);
            }
        }

        Assert.Equal(renderer.ToRawBlocks(Sample).Select(block => renderer.Sanitise(block).ToString()), shown);
    }

    [Fact]
    public void Blocks_that_are_complete_are_sent_once()
    {
        var answer = new StreamedAnswer(new AnswerRenderer());
        var sent = 0;
        for (var length = 1; length <= Sample.Length; length++)
        {
            sent += answer.Update(Sample[..length]) is { From: 0 } ? 1 : 0;
        }

        // Only while the first line grew; never again while the rest came.
        Assert.InRange(sent, 1, Sample.IndexOf('\n', StringComparison.Ordinal) + 2);
    }

    [Fact]
    public void No_half_mark_and_no_passing_heading_is_ever_seen()
    {
        var renderer = new AnswerRenderer();
        for (var length = 1; length <= Sample.Length; length++)
        {
            var settled = MarkdownTail.Settle(Sample[..length]);
            var blocks = renderer.ToRawBlocks(settled);
            var outsideCode = string.Concat(blocks.Where(block => !block.Contains("<pre", StringComparison.Ordinal)));
            Assert.DoesNotContain("**", outsideCode, StringComparison.Ordinal);
            Assert.DoesNotContain("`", outsideCode, StringComparison.Ordinal);
            Assert.DoesNotContain("](", outsideCode, StringComparison.Ordinal);
            Assert.DoesNotContain("<h3>Intro", outsideCode, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("Intro\n-", "Intro\n")]
    [InlineData("Intro\n1", "Intro\n")]
    [InlineData("Intro\n1.", "Intro\n")]
    [InlineData("Sum: 1.", "Sum: 1.")]
    [InlineData("A **bo", "A **bo**")]
    [InlineData("A **bold*", "A **bold**")]
    [InlineData("A *", "A ")]
    [InlineData("A `co", "A `co`")]
    [InlineData("A [li", "A ")]
    [InlineData("A [link](http", "A ")]
    [InlineData("A ![pic](http", "A ")]
    [InlineData("A [link](x) b", "A [link](x) b")]
    [InlineData("An [index] b", "An [index] b")]
    [InlineData("```\ncode **x", "```\ncode **x")]
    [InlineData("```\ncode\n``", "```\ncode\n")]
    [InlineData("", "")]
    public void The_end_is_settled(string text, string settled) => Assert.Equal(settled, MarkdownTail.Settle(text));

    [Fact]
    public void A_bracket_that_never_closes_does_not_hold_the_answer_back_for_ever()
    {
        var text = "Look [" + new string('a', 400);
        Assert.Equal(text, MarkdownTail.Settle(text));
    }

    [Fact]
    public void Nothing_new_is_not_sent()
    {
        var answer = new StreamedAnswer(new AnswerRenderer());
        Assert.NotNull(answer.Update("a"));
        Assert.Null(answer.Update("a"));
    }
}
