using NextGpt.Conversations.Privacy;

namespace NextGpt.Conversations.Tests.Privacy;

[Trait("Product", "PRI-7")]
public sealed class SensitiveTopicFinderTests
{
    [Theory]
    [InlineData("I was told that I have asthma", SensitiveTopics.Health)]
    [InlineData("Meine Schwangerschaft macht mir Sorgen", SensitiveTopics.Health)]
    [InlineData("How do I pay off my debts?", SensitiveTopics.Finance)]
    [InlineData("I am a muslim, what may I eat?", SensitiveTopics.Belief)]
    [InlineData("I'm gay, how do I tell them", SensitiveTopics.SexLife)]
    [InlineData("My salary is small and I pray a lot", SensitiveTopics.Finance | SensitiveTopics.Belief)]
    public void Words_about_oneself_are_flagged(string text, SensitiveTopics topics) =>
        Assert.Equal(topics, SensitiveTopicFinder.Find(text));

    [Theory]
    [InlineData("What is diabetes?")]
    [InlineData("Explain how a mortgage works. I like birds.")]
    [InlineData("Which religions are there in India?")]
    [InlineData("Draw me a heron in the rain")]
    [InlineData("The sexton rang the bell")]
    public void Questions_about_the_world_are_not(string text) =>
        Assert.Equal(SensitiveTopics.None, SensitiveTopicFinder.Find(text));
}
