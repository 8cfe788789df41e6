using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.ChatCompletion;
using NextGpt.Model;

namespace NextGpt.ChatService.Tests;

/// <summary>The whole answer: cases 27 to 35 of the connector contract, as far as text goes.</summary>
public sealed class WholeAnswerTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 2, 14, 5, 0, TimeSpan.Zero);

    [Fact]
    public async Task Case_27_the_message_has_text_role_model_id_and_the_response_inside()
    {
        using var chat = ToyChat.Saying("Hel", "lo ", "you.");

        var answers = await chat.Service.GetChatMessageContentsAsync(Question());

        var answer = Assert.Single(answers);
        Assert.Equal("Hello you.", answer.Content);
        Assert.Equal("Hello you.", answer.ToString());
        Assert.Single(answer.Items);
        Assert.Equal(AuthorRole.Assistant, answer.Role);
        Assert.Equal("toy-1b", answer.ModelId);
        Assert.Equal("toy-1b", answer.Items[0].ModelId);
        Assert.Equal("Hello you.", Assert.IsType<ChatResponse>(answer.InnerContent).Text);
    }

    [Fact]
    public async Task Case_27_an_answer_without_a_word_is_an_empty_text()
    {
        using var chat = ToyChat.Saying();

        Assert.Equal("", (await chat.AskAsync(Question())).Content);
        Assert.Equal("", (await chat.AskAsync(Messages())).Text);
        Assert.Equal("", (await chat.AskAsync(Question(), streaming: true)).Content);
    }

    [Theory]
    [InlineData(GenerationFinishReason.Stop, "stop")]
    [InlineData(GenerationFinishReason.Length, "length")]
    [InlineData(GenerationFinishReason.Repetition, "length")]
    public async Task Case_28_metadata_has_usage_finish_reason_and_id_under_the_exact_keys(
        GenerationFinishReason reason, string expected)
    {
        using var chat = new ToyChat(
            new ScriptedGenerator((request, _) => ScriptedGenerator.Speak(request, ["a", "b"], reason, cached: 1)),
            builder => builder.Services.AddSingleton<TimeProvider>(new FakeTimeProvider(Now)));
        var settings = new NextGptPromptExecutionSettings { Seed = 5, Adapter = "warm" };

        var metadata = (await chat.AskAsync(Question(), settings)).Metadata!;

        var usage = Assert.IsType<UsageDetails>(metadata["Usage"]);
        Assert.Equal(3, usage.InputTokenCount);
        Assert.Equal(3, usage.InputTextTokenCount);
        Assert.Equal(2, usage.OutputTokenCount);
        Assert.Equal(2, usage.OutputTextTokenCount);
        Assert.Equal(5, usage.TotalTokenCount);
        Assert.Equal(1, usage.CachedInputTokenCount);
        Assert.Equal(expected, Assert.IsType<string>(metadata["FinishReason"]));
        Assert.NotEmpty(Assert.IsType<string>(metadata["Id"]));
        Assert.Equal(Now, metadata["CreatedAt"]);
        Assert.Equal(5L, metadata["Seed"]);
        Assert.Equal("warm", metadata["Adapter"]);
        Assert.Equal(reason == GenerationFinishReason.Repetition, metadata.ContainsKey(AnswerMetadata.RepetitionStopped));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Case_29_the_response_has_id_model_time_finish_reason_and_usage(bool streaming)
    {
        using var chat = new ToyChat(
            ScriptedGenerator.Saying("Hi."),
            builder => builder.Services.AddSingleton<TimeProvider>(new FakeTimeProvider(Now)));

        var first = await chat.AskAsync(Messages(), streaming: streaming);
        var second = await chat.AskAsync(Messages(), streaming: streaming);

        Assert.NotEmpty(first.ResponseId!);
        Assert.NotEqual(first.ResponseId, second.ResponseId);
        Assert.Equal("toy-1b", first.ModelId);
        Assert.Equal(Now, first.CreatedAt);
        Assert.Equal(ChatFinishReason.Stop, first.FinishReason);
        Assert.Equal(4, first.Usage!.TotalTokenCount);
        Assert.Null(first.Usage.CachedInputTokenCount);
        var message = Assert.Single(first.Messages);
        Assert.Equal(ChatRole.Assistant, message.Role);
        Assert.NotEmpty(message.MessageId!);
        Assert.Equal(7L, message.AdditionalProperties![AnswerMetadata.Seed]);
        Assert.Null(first.ConversationId);
    }

    [Fact]
    public async Task Case_30_the_seed_in_use_is_reported_and_asking_with_it_is_asking_the_same()
    {
        using var chat = ToyChat.Saying("Hi.");

        var seed = Assert.IsType<long>((await chat.AskAsync(Question())).Metadata![AnswerMetadata.Seed]);
        Assert.Null(chat.Model.Asked.Seed);
        await chat.AskAsync(Question(), new NextGptPromptExecutionSettings { Seed = seed });
        Assert.Equal(seed, chat.Model.Asked.Seed);
    }

    [Theory]
    [InlineData("")]
    public async Task Case_30_an_empty_stop_sequence_throws(string stop)
    {
        using var chat = ToyChat.Saying("Hi.");

        await Assert.ThrowsAsync<ArgumentException>(
            () => chat.AskAsync(Messages(), new ChatOptions { StopSequences = ["END", stop] }));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Case_34_the_callers_history_messages_and_settings_are_unchanged(bool streaming)
    {
        using var chat = ToyChat.Saying("Hi.");
        var history = Question();
        var before = history.ToList();
        var settings = new NextGptPromptExecutionSettings { ChatSystemPrompt = "Be brief.", Temperature = 0.1 };
        settings.Freeze();

        await chat.AskAsync(history, settings, streaming);
        Assert.Equal(before, history);

        var messages = Messages().ToList();
        var copy = messages.ToList();
        await chat.AskAsync(messages, new ChatOptions { Instructions = "Be brief." }, streaming);
        Assert.Equal(copy, messages);
        Assert.Equal("Hello to you", messages[0].Text);
    }

    [Fact]
    public async Task Case_35_a_kernel_gives_the_answer_as_string_message_and_response()
    {
        using var chat = ToyChat.Saying("Hi", " there.");

        var result = await chat.Kernel.InvokePromptAsync("Hello");
        Assert.Equal("Hi there.", result.GetValue<string>());
        Assert.Equal("Hi there.", result.ToString());
        Assert.Equal("Hi there.", result.GetValue<ChatMessageContent>()!.Content);
        Assert.Equal("toy-1b", result.GetValue<ChatResponse>()!.ModelId);

        var function = KernelFunctionFactory.CreateFromPrompt("Greet {{$name}}.");
        result = await chat.Kernel.InvokeAsync(
            function, new KernelArguments(new NextGptPromptExecutionSettings { TopK = 3 }) { ["name"] = "Ana" });
        Assert.Equal("Hi there.", result.GetValue<string>());
        Assert.Equal("Greet Ana.", ScriptedGenerator.Text(chat.Model.Asked.Messages[0]));
        Assert.Equal(3, chat.Model.Asked.Sampling.TopK);
    }

    private static ChatHistory Question() => new("Hello to you", AuthorRole.User);

    private static ChatMessage[] Messages() => [new(ChatRole.User, "Hello to you")];
}
