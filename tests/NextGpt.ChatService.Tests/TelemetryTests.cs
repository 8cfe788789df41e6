using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.ChatCompletion;
using NextGpt.Model;

namespace NextGpt.ChatService.Tests;

/// <summary>Decorators and telemetry: cases 63 to 66 of the connector contract, as far as text goes.</summary>
public sealed class TelemetryTests
{
    private const string Secret = "my-secret-question";

    [Fact]
    public async Task Case_63_a_cache_around_us_answers_the_second_time_without_the_model()
    {
        using var chat = ToyChat.Saying("Hi", " there.");
        using var client = chat.Client.AsBuilder().UseDistributedCache(new DictionaryCache()).Build();

        foreach (var seed in new[] { 1L, 1L, 2L })
        {
            var options = new ChatOptions { Seed = seed };
            var answer = await client.GetResponseAsync("Hello", options);
            Assert.Equal("Hi there.", answer.Text);
            Assert.Equal("toy-1b", answer.ModelId);
            var joined = await client.GetStreamingResponseAsync("Hello", options).ToChatResponseAsync();
            Assert.Equal("Hi there.", joined.Text);
            Assert.Equal(ChatFinishReason.Stop, joined.FinishReason);
        }

        Assert.Equal(4, chat.Model.Requests.Count);
    }

    [Fact]
    public async Task Case_63_a_cache_keeps_media_whole_and_they_still_map_to_kernel_contents()
    {
        using var chat = new ToyChat(ScriptedArtist.Create());
        using var client = chat.Client.AsBuilder().UseDistributedCache(new DictionaryCache()).Build();
        var services = new ServiceCollection();
        services.AddNextGptChatCompletion("mine", client);
        await using var provider = services.BuildServiceProvider();
        var service = provider.GetRequiredService<IChatCompletionService>();

        var first = await service.GetChatMessageContentAsync("Hello");
        var second = await service.GetChatMessageContentAsync("Hello");

        Assert.Single(chat.Model.Requests);
        Assert.Equal(first.Items.Select(item => item.GetType()), second.Items.Select(item => item.GetType()));
        Assert.Equal(
            first.Items.OfType<BinaryContent>().Select(item => item.Data!.Value.ToArray()),
            second.Items.OfType<BinaryContent>().Select(item => item.Data!.Value.ToArray()));
        Assert.Equal("22", second.Items[3].Metadata!["TextOffset"]!.ToString());
    }

    [Fact]
    public async Task Case_63_a_client_that_configures_options_around_us_has_the_last_word_from_a_kernel_too()
    {
        using var chat = ToyChat.Saying("Hi.");
        var services = new ServiceCollection();
        services.AddNextGptChatCompletion(
            "mine", chat.Client.AsBuilder().ConfigureOptions(options => options.Temperature = 0.5f).Build());
        await using var provider = services.BuildServiceProvider();
        var service = provider.GetRequiredService<IChatCompletionService>();

        var settings = new NextGptPromptExecutionSettings { Temperature = 0.9, TopK = 4 };
        await service.GetChatMessageContentAsync("Hello", settings);

        Assert.Equal(0.5, chat.Model.Asked.Sampling.Temperature);
        Assert.Equal(4, chat.Model.Asked.Sampling.TopK);
    }

    [Fact]
    public async Task Case_63_a_reducer_around_us_shortens_what_the_model_sees()
    {
        using var chat = ToyChat.Saying("Hi.");
        using var client = chat.Client.AsBuilder().UseChatReducer(new MessageCountingChatReducer(1)).Build();

        await client.GetResponseAsync(
        [
            new ChatMessage(ChatRole.System, "Be brief."), new ChatMessage(ChatRole.User, "One"),
            new ChatMessage(ChatRole.Assistant, "Two"), new ChatMessage(ChatRole.User, "Three"),
        ]);

        Assert.Equal(["Be brief.", "Three"], chat.Model.Asked.Messages.Select(ScriptedGenerator.Text));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Case_63_logs_show_no_content_below_trace(bool streaming)
    {
        using var debug = new RememberedLogs(LogLevel.Debug);
        await AskAsync(debug);
        Assert.NotEmpty(debug.Lines);
        Assert.DoesNotContain(debug.Lines, line => Reveals(line));

        // And the watch works: at Trace, which an operator asks for by name, content is there.
        using var trace = new RememberedLogs(LogLevel.Trace);
        await AskAsync(trace);
        Assert.Contains(trace.Lines, line => Reveals(line));

        async Task AskAsync(RememberedLogs logs)
        {
            using var chat = new ToyChat(
                ScriptedGenerator.Saying("my-secret-answer"),
                builder => builder.Services.AddSingleton<ILoggerFactory>(logs));
            await chat.AskAsync(new ChatHistory(Secret, AuthorRole.User), streaming: streaming);
            await chat.Kernel.InvokePromptAsync("Say hello.");
        }

        static bool Reveals(string line) => line.Contains("my-secret", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Case_64_a_call_makes_a_span_and_measurements(bool streaming)
    {
        var model = UniqueModel();
        using var instruments = new Instruments(model, name => name == "NextGpt.Chat");
        using var chat = Chat(model, (request, _) => ScriptedGenerator.Speak(request, ["a", "b"], modelId: model));
        var options = new ChatOptions
        {
            Temperature = 0.5f,
            TopP = 0.9f,
            TopK = 5,
            MaxOutputTokens = 50,
            Seed = 11,
            FrequencyPenalty = 0.1f,
            PresencePenalty = 0.2f,
            StopSequences = ["END"],
            ConversationId = "c-1",
        };

        var answer = await chat.AskAsync([new ChatMessage(ChatRole.User, Secret)], options, streaming);

        var span = Assert.Single(instruments.Spans);
        Assert.Equal($"chat {model}", span.DisplayName);
        Assert.Equal(ActivityKind.Client, span.Kind);
        var tags = span.TagObjects.ToDictionary(tag => tag.Key, tag => tag.Value);
        Assert.Equal("chat", tags["gen_ai.operation.name"]);
        Assert.Equal("nextgpt", tags["gen_ai.provider.name"]);
        Assert.Equal(0.5f, tags["gen_ai.request.temperature"]);
        Assert.Equal(0.9f, tags["gen_ai.request.top_p"]);
        Assert.Equal(5, tags["gen_ai.request.top_k"]);
        Assert.Equal(50, tags["gen_ai.request.max_tokens"]);
        Assert.Equal(11L, tags["gen_ai.request.seed"]);
        Assert.Equal(0.1f, tags["gen_ai.request.frequency_penalty"]);
        Assert.Equal(0.2f, tags["gen_ai.request.presence_penalty"]);
        Assert.Contains("END", tags["gen_ai.request.stop_sequences"]!.ToString(), StringComparison.Ordinal);
        Assert.Equal("c-1", tags["gen_ai.conversation.id"]);
        Assert.Equal(answer.ResponseId, tags["gen_ai.response.id"]);
        Assert.Equal(model, tags["gen_ai.response.model"]);
        Assert.Contains("stop", tags["gen_ai.response.finish_reasons"]!.ToString(), StringComparison.Ordinal);
        Assert.Equal(1L, Convert.ToInt64(tags["gen_ai.usage.input_tokens"], null));
        Assert.Equal(2L, Convert.ToInt64(tags["gen_ai.usage.output_tokens"], null));
        Assert.Equal(streaming, tags.ContainsKey("gen_ai.request.stream"));
        Assert.Equal(streaming, tags.ContainsKey("gen_ai.response.time_to_first_chunk"));
        Assert.False(tags.ContainsKey("error.type"));

        Assert.Equal([1.0, 2.0], Values("gen_ai.client.token.usage").Order());
        Assert.Single(Values("gen_ai.client.operation.duration"));
        Assert.Equal(streaming ? 1 : 0, Values("gen_ai.client.operation.time_to_first_chunk").Count());
        Assert.Equal(streaming ? 2 : 0, Values("gen_ai.client.operation.time_per_output_chunk").Count());

        IEnumerable<double> Values(string name) =>
            instruments.Measured.Where(measured => measured.Name == name).Select(measured => measured.Value);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task Case_64_a_failing_or_cancelled_call_marks_its_span(bool cancelled, bool streaming)
    {
        var model = UniqueModel();
        using var instruments = new Instruments(model, name => name == "NextGpt.Chat");
        using var chat = Chat(model, (request, _) => cancelled
            ? throw new OperationCanceledException()
            : throw new IOException("The weights went away."));

        await Assert.ThrowsAnyAsync<Exception>(
            () => chat.AskAsync([new ChatMessage(ChatRole.User, Secret)], streaming: streaming));

        var span = Assert.Single(instruments.Spans);
        Assert.Equal(ActivityStatusCode.Error, span.Status);
        var error = cancelled ? typeof(OperationCanceledException) : typeof(IOException);
        Assert.Equal(error.FullName, span.GetTagItem("error.type"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Case_65_content_asked_for_by_environment_reaches_no_span_and_no_log_line(bool streaming)
    {
        var model = UniqueModel();
        using var instruments = new Instruments(model, name => name is "NextGpt.Chat" or "Unguarded");
        using var logs = new RememberedLogs(LogLevel.Debug);
        using var chat = Chat(
            model, (request, _) => ScriptedGenerator.Speak(request, ["my-secret", "-answer"], modelId: model), logs);
        ChatMessage[] messages = [new(ChatRole.User, Secret)];

        await chat.AskAsync(messages, new ChatOptions { Instructions = "my-secret-instructions" }, streaming);
        Assert.NotEmpty(instruments.Spans);
        Assert.DoesNotContain(instruments.Spans, Reveals);
        Assert.DoesNotContain(logs.Lines, line => line.Contains("my-secret", StringComparison.Ordinal));

        // And the watch works: a client that leaves the choice to the environment does tell.
        using var unguarded = chat.Client.GetRequiredService<NextGptChatClient>()
            .AsBuilder().UseOpenTelemetry(sourceName: "Unguarded").Build();
        await unguarded.GetResponseAsync(messages);
        Assert.Contains(instruments.Spans, Reveals);

        static bool Reveals(Activity span) =>
            span.TagObjects.Concat(span.Events.SelectMany(happened => happened.Tags))
                .Any(tag => tag.Value?.ToString()?.Contains("my-secret", StringComparison.Ordinal) == true);
    }

    [Fact]
    public async Task Case_66_the_kernels_own_metrics_record_the_tokens()
    {
        var function = "f" + Guid.NewGuid().ToString("N");
        using var instruments = new Instruments(
            function, name => name.StartsWith("Microsoft.SemanticKernel", StringComparison.Ordinal));
        using var chat = ToyChat.Saying("one ", "two ", "three");

        var count = KernelFunctionFactory.CreateFromPrompt("Count to three.", functionName: function);
        await chat.Kernel.InvokeAsync(count);

        Assert.Equal(3, Value("semantic_kernel.function.invocation.token_usage.prompt"));
        Assert.Equal(3, Value("semantic_kernel.function.invocation.token_usage.completion"));

        double Value(string name) => Assert.Single(instruments.Measured, measured => measured.Name == name).Value;
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Case_68_an_adapter_swap_changes_the_model_id_of_the_next_turn_not_of_the_one_in_flight(
        bool streaming)
    {
        var swap = new TaskCompletionSource();
        var model = new ScriptedGenerator((_, _) => throw new InvalidOperationException());
        model = new ScriptedGenerator((request, _) => SpeakAsync(request, model.ModelId)) { ModelId = "toy-1b+monday" };
        using var chat = new ToyChat(model);
        ChatMessage[] messages = [new(ChatRole.User, "Hello")];

        var inFlight = chat.AskAsync(messages, streaming: streaming);
        model.ModelId = "toy-1b+tuesday";
        swap.SetResult();

        Assert.Equal("toy-1b+monday", (await inFlight).ModelId);
        Assert.Equal("toy-1b+tuesday", (await chat.AskAsync(messages, streaming: streaming)).ModelId);
        Assert.Equal("toy-1b+tuesday", chat.Client.GetRequiredService<ChatClientMetadata>().DefaultModelId);

        async IAsyncEnumerable<GenerationEvent> SpeakAsync(GenerationRequest request, string modelId)
        {
            await swap.Task;
            await foreach (var generationEvent in ScriptedGenerator.Speak(request, ["Hi."], modelId: modelId))
            {
                yield return generationEvent;
            }
        }
    }

    [Fact]
    public async Task Case_64_the_queue_is_measured_while_calls_wait_and_empty_when_they_ended_somehow()
    {
        var model = UniqueModel();
        var time = new FakeTimeProvider();
        var mayBegin = new TaskCompletionSource();
        using var instruments = new Instruments(model, name => name == "NextGpt.Model");
        using var chat = new ToyChat(
            new ScriptedGenerator((request, token) => WaitAsync(request, token)) { ModelId = model },
            builder => builder.Services.AddSingleton<TimeProvider>(time));
        using var leave = new CancellationTokenSource();

        var answered = chat.Client.GetResponseAsync("Hello");
        var left = chat.Client.GetResponseAsync("Hello", null, leave.Token);
        Assert.Equal(2, Length());
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        Assert.Equal(1, Length());

        time.Advance(TimeSpan.FromSeconds(3));
        mayBegin.SetResult();
        await answered;
        Assert.Equal(0, Length());
        Assert.Equal(3, Assert.Single(instruments.Measured, measured => measured.Name == "nextgpt.queue.wait").Value);

        double Length() =>
            instruments.Measured.Where(measured => measured.Name == "nextgpt.queue.length").Sum(measured => measured.Value);

        async IAsyncEnumerable<GenerationEvent> WaitAsync(
            GenerationRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await mayBegin.Task.WaitAsync(cancellationToken);
            await foreach (var generationEvent in ScriptedGenerator.Speak(request, ["Hi."], modelId: model))
            {
                yield return generationEvent;
            }
        }
    }

    private static string UniqueModel() => "toy-" + Guid.NewGuid().ToString("N");

    private static ToyChat Chat(string model, Script script, ILoggerFactory? logs = null) => new(
        new ScriptedGenerator(script) { ModelId = model },
        builder =>
        {
            if (logs is not null)
            {
                builder.Services.AddSingleton(logs);
            }
        });

    private sealed class DictionaryCache : IDistributedCache
    {
        private readonly ConcurrentDictionary<string, byte[]> _entries = [];

        public byte[]? Get(string key) => _entries.GetValueOrDefault(key);

        public Task<byte[]?> GetAsync(string key, CancellationToken token = default) => Task.FromResult(Get(key));

        public void Set(string key, byte[] value, DistributedCacheEntryOptions options) => _entries[key] = value;

        public Task SetAsync(
            string key, byte[] value, DistributedCacheEntryOptions options, CancellationToken token = default)
        {
            Set(key, value, options);
            return Task.CompletedTask;
        }

        public void Refresh(string key)
        {
        }

        public Task RefreshAsync(string key, CancellationToken token = default) => Task.CompletedTask;

        public void Remove(string key) => _entries.TryRemove(key, out _);

        public Task RemoveAsync(string key, CancellationToken token = default)
        {
            Remove(key);
            return Task.CompletedTask;
        }
    }
}
