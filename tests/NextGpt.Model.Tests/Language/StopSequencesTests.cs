using NextGpt.Model.Language;

namespace NextGpt.Model.Tests.Language;

public sealed class StopSequencesTests
{
    [Fact]
    public void Text_ends_before_the_first_stop_sequence_however_it_is_cut()
    {
        const string Whole = "one two STOP three END";
        var random = new Random(9);
        for (var round = 0; round < 100; round++)
        {
            var stops = new StopSequences(["END", "STOP"]);
            var shown = "";
            for (var at = 0; at < Whole.Length && !stops.Found;)
            {
                var length = Math.Min(random.Next(1, 6), Whole.Length - at);
                shown += stops.Add(Whole.Substring(at, length));
                at += length;
            }

            Assert.True(stops.Found);
            Assert.Equal("one two ", shown + stops.End());
        }
    }

    [Fact]
    public void A_begin_is_held_back_and_given_when_it_is_none()
    {
        var stops = new StopSequences(["\n###"]);

        Assert.Equal("a", stops.Add("a\n#"));
        Assert.Equal("\n# b", stops.Add(" b"));
        Assert.Equal("", stops.Add("\n##"));
        Assert.Equal("\n##", stops.End());
    }

    [Fact]
    public void A_begin_within_a_begin_is_not_lost()
    {
        var stops = new StopSequences(["aab"]);

        Assert.Equal("aa", stops.Add("aaaa"));
        Assert.Equal("", stops.Add("b!"));
        Assert.True(stops.Found);
    }

    [Fact]
    public void Without_stop_sequences_nothing_is_held_back()
    {
        Assert.Equal("text", new StopSequences([]).Add("text"));
    }

    [Theory]
    [InlineData(0, "A stop sequence has 0 characters, 1 to 256 are allowed; change or leave it out.")]
    [InlineData(257, "A stop sequence has 257 characters, 1 to 256 are allowed; change or leave it out.")]
    public void An_empty_or_overlong_one_is_refused(int length, string sentence)
    {
        var refusal = Assert.Throws<GenerationRefusedException>(() => StopSequences.Check([new string('x', length)]));

        Assert.Equal(sentence, refusal.Message);
    }

    [Fact]
    public void Too_many_are_refused()
    {
        Assert.Throws<GenerationRefusedException>(() => StopSequences.Check([.. Enumerable.Repeat("x", 17)]));
        StopSequences.Check([.. Enumerable.Repeat("x", 16)]);
    }
}
