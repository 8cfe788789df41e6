using Microsoft.Extensions.AI;
using Microsoft.SemanticKernel;

namespace NextGpt.ChatService.Tests;

/// <summary>Cases of the contract that need words: the embedded model answers.</summary>
public sealed class EmbeddedModelTests(EmbeddedModel embedded) : IClassFixture<EmbeddedModel>
{
    private const string Capital = "What is the capital of France?";

    [Fact]
    public async Task Case_30_a_token_limit_and_a_stop_sequence_end_the_answer()
    {
        var whole = await embedded.Client.GetResponseAsync(Capital, Greedy(24));
        Assert.Equal("The capital of France is Paris.", whole.Text);
        Assert.Equal(ChatFinishReason.Stop, whole.FinishReason);
        Assert.Equal("SmolLM2-135M-Instruct.Q4_1", whole.ModelId);

        var cut = await embedded.Client.GetResponseAsync(Capital, Greedy(3));
        Assert.Equal("The capital of", cut.Text);
        Assert.Equal(3, cut.Usage!.OutputTokenCount);
        Assert.Equal(ChatFinishReason.Length, cut.FinishReason);

        var stopping = Greedy(24);
        stopping.StopSequences = ["ance is"];
        var stopped = await embedded.Client.GetStreamingResponseAsync(Capital, stopping).ToChatResponseAsync();
        Assert.Equal("The capital of Fr", stopped.Text);
        Assert.Equal(ChatFinishReason.Stop, stopped.FinishReason);
    }

    [Theory]
    [InlineData("Repeat exactly: 🦊🦊🦊", 24)]
    [InlineData("🦊🦊🦊🦊🦊🦊", 14)]   // the limit falls inside a character
    public async Task Case_41_characters_of_several_bytes_arrive_whole(string question, int maxTokens)
    {
        var chunks = await ToyChat.CollectAsync(embedded.Kernel.InvokePromptStreamingAsync<string>(
            question, new(new NextGptPromptExecutionSettings
            {
                Temperature = 0,
                MaxTokens = maxTokens,
                ChatSystemPrompt = "You repeat what the user says.",
            })));

        Assert.Contains("🦊", string.Concat(chunks), StringComparison.Ordinal);
        Assert.All(chunks.Where(chunk => chunk.Length > 0), chunk =>
        {
            Assert.DoesNotContain('\uFFFD', chunk);
            Assert.False(char.IsLowSurrogate(chunk[0]));
            Assert.False(char.IsHighSurrogate(chunk[^1]));
        });
    }

    private static ChatOptions Greedy(int maxTokens) => new() { Temperature = 0, MaxOutputTokens = maxTokens };
}
