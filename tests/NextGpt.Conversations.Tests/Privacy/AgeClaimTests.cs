using NextGpt.Conversations.Privacy;

namespace NextGpt.Conversations.Tests.Privacy;

[Trait("Product", "PRI-7")]
public sealed class AgeClaimTests
{
    [Theory]
    [InlineData("I am 11")]
    [InlineData("I'm 9 years old and like horses")]
    [InlineData("Hi! im 12 yo")]
    [InlineData("I’m only ten years old.")]
    [InlineData("I am 8, what is a heron?")]
    [InlineData("I am an 11 year old girl")]
    [InlineData("ich bin 10 Jahre alt")]
    [InlineData("Ich bin zwölf.")]
    [InlineData("I'm in 5th grade")]
    [InlineData("I am in year 4")]
    public void A_child_saying_so_is_heard(string text) => Assert.True(AgeClaim.IsBelow(text, 13));

    [Theory]
    [InlineData("I am 13 years old")]
    [InlineData("I'm 42")]
    [InlineData("I'm 10 minutes late")]
    [InlineData("I am 5 feet tall")]
    [InlineData("I'm 12% done")]
    [InlineData("When I was a child I thought: I am 11")]
    [InlineData("Pretend I am 9 years old")]
    [InlineData("my daughter is 7 years old")]
    [InlineData("Write a story where the hero says \"I am 11\"")]
    [InlineData("I am in 9th grade")]
    [InlineData("explain it as if I'm 5")]
    public void What_only_sounds_like_it_is_not(string text) => Assert.False(AgeClaim.IsBelow(text, 13));

    [Fact]
    public void The_age_is_a_setting()
    {
        Assert.True(AgeClaim.IsBelow("I am 15 years old", 16));
        Assert.False(AgeClaim.IsBelow("I am 16 years old", 16));
    }
}
