using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using NextGpt.Bots.Teams.Tests.Bot;

namespace NextGpt.Bots.Teams.Tests.Durability;

/// <summary>
/// 200 conversations at once against the service in this process, on the real clock, with a model that answers after a fixed
/// time: 3 s long, with NEXTGPT_DURABILITY=long 10 minutes. Writes figures; no answer may be lost, doubled or out of order.
/// </summary>
public sealed class LoadTests(ITestOutputHelper output)
{
    private const int Conversations = 200;

    [Fact]
    public async Task DUR_7_QUE_1_two_hundred_conversations_are_answered_each_once_in_order()
    {
        var isLong = Environment.GetEnvironmentVariable("NEXTGPT_DURABILITY") == "long";
        var length = isLong ? TimeSpan.FromMinutes(10) : TimeSpan.FromSeconds(3);
        await using var world = await TeamsWorld.StartAsync(
            settings: new()
            {
                ["NextGpt:Turns:MaxPerGroup"] = "1000",
                ["NextGpt:Turns:MaxWaiting"] = "1000",
            },
            model: new FixedDelay(TimeSpan.FromMilliseconds(2)), onRealClock: true);
        world.Service.Records = false;
        var answers = new ConcurrentDictionary<string, TaskCompletionSource<long>>(StringComparer.Ordinal);
        var doubled = 0;
        var strange = 0;
        world.Service.Rule = (call, _) =>
        {
            if (call.IsMessage)
            {
                var text = call.Text.Split('.')[0];
                if (!answers.TryGetValue(text, out var waiting))
                {
                    Interlocked.Increment(ref strange);
                }
                else if (!waiting.TrySetResult(Stopwatch.GetTimestamp()))
                {
                    Interlocked.Increment(ref doubled);
                }
            }

            return Task.FromResult<HttpResponseMessage?>(null);
        };

        var begun = Stopwatch.GetTimestamp();
        var waits = new ConcurrentBag<double>();
        var asked = 0;
        var memory = new ConcurrentDictionary<int, long>();
        using var watch = new Timer(
            _ => memory.TryAdd((int)Stopwatch.GetElapsedTime(begun).TotalMinutes, Environment.WorkingSet >> 20), null,
            TimeSpan.Zero, TimeSpan.FromSeconds(30));
        await Task.WhenAll(Enumerable.Range(0, Conversations).Select(i => ConverseAsync(i)));
        await Task.Delay(TimeSpan.FromMilliseconds(500), TestContext.Current.CancellationToken);   // for what comes twice

        var sorted = waits.Order().ToList();
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{asked} questions, {sorted.Count} answers, {doubled} doubled, {strange} strange; "
            + $"p50 {sorted[sorted.Count / 2]:0} ms, p95 {sorted[sorted.Count * 95 / 100]:0} ms; "
            + $"MiB by minute: {string.Join(", ", memory.OrderBy(at => at.Key).Select(at => $"{at.Key}: {at.Value}"))}"));
        Assert.Equal((asked, 0, 0), (sorted.Count, doubled, strange));
        Assert.True(asked >= Conversations);
        if (isLong)
        {
            // Arrivals are remembered for ten minutes and conversations for an hour: it rises, and ever more slowly.
            Assert.True(memory[9] - memory[5] < memory[5] - memory[1] + 20, "memory goes on rising");
        }

        async Task ConverseAsync(int i)
        {
            for (var turn = 0; turn == 0 || Stopwatch.GetElapsedTime(begun) < length; turn++)
            {
                var question = string.Create(CultureInfo.InvariantCulture, $"Q{i}-{turn}");
                var answered = answers[$"Answer to {question}"] = new TaskCompletionSource<long>(
                    TaskCreationOptions.RunContinuationsAsynchronously);
                var activity = world.Activity("message", i % 4 == 0 ? "groupChat" : "personal", $"p{i}").With("text", question);
                activity["conversation"]!["id"] = $"c-{i}";
                Interlocked.Increment(ref asked);
                var sent = Stopwatch.GetTimestamp();
                using (var taken = await world.PostAsync(activity, Token()))
                {
                    Assert.Equal(202, (int)taken.StatusCode);
                }

                // The next is asked when this one is answered: a lost answer ends the test here.
                var at = await answered.Task.WaitAsync(TimeSpan.FromMinutes(2));
                waits.Add(Stopwatch.GetElapsedTime(sent, at).TotalMilliseconds);
                answers.TryRemove($"Answer to {question}", out _);
                await Task.Delay(TimeSpan.FromMilliseconds(200 + (i * 7 % 300)), TestContext.Current.CancellationToken);
            }
        }

        string Token() => world.Issuer.Token();
    }

    private sealed class FixedDelay(TimeSpan delay) : IChatClient
    {
        public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null,
            [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            var question = messages.Last().Text;
            await Task.Delay(delay, cancellationToken);
            yield return new ChatResponseUpdate(ChatRole.Assistant, $"Answer to {question}.") { ModelId = "fixed" };
            yield return new ChatResponseUpdate(ChatRole.Assistant, (IList<AIContent>)[])
            {
                ModelId = "fixed",
                FinishReason = ChatFinishReason.Stop,
            };
        }

        public Task<ChatResponse> GetResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
            GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }
}
