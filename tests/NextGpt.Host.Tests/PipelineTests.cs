using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using NextGpt.Model;

namespace NextGpt.Host.Tests;

/// <summary>The router over the real chat service, with only the network scripted.</summary>
public sealed class PipelineTests
{
    [Fact]
    public async Task The_answer_comes_through_the_chat_service_with_usage_seed_and_dropped_messages()
    {
        var generator = new ScriptedGenerator(dropped: 2);
        await using var provider = Build(generator);
        var router = provider.GetRequiredService<ConversationRouter>();
        await RouterBench.CollectAsync(router.AskAsync(Turn("one")));

        var parts = await RouterBench.CollectAsync(router.AskAsync(Turn("two") with
        {
            Settings = new TurnSettings { Seed = 77, Temperature = 0, MaxTokens = 9, StopSequences = ["END"] },
        }));

        Assert.Equal("re: two", RouterBench.Text(parts));
        Assert.Equal(77, Assert.IsType<TurnStarted>(parts[1]).Seed);
        Assert.Contains(parts.OfType<AnswerNotice>(), notice => notice.Text.StartsWith("Using the last 1 messages", StringComparison.Ordinal));
        var end = Assert.IsType<TurnFinished>(parts[^1]);
        Assert.Equal(("stop", 20, 4), (end.FinishReason, end.PromptTokens, end.ReplyTokens));
        var request = generator.Requests[1];
        Assert.Equal((77L, 9, 0.0), (request.Seed, request.MaxTokens, request.Sampling.Temperature));
        Assert.Equal(["END"], request.StopSequences);
        Assert.Equal(generator.Requests[0].ConversationKey, request.ConversationKey);
        Assert.NotNull(request.ConversationKey);
    }

    [Theory]
    [InlineData(GenerationRefusal.PromptTooLong, "prompt_too_long", 400)]
    [InlineData(GenerationRefusal.QueueFull, "busy", 503)]
    [InlineData(GenerationRefusal.InvalidRequest, "invalid_request", 400)]
    [InlineData(GenerationRefusal.ModelUnavailable, "model_loading", 503)]
    public async Task A_refusal_of_the_model_keeps_its_sentence(GenerationRefusal refusal, string code, int status)
    {
        await using var provider = Build(new ScriptedGenerator(refusal: refusal));

        var parts = await RouterBench.CollectAsync(provider.GetRequiredService<ConversationRouter>().AskAsync(Turn("hi")));

        var error = Assert.IsType<TurnFailed>(parts[^1]).Error;
        Assert.Equal((code, status), (error.Code, error.HttpStatus));
        Assert.Contains("Because the test says so.", error.Sentence, StringComparison.Ordinal);
    }

    private static ServiceProvider Build(IGenerator generator)
    {
        var services = new ServiceCollection();
        services.AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance);
        services.AddSingleton(typeof(ILogger<>), typeof(NullLogger<>));
        services.AddSingleton(generator);
        services.AddSingleton<Microsoft.Extensions.Configuration.IConfiguration>(
            new Microsoft.Extensions.Configuration.ConfigurationBuilder().Build());
        services.AddNextGpt("nextgpt").AddNextGptHost();
        return services.BuildServiceProvider();
    }

    private static IncomingTurn Turn(string text) => new()
    {
        Surface = "test",
        Conversation = new ConversationId("c"),
        PersonId = "ana",
        MessageId = Guid.NewGuid().ToString("N"),
        Text = text,
    };

    private sealed class ScriptedGenerator(int dropped = 0, GenerationRefusal? refusal = null) : IGenerator
    {
        public List<GenerationRequest> Requests { get; } = [];

        public string ModelId => "toy+adapter";

        public async IAsyncEnumerable<GenerationEvent> GenerateAsync(
            GenerationRequest request, [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            Requests.Add(request);
            await Task.Yield();
            if (refusal is { } why)
            {
                throw new GenerationRefusedException(why, "Because the test says so.");
            }

            yield return new GenerationStarted
            {
                ModelId = ModelId,
                Seed = request.Seed ?? 1,
                PromptTokens = 20,
                CachedPromptTokens = 0,
                DroppedMessages = request.Messages.Count > 1 ? dropped : 0,
            };
            yield return new TextGenerated("re: ");
            yield return new TextGenerated(string.Concat(request.Messages[^1].Parts.OfType<TextPart>().Select(part => part.Text)));
            yield return new GenerationFinished { Reason = GenerationFinishReason.Stop, PromptTokens = 20, ReplyTokens = 4 };
        }
    }
}
