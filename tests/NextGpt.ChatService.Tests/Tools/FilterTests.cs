using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.ChatCompletion;

namespace NextGpt.ChatService.Tests.Tools;

/// <summary>Filters: cases 56 and 57 of the connector contract.</summary>
public sealed class FilterTests
{
    private const string TwoCalls =
        """<tool_call>[{"name":"sky_weather","arguments":{"city":"Ulm"}},{"name":"sky_moon"}]</tool_call>""";

    private const string CallUlm = """<tool_call>{"name":"sky_weather","arguments":{"city":"Ulm"}}</tool_call>""";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Case_56_the_auto_filter_sees_indices_streaming_and_call_id(bool streaming)
    {
        using var chat = ToolTests.Chat(TwoCalls, CallUlm, "Done.");
        List<(int Request, int Function, int Count, bool Streaming, string Name)> seen = [];
        List<string?> ids = [];
        chat.Kernel.AutoFunctionInvocationFilters.Add(new Filter(async (context, next) =>
        {
            seen.Add((
                context.RequestSequenceIndex, context.FunctionSequenceIndex, context.FunctionCount, context.IsStreaming,
                context.Function.Name));
            ids.Add(context.ToolCallId);
            Assert.NotNull(context.ExecutionSettings);
            Assert.Equal("How is the weather?", context.ChatHistory[0].Content);
            await next(context);
        }));

        await chat.AskAsync(ToolTests.Question(), ToolTests.Auto(), streaming);

        Assert.Equal(
            [(0, 0, 2, streaming, "weather"), (0, 1, 2, streaming, "moon"), (1, 0, 1, streaming, "weather")],
            seen.Select(call => call with { Name = call.Name.Replace("sky_", "", StringComparison.Ordinal) }));
        Assert.Equal(3, ids.Distinct().Count());
        Assert.DoesNotContain(null, ids);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Case_56_filters_run_in_order_around_each_other_and_the_function_filter_inside(bool streaming)
    {
        using var chat = ToolTests.Chat(CallUlm, "Done.");
        List<string> order = [];
        foreach (var name in new[] { "first", "second" })
        {
            chat.Kernel.AutoFunctionInvocationFilters.Add(new Filter(async (context, next) =>
            {
                order.Add($"{name} in");
                await next(context);
                order.Add($"{name} out");
            }));
        }

        chat.Kernel.FunctionInvocationFilters.Add(new FunctionFilter(order));

        await chat.AskAsync(ToolTests.Question(), ToolTests.Auto(), streaming);

        Assert.Equal(["first in", "second in", "function in", "function out", "second out", "first out"], order);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Case_56_a_filter_can_change_arguments_and_replace_the_result(bool streaming)
    {
        using var chat = ToolTests.Chat(CallUlm, "Done.");
        chat.Kernel.AutoFunctionInvocationFilters.Add(new Filter(async (context, next) =>
        {
            context.Arguments!["city"] = "Bern";
            await next(context);
            context.Result = new FunctionResult(context.Result, "Sun, says the filter");
        }));

        await chat.AskAsync(ToolTests.Question(), ToolTests.Auto(), streaming);

        Assert.Equal(["Bern"], ToolTests.Sky(chat).Asked);
        Assert.Contains("Sun, says the filter", LastText(chat), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Case_56_a_filter_can_skip_the_function_and_handle_its_exception(bool streaming)
    {
        using var skipped = ToolTests.Chat(CallUlm, "Done.");
        skipped.Kernel.AutoFunctionInvocationFilters.Add(new Filter((context, _) =>
        {
            context.Result = new FunctionResult(context.Result, "skipped");
            return Task.CompletedTask;
        }));
        await skipped.AskAsync(ToolTests.Question(), ToolTests.Auto(), streaming);
        Assert.Empty(ToolTests.Sky(skipped).Asked);
        Assert.Contains("skipped", LastText(skipped), StringComparison.Ordinal);

        using var failed = ToolTests.Chat("""<tool_call>{"name":"sky_fail"}</tool_call>""", "Done.");
        failed.Kernel.AutoFunctionInvocationFilters.Add(new Filter(async (context, next) =>
        {
            try
            {
                await next(context);
            }
            catch (InvalidOperationException)
            {
                context.Result = new FunctionResult(context.Result, "Ask again at noon.");
            }
        }));
        await failed.AskAsync(ToolTests.Question(), ToolTests.Auto(), streaming);
        Assert.Contains("Ask again at noon.", LastText(failed), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task Case_56_a_filter_can_end_the_rounds_before_and_after_the_function(bool before, bool streaming)
    {
        using var chat = ToolTests.Chat(CallUlm, "Never said.");
        chat.Kernel.AutoFunctionInvocationFilters.Add(new Filter(async (context, next) =>
        {
            if (!before)
            {
                await next(context);
            }

            context.Result = new FunctionResult(context.Result, "The end.");
            context.Terminate = true;
        }));
        var history = ToolTests.Question();

        if (streaming)
        {
            var chunks = await ToyChat.CollectAsync(
                chat.Service.GetStreamingChatMessageContentsAsync(history, ToolTests.Auto(), chat.Kernel));
            Assert.Equal(AuthorRole.Tool, chunks[^1].Role);
            var result = Assert.Single(history[^1].Items.OfType<FunctionResultContent>());
            Assert.Equal("The end.", result.Result?.ToString());
        }
        else
        {
            var answer = await chat.Service.GetChatMessageContentAsync(history, ToolTests.Auto(), chat.Kernel);
            Assert.Equal(AuthorRole.Tool, answer.Role);
            var result = Assert.Single(answer.Items.OfType<FunctionResultContent>());
            Assert.Equal("The end.", result.Result?.ToString());
        }

        Assert.Single(chat.Model.Requests);
        Assert.Equal(before ? [] : ["Ulm"], ToolTests.Sky(chat).Asked);
    }

    [Fact]
    public async Task Case_57_function_and_prompt_filters_run_and_a_prompt_filter_may_answer_without_the_model()
    {
        using var chat = ToyChat.Saying("Hi.");
        List<string> order = [];
        chat.Kernel.FunctionInvocationFilters.Add(new FunctionFilter(order));
        var prompts = new PromptFilter();
        chat.Kernel.PromptRenderFilters.Add(prompts);

        await chat.Kernel.InvokePromptAsync("Say {{$word}}.", new() { ["word"] = "hello" });
        Assert.Equal(["function in", "function out"], order);
        Assert.Equal("Say hello. Please.", ScriptedGenerator.Text(chat.Model.Asked.Messages[0]));

        prompts.Answer = "From the filter.";
        Assert.Equal("From the filter.", (await chat.Kernel.InvokePromptAsync("Say {{$word}}.")).GetValue<string>());
        Assert.Single(chat.Model.Requests);
    }

    private static string LastText(ToyChat chat) => ScriptedGenerator.Text(chat.Model.Asked.Messages[^1]);

    private sealed class Filter(
        Func<AutoFunctionInvocationContext, Func<AutoFunctionInvocationContext, Task>, Task> body)
        : IAutoFunctionInvocationFilter
    {
        public Task OnAutoFunctionInvocationAsync(
            AutoFunctionInvocationContext context, Func<AutoFunctionInvocationContext, Task> next) =>
            body(context, next);
    }

    private sealed class FunctionFilter(List<string> order) : IFunctionInvocationFilter
    {
        public async Task OnFunctionInvocationAsync(
            FunctionInvocationContext context, Func<FunctionInvocationContext, Task> next)
        {
            order.Add("function in");
            await next(context);
            order.Add("function out");
        }
    }

    private sealed class PromptFilter : IPromptRenderFilter
    {
        public string? Answer { get; set; }

        public async Task OnPromptRenderAsync(PromptRenderContext context, Func<PromptRenderContext, Task> next)
        {
            await next(context);
            context.RenderedPrompt += " Please.";
            if (Answer is not null)
            {
                context.Result = new FunctionResult(context.Function, Answer);
            }
        }
    }
}
