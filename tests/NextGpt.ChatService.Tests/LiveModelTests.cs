using System.Diagnostics;
using Microsoft.Extensions.AI;
using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.ChatCompletion;

namespace NextGpt.ChatService.Tests;

/// <summary>These tests measure the toy network's queue and memory, so nothing else runs beside them.</summary>
[CollectionDefinition(nameof(LiveModelTests), DisableParallelization = true)]
public sealed class LiveModelTestGroup;

/// <summary>Cases of the contract that need a network and its thread: order, seeds, leaving, memory.</summary>
[Collection(nameof(LiveModelTests))]
public sealed class LiveModelTests(ToyNetwork toy) : IClassFixture<ToyNetwork>
{
    [Fact]
    public async Task Case_09_requests_are_answered_in_order_and_a_full_queue_throws_at_once()
    {
        using var leave = new CancellationTokenSource();
        await using var busy = toy.Client.GetStreamingResponseAsync("Talk on.", Endless(), leave.Token)
            .GetAsyncEnumerator(CancellationToken.None);
        Assert.True(await busy.MoveNextAsync());   // the model is at work, the queue is empty

        List<int> order = [];
        var waiting = Enumerable.Range(0, ToyNetwork.QueuedRequests).Select(AskAsync).ToList();
        Assert.Equal(ToyNetwork.QueuedRequests, toy.Thread.QueuedRequests);

        var clock = Stopwatch.StartNew();
        var refused = await Assert.ThrowsAsync<ChatRefusedException>(() => toy.Client.GetResponseAsync("Me too."));
        Assert.Equal(ChatRefusal.Busy, refused.Refusal);
        Assert.Contains($"{ToyNetwork.QueuedRequests} requests are waiting", refused.Message, StringComparison.Ordinal);
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(1));
        Assert.Empty(order);

        await leave.CancelAsync();
        await Task.WhenAll(waiting);

        // Readers wake up on the thread pool: two that the model served one after the other may note it the other way round.
        Assert.Equal(ToyNetwork.QueuedRequests, order.Distinct().Count());
        Assert.All(order, (number, place) => Assert.InRange(number, place - 2, place + 2));

        async Task AskAsync(int number)
        {
            await foreach (var update in toy.Client.GetStreamingResponseAsync("Hi", new ChatOptions { MaxOutputTokens = 8 }))
            {
                if (update.FinishReason is not null)
                {
                    lock (order)
                    {
                        order.Add(number);
                    }
                }
            }
        }
    }

    [Fact]
    public async Task Case_30_temperature_zero_is_deterministic_and_a_seed_repeats()
    {
        Assert.Equal(await TellAsync(0, null), await TellAsync(0, null));
        Assert.Equal(await TellAsync(1.2, 3), await TellAsync(1.2, 3));
        Assert.NotEqual(await TellAsync(1.2, 3), await TellAsync(1.2, 4));

        // The seed that was drawn gives the same answer again.
        var drawn = await AskAsync(1.2, null);
        Assert.Equal(drawn.Content, await TellAsync(1.2, (long)drawn.Metadata!["Seed"]!));

        async Task<string?> TellAsync(double temperature, long? seed) => (await AskAsync(temperature, seed)).Content;

        Task<ChatMessageContent> AskAsync(double temperature, long? seed) => toy.Service.GetChatMessageContentAsync(
            "Tell me a story.",
            new NextGptPromptExecutionSettings { MaxTokens = 24, Temperature = temperature, Seed = seed });
    }

    [Fact]
    public async Task Case_38_the_joined_stream_equals_the_whole_answer()
    {
        var options = new ChatOptions { Seed = 8, MaxOutputTokens = 64 };
        var updates = await ToyChat.CollectAsync(toy.Client.GetStreamingResponseAsync("Tell me a story.", options));
        var joined = updates.ToChatResponse();
        var whole = await toy.Client.GetResponseAsync("Tell me a story.", options);

        Assert.True(updates.Count > 10);
        Assert.Equal(whole.Text, joined.Text);
        Assert.Equal(whole.Usage!.TotalTokenCount, joined.Usage!.TotalTokenCount);
        Assert.Equal(whole.FinishReason, joined.FinishReason);
    }

    [Fact]
    public async Task Case_26_a_history_that_does_not_fit_keeps_the_system_text_and_says_how_much_was_left_out()
    {
        var history = new ChatHistory("Be brief.");
        for (var i = 0; i < 40; i++)
        {
            history.AddUserMessage($"This is question number {i} of a conversation that is far too long to fit.");
            history.AddAssistantMessage($"And this is answer number {i}, which is no shorter than the question was.");
        }

        history.AddUserMessage("And now?");
        var count = history.Count;

        var answer = await toy.Service.GetChatMessageContentAsync(
            history, new NextGptPromptExecutionSettings { MaxTokens = 4 });

        Assert.InRange((int)answer.Metadata!["TruncatedMessages"]!, 1, count - 2);
        Assert.InRange(((UsageDetails)answer.Metadata!["Usage"]!).InputTokenCount!.Value, 1_000, 2_048);
        Assert.Equal(count, history.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Case_42_a_cancelled_call_frees_the_model_within_a_step(bool streaming)
    {
        using var cancellation = new CancellationTokenSource();
        if (streaming)
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
            {
                await foreach (var update in toy.Client.GetStreamingResponseAsync("Talk on.", Endless(), cancellation.Token))
                {
                    await cancellation.CancelAsync();
                }
            });
        }
        else
        {
            var whole = toy.Client.GetResponseAsync("Talk on.", Endless(), cancellation.Token);
            await cancellation.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => whole);
        }

        await AssertFreeAsync();
    }

    [Fact]
    public async Task Case_43_a_reader_who_leaves_frees_the_model_within_a_step()
    {
        await foreach (var update in toy.Client.GetStreamingResponseAsync("Talk on.", Endless()))
        {
            break;
        }

        await AssertFreeAsync();
    }

    [Fact]
    public async Task Case_67_two_hundred_mixed_turns_leave_the_memory_flat()
    {
        using var process = Process.GetCurrentProcess();
        await TurnsAsync(60);
        var before = MemoryMegabytes();

        await TurnsAsync(200);

        Assert.InRange(MemoryMegabytes() - before, -1_000, 32);
        Assert.Equal(0, toy.Thread.QueuedRequests);

        long MemoryMegabytes()
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            GC.Collect();
            process.Refresh();
            return process.WorkingSet64 / 1_048_576;
        }
    }

    /// <summary>An answer of 1,500 tokens takes seconds; a model that is free answers a short one at once.</summary>
    private async Task AssertFreeAsync()
    {
        var clock = Stopwatch.StartNew();
        await toy.Client.GetResponseAsync("Hi", new ChatOptions { MaxOutputTokens = 1 });
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(1));
        Assert.Equal(0, toy.Thread.QueuedRequests);
    }

    private async Task TurnsAsync(int count)
    {
        for (var i = 0; i < count; i++)
        {
            var options = new ChatOptions { Seed = i, MaxOutputTokens = 8, ConversationId = $"c-{i % 7}" };
            switch (i % 5)
            {
                case 0:
                    await toy.Client.GetResponseAsync("Hi", options);
                    break;
                case 1:
                    await ToyChat.CollectAsync(toy.Client.GetStreamingResponseAsync("Hi", options));
                    break;
                case 2:
                    await foreach (var update in toy.Client.GetStreamingResponseAsync("Hi", options))
                    {
                        break;
                    }

                    break;
                case 3:
                    await toy.Kernel.InvokePromptAsync(
                        "Hi", new(new NextGptPromptExecutionSettings { MaxTokens = 8, ConversationKey = $"c-{i % 7}" }));
                    break;
                default:
                    await Assert.ThrowsAsync<ChatRefusedException>(() => toy.Client.GetResponseAsync(
                        "Hi", new ChatOptions { AdditionalProperties = new() { ["adapter"] = "none such" } }));
                    break;
            }
        }
    }

    private static ChatOptions Endless() => new() { Temperature = 1.5f, Seed = 1, MaxOutputTokens = 1_500 };
}
