using System.Text.RegularExpressions;

namespace NextGpt.Host.Tests;

public sealed partial class ErrorCatalogueTests
{
    /// <summary>The table of the product, section 2.4, as far as it has been reached.</summary>
    [Theory]
    [InlineData("empty_prompt", 400)]
    [InlineData("prompt_too_long", 400)]
    [InlineData("too_many_files", 400)]
    [InlineData("invalid_request", 400)]
    [InlineData("unsupported_parameter", 400)]
    [InlineData("url_not_allowed", 400)]
    [InlineData("unsupported_media", 415)]
    [InlineData("unauthorized", 401)]
    [InlineData("forbidden", 403)]
    [InlineData("rate_limited", 429)]
    [InlineData("queue_timeout", 503)]
    [InlineData("model_loading", 503)]
    [InlineData("out_of_gpu_memory", 503)]
    [InlineData("speech_not_offered", 501)]
    [InlineData("internal", 500)]
    public void A_code_has_the_status_of_the_product(string code, int status) =>
        Assert.All(ErrorCatalogue.All.Where(entry => entry.Code == code), entry => Assert.Equal(status, entry.HttpStatus));

    [Fact]
    public void Every_entry_says_a_whole_sentence_without_holes_left_over()
    {
        Assert.All(ErrorCatalogue.All, entry =>
        {
            var holes = Holes().Matches(entry.Template).Select(match => match.Groups[1].Value).Distinct().Count();
            object?[] values = [.. Enumerable.Range(1, holes).Select(number => (object)number)];

            var error = entry.With(values);

            Assert.DoesNotContain('{', error.Sentence);
            Assert.True(holes > 0 || entry.Template.EndsWith('.'), entry.Template);
            Assert.Equal((entry.Code, entry.HttpStatus), (error.Code, error.HttpStatus));
        });
    }

    [Fact]
    public void A_reference_has_four_characters_that_are_not_mistaken_for_each_other()
    {
        var references = Enumerable.Range(0, 200).Select(_ => ErrorCatalogue.Internal.With().Reference).ToList();

        Assert.All(references, reference => Assert.Matches("^[2-9A-HJ-NP-Z]{4}$", reference));
        Assert.True(references.Distinct().Count() > 190);
    }

    [Fact]
    public void A_time_to_wait_is_whole_seconds_and_at_least_one()
    {
        Assert.Equal(TimeSpan.FromSeconds(1), ErrorCatalogue.ShuttingDown.RetryIn(TimeSpan.Zero, 1).RetryAfter);
        Assert.Equal(TimeSpan.FromSeconds(3), ErrorCatalogue.ShuttingDown.RetryIn(TimeSpan.FromSeconds(2.1), 3).RetryAfter);
    }

    [GeneratedRegex(@"\{(\d+)[^}]*\}")]
    private static partial Regex Holes();
}
