using System.ComponentModel;
using System.Text.Json;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.ChatCompletion;
using NextGpt.Model;
using AIFunctionCall = Microsoft.Extensions.AI.FunctionCallContent;
using AIFunctionResult = Microsoft.Extensions.AI.FunctionResultContent;
using KernelFunctionCall = Microsoft.SemanticKernel.FunctionCallContent;
using KernelFunctionResult = Microsoft.SemanticKernel.FunctionResultContent;

namespace NextGpt.ChatService.Tests.Tools;

/// <summary>Tools that are written into the prompt: cases 46 to 55 of the connector contract.</summary>
public sealed class ToolTests
{
    private const string CallUlm =
        """Let me look. <tool_call>{"name": "sky_weather", "arguments": {"city": "Ulm"}}</tool_call>""";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Case_46_tools_are_written_with_name_description_and_schema(bool streaming)
    {
        using var chat = Chat("It is dry.");

        await chat.AskAsync(Question("Be brief."), Auto(), streaming);

        var system = SystemText(chat.Model.Asked);
        Assert.Contains("\"name\":\"sky_weather\"", system, StringComparison.Ordinal);
        Assert.Contains("Tells today's weather", system, StringComparison.Ordinal);
        Assert.Contains("The town, in German: Köln, not Cologne", system, StringComparison.Ordinal);
        Assert.Contains("\"required\":[\"city\"]", system, StringComparison.Ordinal);
        Assert.Contains("\"name\":\"sky_moon\"", system, StringComparison.Ordinal);
        Assert.Contains("<tool_response>", chat.Model.Asked.StopSequences);
        Assert.Equal("Be brief.", ScriptedGenerator.Text(chat.Model.Asked.Messages[1]));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Case_46_without_a_behaviour_no_tool_is_written_and_no_call_is_read(bool streaming)
    {
        using var chat = Chat(CallUlm);

        var answer = await chat.AskAsync(Question(), streaming: streaming);

        Assert.Equal(CallUlm, answer.Content);
        Assert.Equal([PromptRole.User], chat.Model.Asked.Messages.Select(message => message.Role));
        Assert.Empty(chat.Model.Asked.StopSequences);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Case_47_auto_calls_the_function_and_answers_with_its_result(bool streaming)
    {
        using var chat = Chat(CallUlm, "It rains in Ulm.");

        var answer = await chat.AskAsync(Question(), Auto(), streaming);

        Assert.EndsWith("It rains in Ulm.", answer.Content, StringComparison.Ordinal);
        Assert.Equal("stop", answer.Metadata!["FinishReason"]);
        Assert.Equal(["Ulm"], Sky(chat).Asked);
        Assert.Equal(
            [
                (PromptRole.User, "How is the weather?"),
                (PromptRole.Assistant,
                    """Let me look.<tool_call>{"name":"sky_weather","arguments":{"city":"Ulm"}}</tool_call>"""),
                (PromptRole.Tool,
                    """<tool_response>{"name":"sky_weather","result":"Rain \u003c 5 mm in Ulm"}</tool_response>"""),
            ],
            chat.Model.Asked.Messages.Skip(1).Select(message => (message.Role, ScriptedGenerator.Text(message))));
    }

    [Fact]
    public async Task Case_47_required_demands_a_call_in_the_first_round_only()
    {
        using var chat = Chat(CallUlm, "It rains.");

        await chat.AskAsync(Question(), Choosing(FunctionChoiceBehavior.Required()));

        Assert.Equal(2, chat.Model.Requests.Count);
        Assert.Contains("Call a function now.", SystemText(chat.Model.Requests.First()), StringComparison.Ordinal);
        Assert.DoesNotContain("Call a function now.", SystemText(chat.Model.Asked), StringComparison.Ordinal);
        Assert.Contains("sky_weather", SystemText(chat.Model.Asked), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Case_47_none_writes_no_tools_and_reads_no_calls()
    {
        using var chat = Chat(CallUlm);

        var answer = await chat.AskAsync(Question(), Choosing(FunctionChoiceBehavior.None()));

        Assert.Equal(CallUlm, answer.Content);
        Assert.Empty(Sky(chat).Asked);
        Assert.Equal([PromptRole.User], chat.Model.Asked.Messages.Select(message => message.Role));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Case_47_without_invocation_the_call_comes_back_to_the_caller(bool streaming)
    {
        using var chat = Chat(CallUlm);
        var settings = Auto(autoInvoke: false);
        var history = Question();

        if (streaming)
        {
            var chunks = await ToyChat.CollectAsync(
                chat.Service.GetStreamingChatMessageContentsAsync(history, settings, chat.Kernel));
            var builder = new FunctionCallContentBuilder();
            chunks.ForEach(builder.Append);
            AssertCall(Assert.Single(builder.Build()));
            Assert.Equal("Let me look.", string.Concat(chunks));
            Assert.Equal("tool_calls", chunks[^1].Metadata!["FinishReason"]);
            Assert.NotNull(chunks[^1].Metadata!["Usage"]);
            var calling = chunks.Single(chunk => chunk.Items.OfType<StreamingFunctionCallUpdateContent>().Any());
            Assert.Equal("tool_calls", calling.Metadata!["FinishReason"]);
        }
        else
        {
            var answer = await chat.AskAsync(history, settings);
            AssertCall(Assert.Single(KernelFunctionCall.GetFunctionCalls(answer)));
            Assert.Equal("Let me look.", answer.Content);
            Assert.Equal("tool_calls", answer.Metadata!["FinishReason"]);
        }

        Assert.Single(history);
        Assert.Empty(Sky(chat).Asked);

        static void AssertCall(KernelFunctionCall call)
        {
            Assert.Equal("sky", call.PluginName);
            Assert.Equal("weather", call.FunctionName);
            Assert.Equal("Ulm", call.Arguments!["city"]?.ToString());
            Assert.NotEmpty(call.Id!);
        }
    }

    [Fact]
    public async Task Case_47_a_required_function_and_a_subset_are_the_only_ones_written()
    {
        using var chat = Chat("Hm.");
        var moon = chat.Kernel.Plugins.GetFunction("sky", "moon");

        await chat.AskAsync(Question(), Choosing(FunctionChoiceBehavior.Required([moon])));
        AssertOnlyMoon();
        await chat.AskAsync(Question(), Choosing(FunctionChoiceBehavior.Auto([moon])));
        AssertOnlyMoon();

        List<AITool> both =
            [AIFunctionFactory.Create(() => 1, "sky_moon"), AIFunctionFactory.Create(() => 2, "sky_weather")];
        ChatMessage[] messages = [new(ChatRole.User, "Moon?")];
        var options = new ChatOptions { Tools = both, ToolMode = ChatToolMode.RequireSpecific("sky_moon") };
        await chat.AskAsync(messages, options);
        AssertOnlyMoon();
        Assert.Equal(2, options.Tools.Count);

        options.ToolMode = ChatToolMode.RequireSpecific("sky_sun");
        await Assert.ThrowsAsync<ArgumentException>(() => chat.AskAsync(messages, options));

        void AssertOnlyMoon()
        {
            Assert.Contains("sky_moon", SystemText(chat.Model.Asked), StringComparison.Ordinal);
            Assert.DoesNotContain("sky_weather", SystemText(chat.Model.Asked), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Case_47_a_tool_that_is_no_function_throws_and_is_named()
    {
        using var chat = Chat("Hm.");

        var thrown = await Assert.ThrowsAsync<NotSupportedException>(() => chat.AskAsync(
            [new ChatMessage(ChatRole.User, "Search.")], new ChatOptions { Tools = [new HostedWebSearchTool()] }));
        Assert.Contains(nameof(HostedWebSearchTool), thrown.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Case_48_several_calls_in_one_message_are_all_made(bool streaming)
    {
        using var chat = Chat(
            """
            <tool_call>{"name": "sky_weather", "arguments": {"city": "Ulm"}}</tool_call>
            <tool_call>{"name": "sky_weather", "arguments": {"city": "Bern"}}</tool_call>
            <tool_call>{"name": "sky_moon"}</tool_call>
            """,
            "Done.");

        var answer = await chat.AskAsync(Question(), Auto(), streaming);

        Assert.Equal("Done.", answer.Content);
        Assert.Equal(["Ulm", "Bern", "moon"], Sky(chat).Asked);
        var results = ScriptedGenerator.Text(chat.Model.Asked.Messages[^1]);
        Assert.Equal(PromptRole.Tool, chat.Model.Asked.Messages[^1].Role);
        Assert.Equal(3, results.Split("<tool_response>").Length - 1);
    }

    [Fact]
    public async Task Case_48_only_one_call_is_asked_for_where_parallel_calls_are_off()
    {
        using var chat = Chat(CallUlm + CallUlm, "Done.");

        await chat.AskAsync(
            Question(), Choosing(FunctionChoiceBehavior.Auto(options: new() { AllowParallelCalls = false })));

        Assert.Equal(["Ulm"], Sky(chat).Asked);
        Assert.Contains("Call at most one.", SystemText(chat.Model.Asked), StringComparison.Ordinal);
        Assert.Contains("</tool_call>", chat.Model.Asked.StopSequences);
    }

    [Fact]
    public async Task Case_48_arguments_of_every_shape_reach_the_function()
    {
        using var chat = Chat(
            """
            <tool_call>{"name": "sky_plan", "arguments": {"towns": ["Ulm", "Köln"], "trip": {"Days": 3, "By": "train"},
            "season": "Winter", "cold": true, "warmest": 21.5}}</tool_call>
            """,
            "Done.");

        await chat.AskAsync(Question(), Auto());

        Assert.Equal(["Ulm+Köln 3 train Winter True 21.5 none"], Sky(chat).Asked);
        Assert.Contains("\"enum\"", SystemText(chat.Model.Asked), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Case_49_call_and_result_are_appended_to_the_history(bool streaming)
    {
        using var chat = Chat(CallUlm, "It rains.");
        var history = Question();

        await chat.AskAsync(history, Auto(), streaming);

        Assert.Equal([AuthorRole.User, AuthorRole.Assistant, AuthorRole.Tool], history.Select(message => message.Role));
        var call = Assert.Single(history[1].Items.OfType<KernelFunctionCall>());
        var result = Assert.Single(history[2].Items.OfType<KernelFunctionResult>());
        Assert.Equal("Let me look.", history[1].Content);
        Assert.Equal(("sky", "weather"), (call.PluginName, call.FunctionName));
        Assert.Equal(call.Id, result.CallId);
        Assert.Contains("Rain", result.Result!.ToString(), StringComparison.Ordinal);

        // And the next turn reads them as the model wrote them.
        history.AddUserMessage("And tomorrow?");
        await chat.AskAsync(history, streaming: streaming);
        Assert.Contains("\"sky_weather\"", TextAt(chat, 1), StringComparison.Ordinal);
        Assert.Contains("<tool_response>", TextAt(chat, 2), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Case_49_results_are_accepted_one_a_message_and_many_in_one(bool together)
    {
        using var chat = Chat("Done.");
        AIFunctionCall[] calls = [new("1", "sky_moon"), new("2", "sky_moon")];
        AIFunctionResult[] results = [new("1", "full"), new("2", "new")];
        List<ChatMessage> messages = [new(ChatRole.User, "Moon?"), new(ChatRole.Assistant, [.. calls])];
        messages.AddRange(together
            ? [new ChatMessage(ChatRole.Tool, [.. results])]
            : results.Select(result => new ChatMessage(ChatRole.Tool, [result])));

        await chat.AskAsync(messages);

        var result = chat.Model.Asked.Messages[^1];
        Assert.Equal(3, chat.Model.Asked.Messages.Count);
        Assert.Equal(PromptRole.Tool, result.Role);
        Assert.Contains("full", ScriptedGenerator.Text(result), StringComparison.Ordinal);
        Assert.Contains("new", ScriptedGenerator.Text(result), StringComparison.Ordinal);
        Assert.Equal(results, messages.Skip(2).SelectMany(message => message.Contents));   // the caller's stay as they were
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Case_50_usage_is_the_sum_over_rounds_and_stands_on_the_last_chunk_alone(bool streaming)
    {
        using var chat = Chat(CallUlm, CallUlm, "It rains.");
        var history = Question();

        IReadOnlyDictionary<string, object?> metadata;
        if (streaming)
        {
            var chunks = await ToyChat.CollectAsync(
                chat.Service.GetStreamingChatMessageContentsAsync(history, Auto(), chat.Kernel));
            Assert.Same(chunks[^1], Assert.Single(chunks, chunk => chunk.Metadata!.ContainsKey("Usage")));
            Assert.Same(chunks[^1], Assert.Single(
                chunks, chunk => Equals(chunk.Metadata!.GetValueOrDefault("FinishReason"), "stop")));
            metadata = chunks[^1].Metadata!;
        }
        else
        {
            metadata = (await chat.AskAsync(history, Auto())).Metadata!;
        }

        var usage = (UsageDetails)metadata["Usage"]!;
        Assert.Equal(chat.Model.Requests.Sum(ScriptedGenerator.PromptTokens), usage.InputTokenCount);
        Assert.Equal(3, chat.Model.Requests.Count);
        Assert.Equal(usage.InputTokenCount + usage.OutputTokenCount, usage.TotalTokenCount);
        Assert.All(
            chat.Model.Requests,
            request => Assert.Contains("sky_weather", SystemText(request), StringComparison.Ordinal));
    }

    [Fact]
    public async Task Case_50_rounds_are_limited()
    {
        using var chat = new ToyChat(ScriptedGenerator.Answering(_ => CallUlm), AddSky);

        await chat.AskAsync(Question(), Auto());

        Assert.Equal(129, chat.Model.Requests.Count);
        Assert.Equal(128, Sky(chat).Asked.Count);
    }

    [Theory]
    [InlineData("""<tool_call>{"name": "sky_fail"}</tool_call>""", "Error: Function failed.")]
    [InlineData("""<tool_call>{"name": "sky_sun"}</tool_call>""", """Error: Requested function \"sky_sun\" not found.""")]
    [InlineData("""<tool_call>{"name": "sky_weather", "arguments": {"city": }}</tool_call>""", "Error: Function failed.")]
    [InlineData("""<tool_call>{"name": "sky_moon", "arguments": {city}}</tool_call>""", "not found.")]
    [InlineData("""<tool_call>{"name": "sky_weather", "arguments": {}}</tool_call>""", "Error: Function failed.")]
    public async Task Case_51_a_call_that_cannot_be_made_is_told_to_the_model_which_answers(string call, string told)
    {
        foreach (var streaming in new[] { false, true })
        {
            using var chat = Chat(call, "I could not find out.");

            var answer = await chat.AskAsync(Question(), Auto(), streaming);

            Assert.Equal("I could not find out.", answer.Content);
            var result = ScriptedGenerator.Text(chat.Model.Asked.Messages[^1]);
            Assert.Contains(told, result, StringComparison.Ordinal);
            Assert.DoesNotContain("details that must not leak", result, StringComparison.Ordinal);
            Assert.Empty(Sky(chat).Asked);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Case_51_a_missing_kernel_throws_before_the_model_is_asked(bool streaming)
    {
        using var chat = Chat("Hm.");

        await Assert.ThrowsAsync<KernelException>(() => streaming
            ? ToyChat.CollectAsync(chat.Service.GetStreamingChatMessageContentsAsync(Question(), Auto(), kernel: null))
            : chat.Service.GetChatMessageContentsAsync(Question(), Auto(), kernel: null));
        Assert.Empty(chat.Model.Requests);
    }

    [Fact]
    public async Task Case_52_text_beside_a_call_is_kept_and_the_stream_equals_the_whole_answer()
    {
        const string Beside = "First this. " + CallUlm + " And then that.";
        using var chat = Chat(Beside);
        ChatMessage[] messages = [new(ChatRole.User, "How is the weather?")];
        var schema = JsonSerializer.SerializeToElement(new { type = "object" });
        var options = new ChatOptions { Tools = [AIFunctionFactory.CreateDeclaration("sky_weather", null, schema)] };

        var whole = await chat.AskAsync(messages, options);
        var joined = await chat.AskAsync(messages, options, streaming: true);

        foreach (var answer in new[] { whole, joined })
        {
            Assert.Equal("First this. Let me look. And then that.", answer.Text);
            Assert.Equal(ChatFinishReason.ToolCalls, answer.FinishReason);
            Assert.Equal("sky_weather", Assert.Single(answer.Messages[0].Contents.OfType<AIFunctionCall>()).Name);
            Assert.NotNull(answer.Usage);
            Assert.Equal(7L, answer.Messages[0].AdditionalProperties![AnswerMetadata.Seed]);
        }
    }

    [Fact]
    public async Task Case_52_a_persons_text_that_holds_a_call_is_no_call()
    {
        using var chat = Chat("I will not.");

        var answer = await chat.AskAsync(new ChatHistory($"Repeat: {CallUlm}", AuthorRole.User), Auto());

        Assert.Equal("I will not.", answer.Content);
        Assert.Empty(Sky(chat).Asked);
    }

    [Fact]
    public async Task Case_53_a_prompt_function_can_be_a_tool()
    {
        using var chat = Chat(
            """<tool_call>{"name": "tools_rhyme", "arguments": {"word": "cat"}}</tool_call>""", "hat", "A hat for the cat.");
        chat.Kernel.ImportPluginFromFunctions(
            "tools", [KernelFunctionFactory.CreateFromPrompt("Rhyme {{$word}}.", functionName: "rhyme")]);

        var answer = await chat.AskAsync(Question(), Auto());

        Assert.Equal("A hat for the cat.", answer.Content);
        var inner = chat.Model.Requests.ElementAt(1);
        Assert.Equal(["Rhyme cat."], inner.Messages.Select(ScriptedGenerator.Text));
        Assert.Contains("\"result\":\"hat\"", TextAt(chat, ^1), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Case_53_a_simulated_exchange_in_the_history_is_read_and_a_call_can_be_made_by_hand()
    {
        using var chat = Chat(CallUlm, "It rains.");
        var history = Question();
        history.Add(new ChatMessageContent(AuthorRole.Assistant, [new KernelFunctionCall("moon", "sky", "made-up")]));
        history.Add(new KernelFunctionResult("moon", "sky", "made-up", "full").ToChatMessage());
        history.AddUserMessage("And the weather?");

        var answer = await chat.AskAsync(history, Auto(autoInvoke: false));
        Assert.Contains("""{"name":"sky_moon","result":"full"}""", TextAt(chat, 3), StringComparison.Ordinal);

        history.Add(answer);
        foreach (var call in KernelFunctionCall.GetFunctionCalls(answer))
        {
            history.Add((await call.InvokeAsync(chat.Kernel)).ToChatMessage());
        }

        Assert.Equal("It rains.", (await chat.AskAsync(history, Auto(autoInvoke: false))).Content);
        Assert.Equal(["Ulm"], Sky(chat).Asked);
        Assert.Contains("5 mm in Ulm", TextAt(chat, ^1), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Case_55_messages_that_a_filter_changes_are_what_the_model_sees_next(bool streaming)
    {
        using var chat = Chat(CallUlm, "It rains.");
        chat.Kernel.AutoFunctionInvocationFilters.Add(new HistoryFilter());

        await chat.AskAsync(Question(), Auto(), streaming);

        var seen = chat.Model.Asked.Messages.Select(ScriptedGenerator.Text).ToList();
        Assert.Contains("Answer in rhyme.", seen);
        Assert.DoesNotContain("How is the weather?", seen);
        // Semantic Kernel 1.82 gives filters a copy as ChatHistory. Should this fail one day, it has begun to pass
        // changes on, and the sentence about it in the documentation can go.
        Assert.DoesNotContain("Said to the copy.", seen);
    }

    internal static ToyChat Chat(params string[] answers) => new(ScriptedGenerator.InTurn(answers), AddSky);

    internal static SkyPlugin Sky(ToyChat chat) => chat.Services.GetRequiredService<SkyPlugin>();

    internal static PromptExecutionSettings Auto(bool autoInvoke = true) =>
        new() { FunctionChoiceBehavior = FunctionChoiceBehavior.Auto(autoInvoke: autoInvoke) };

    internal static ChatHistory Question(string? system = null) => system is null
        ? new ChatHistory("How is the weather?", AuthorRole.User)
        : [new ChatMessageContent(AuthorRole.System, system), .. Question()];

    private static void AddSky(IKernelBuilder builder)
    {
        builder.Services.AddSingleton<SkyPlugin>();
        builder.Services.AddSingleton(
            provider => KernelPluginFactory.CreateFromObject(provider.GetRequiredService<SkyPlugin>(), "sky"));
    }

    private static PromptExecutionSettings Choosing(FunctionChoiceBehavior behavior) =>
        new() { FunctionChoiceBehavior = behavior };

    private static string TextAt(ToyChat chat, Index index) =>
        ScriptedGenerator.Text(chat.Model.Asked.Messages[index.GetOffset(chat.Model.Asked.Messages.Count)]);

    private static string SystemText(GenerationRequest request) => string.Join(
        '\n', request.Messages.Where(message => message.Role == PromptRole.System).Select(ScriptedGenerator.Text));

    internal enum Season
    {
        Summer,
        Winter,
    }

    internal sealed record Trip(int Days, string By);

    internal sealed class SkyPlugin
    {
        public List<string> Asked { get; } = [];

        [KernelFunction("weather"), Description("Tells today's weather")]
        public string Weather([Description("The town, in German: Köln, not Cologne")] string city)
        {
            Asked.Add(city);
            return $"Rain < 5 mm in {city}";
        }

        [KernelFunction("moon"), Description("Tells the phase of the moon")]
        public string Moon(int day = 1)
        {
            Asked.Add("moon");
            return $"Full on day {day}";
        }

        [KernelFunction("plan")]
        public void Plan(string[] towns, Trip trip, Season season, bool cold, double warmest, string? wish = null) =>
            Asked.Add(FormattableString.Invariant(
                $"{string.Join('+', towns)} {trip.Days} {trip.By} {season} {cold} {warmest} {wish ?? "none"}"));

        [KernelFunction("fail")]
        public static string Fail() => throw new InvalidOperationException("details that must not leak");
    }

    private sealed class HistoryFilter : IAutoFunctionInvocationFilter
    {
        public async Task OnAutoFunctionInvocationAsync(
            AutoFunctionInvocationContext context, Func<AutoFunctionInvocationContext, Task> next)
        {
            await next(context);
            context.ChatHistory.AddSystemMessage("Said to the copy.");
            context.Messages[0] = new ChatMessage(ChatRole.User, "Answer in rhyme.");
        }
    }
}
