using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.AudioToText;
using Microsoft.SemanticKernel.ChatCompletion;
using Microsoft.SemanticKernel.ImageToText;
using Microsoft.SemanticKernel.Services;
using Microsoft.SemanticKernel.TextToAudio;
using Microsoft.SemanticKernel.TextToImage;
using NextGpt.Model;

namespace NextGpt.ChatService.Tests;

/// <summary>Service and registration: cases 1 to 10 of the connector contract.</summary>
public sealed class RegistrationTests
{
    [Fact]
    public void Case_01_attributes_hold_the_model_id_and_nothing_else()
    {
        using var chat = ToyChat.Saying("Hi.");

        Assert.Equal("toy", chat.Service.GetModelId());
        Assert.Equal([AIServiceExtensions.ModelIdKey], chat.Service.Attributes.Keys);
        Assert.Null(chat.Service.GetEndpoint());
        Assert.Null(chat.Service.GetApiVersion());
    }

    [Fact]
    public void Case_02_get_service_gives_metadata_itself_and_inner_services_but_nothing_under_a_key()
    {
        using var chat = ToyChat.Saying("Hi.");

        var metadata = chat.Client.GetRequiredService<ChatClientMetadata>();
        Assert.Equal("nextgpt", metadata.ProviderName);
        Assert.Equal("toy-1b", metadata.DefaultModelId);
        Assert.Null(metadata.ProviderUri);
        Assert.Same(chat.Client, chat.Client.GetService<IChatClient>());
        Assert.Same(chat.Client, chat.Client.GetService<IChatCompletionService>());
        Assert.NotNull(chat.Client.GetService<FunctionInvokingChatClient>());
        Assert.NotNull(chat.Client.GetService<OpenTelemetryChatClient>());
        Assert.Same(ModelAbilities.TextOnly, chat.Client.GetService<ModelAbilities>());
        var model = chat.Client.GetRequiredService<NextGptChatClient>();
        Assert.Same(model, model.GetService<NextGptChatClient>());

        Assert.Null(chat.Client.GetService<string>());
        foreach (var client in new[] { chat.Client, model })
        {
            Assert.Null(client.GetService(typeof(IChatClient), "key"));
            Assert.Null(client.GetService(typeof(ChatClientMetadata), "key"));
            Assert.Throws<ArgumentNullException>("serviceType", () => client.GetService(null!));
        }
    }

    [Fact]
    public async Task Case_03_null_and_blank_arguments_throw_with_the_parameters_name()
    {
        IServiceCollection services = new ServiceCollection();
        var builder = Kernel.CreateBuilder();
        using var chat = ToyChat.Saying("Hi.");

        Action<string?, string?>[] registrations =
        [
            (model, id) => services.AddNextGptChatClient(model!, id),
            (model, id) => services.AddNextGptChatCompletion(model!, id),
            (model, id) => services.AddNextGptChatCompletion(model!, chat.Client, id),
            (model, id) => services.AddNextGptTextToImage(model!, id),
            (model, id) => services.AddNextGptTextToAudio(model!, id),
            (model, id) => services.AddNextGptAudioToText(model!, id),
            (model, id) => services.AddNextGptImageToText(model!, id),
            (model, id) => services.AddNextGptImageGenerator(model!, id),
            (model, id) => services.AddNextGptEmbeddingGenerator(model!, id),
            (model, id) => services.AddNextGpt(model!, id),
            (model, id) => builder.AddNextGptChatClient(model!, id),
            (model, id) => builder.AddNextGptChatCompletion(model!, id),
            (model, id) => builder.AddNextGptChatCompletion(model!, chat.Client, id),
            (model, id) => builder.AddNextGptTextToImage(model!, id),
            (model, id) => builder.AddNextGptTextToAudio(model!, id),
            (model, id) => builder.AddNextGptAudioToText(model!, id),
            (model, id) => builder.AddNextGptImageToText(model!, id),
            (model, id) => builder.AddNextGptImageGenerator(model!, id),
            (model, id) => builder.AddNextGptEmbeddingGenerator(model!, id),
            (model, id) => builder.AddNextGpt(model!, id),
        ];
        foreach (var register in registrations)
        {
            Assert.Throws<ArgumentNullException>("modelId", () => register(null, null));
            Assert.Throws<ArgumentException>("modelId", () => register(" ", null));
            Assert.Throws<ArgumentException>("serviceId", () => register("toy", ""));
            Assert.Throws<ArgumentException>("serviceId", () => register("toy", " "));
        }

        Assert.Throws<ArgumentNullException>("services", () => default(IServiceCollection)!.AddNextGpt("toy"));
        Assert.Throws<ArgumentNullException>("builder", () => default(IKernelBuilder)!.AddNextGpt("toy"));
        Assert.Throws<ArgumentNullException>(
            "chatClient", () => services.AddNextGptChatCompletion("toy", default(IChatClient)!));
        Assert.Throws<ArgumentNullException>("pipeline", () => new NextGptChatCompletionService(null!, "toy"));
        Assert.Throws<ArgumentException>("modelId", () => new NextGptChatCompletionService(chat.Client, " "));
        await Assert.ThrowsAsync<ArgumentNullException>(
            "messages", () => chat.Client.GetResponseAsync(default(IEnumerable<ChatMessage>)!));
        await Assert.ThrowsAsync<ArgumentNullException>(
            "chatHistory", () => chat.Service.GetChatMessageContentsAsync(default(ChatHistory)!));
        Assert.Throws<ArgumentNullException>(
            "chatHistory", () => { chat.Service.GetStreamingChatMessageContentsAsync(default(ChatHistory)!); });
    }

    [Theory]
    [InlineData(null)]
    [InlineData("one")]
    public void Case_04_each_registration_resolves_its_interface_on_services_and_kernel_builder(string? serviceId)
    {
        var client = Decorated();
        (Type Service, Action<IServiceCollection> Add)[] registrations =
        [
            (typeof(IChatClient), services => services.AddNextGptChatClient("toy", serviceId)),
            (typeof(IChatCompletionService), services => services.AddNextGptChatCompletion("toy", serviceId)),
            (typeof(IChatCompletionService), services => services.AddNextGptChatCompletion("toy", client, serviceId)),
            (typeof(IChatClient), services => services.AddNextGpt("toy", serviceId)),
            (typeof(IChatCompletionService), services => services.AddNextGpt("toy", serviceId)),
            (typeof(IChatClient), services => BuilderOf(services).AddNextGptChatClient("toy", serviceId)),
            (typeof(IChatCompletionService),
                services => BuilderOf(services).AddNextGptChatCompletion("toy", serviceId)),
            (typeof(IChatCompletionService),
                services => BuilderOf(services).AddNextGptChatCompletion("toy", client, serviceId)),
            (typeof(IChatClient), services => BuilderOf(services).AddNextGpt("toy", serviceId)),
            (typeof(IChatCompletionService), services => BuilderOf(services).AddNextGpt("toy", serviceId)),
        ];
        foreach (var (service, add) in registrations)
        {
            var services = new ServiceCollection();
            services.AddSingleton<IGenerator>(ScriptedGenerator.Saying("Hi."));
            add(services);
            using var provider = services.BuildServiceProvider();

            Assert.IsType<NextGptChatCompletionService>(provider.GetRequiredKeyedService(service, serviceId));
            Assert.Null(provider.GetKeyedService<IChatClient>("another"));
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("one")]
    public void Case_04_each_single_modality_resolves_alone_and_with_everything(string? serviceId)
    {
        (Type Service, Action<IServiceCollection> Add, Action<IKernelBuilder> AddTwin)[] registrations =
        [
            (typeof(ITextToImageService), services => services.AddNextGptTextToImage("toy", serviceId),
                builder => builder.AddNextGptTextToImage("toy", serviceId)),
            (typeof(ITextToAudioService), services => services.AddNextGptTextToAudio("toy", serviceId),
                builder => builder.AddNextGptTextToAudio("toy", serviceId)),
            (typeof(IAudioToTextService), services => services.AddNextGptAudioToText("toy", serviceId),
                builder => builder.AddNextGptAudioToText("toy", serviceId)),
            (typeof(IImageToTextService), services => services.AddNextGptImageToText("toy", serviceId),
                builder => builder.AddNextGptImageToText("toy", serviceId)),
            (typeof(IImageGenerator), services => services.AddNextGptImageGenerator("toy", serviceId),
                builder => builder.AddNextGptImageGenerator("toy", serviceId)),
            (typeof(IEmbeddingGenerator<DataContent, Embedding<float>>),
                services => services.AddNextGptEmbeddingGenerator("toy", serviceId),
                builder => builder.AddNextGptEmbeddingGenerator("toy", serviceId)),
        ];
        foreach (var (service, add, addTwin) in registrations)
        {
            foreach (var register in new Action<IServiceCollection>[]
            {
                add, services => addTwin(BuilderOf(services)), services => services.AddNextGpt("toy", serviceId),
            })
            {
                var services = new ServiceCollection();
                services.AddSingleton<IGenerator>(ScriptedArtist.Create());
                register(services);
                using var provider = services.BuildServiceProvider();

                Assert.StartsWith(
                    "NextGpt", provider.GetRequiredKeyedService(service, serviceId).GetType().Name, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public async Task Case_04_two_service_ids_live_side_by_side_over_one_model()
    {
        var model = ScriptedGenerator.Saying("Hi.");
        var builder = Kernel.CreateBuilder();
        builder.Services.AddSingleton<IGenerator>(model);
        builder.AddNextGpt("small", "one").AddNextGpt("large", "two");
        var kernel = builder.Build();

        var one = kernel.GetRequiredService<IChatCompletionService>("one");
        var two = kernel.GetRequiredService<IChatCompletionService>("two");
        Assert.NotSame(one, two);
        Assert.Equal("small", one.GetModelId());
        Assert.Equal("large", two.GetModelId());
        await one.GetChatMessageContentAsync("a");
        await two.GetChatMessageContentAsync("b");
        Assert.Equal(2, model.Requests.Count);
    }

    [Fact]
    public async Task Case_04_a_model_registered_under_the_model_id_answers_for_it()
    {
        var builder = Kernel.CreateBuilder();
        builder.Services.AddSingleton<IGenerator>(ScriptedGenerator.Saying("shared"));
        builder.Services.AddKeyedSingleton<IGenerator>("large", ScriptedGenerator.Saying("own"));
        builder.AddNextGpt("small", "one").AddNextGpt("large", "two");
        var kernel = builder.Build();

        Assert.Equal("shared", (await kernel.GetRequiredService<IChatClient>("one").GetResponseAsync("a")).Text);
        Assert.Equal("own", (await kernel.GetRequiredService<IChatClient>("two").GetResponseAsync("a")).Text);
    }

    [Fact]
    public void Case_05_registration_makes_no_model_and_a_missing_one_is_said_in_a_sentence()
    {
        var made = 0;
        var services = new ServiceCollection();
        services.AddSingleton<IGenerator>(_ =>
        {
            made++;
            return ScriptedGenerator.Saying("Hi.");
        });
        services.AddNextGpt("toy").AddNextGpt("toy", "id");
        using (var provider = services.BuildServiceProvider())
        {
            Assert.Equal(0, made);
            provider.GetRequiredService<IChatClient>();
            provider.GetRequiredKeyedService<IChatClient>("id");
            Assert.Equal(1, made);
        }

        using var without = new ServiceCollection().AddNextGptChatClient("toy").BuildServiceProvider();
        var missing = Assert.Throws<InvalidOperationException>(() => without.GetRequiredService<IChatClient>());
        Assert.Contains("AddNextGptModel", missing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Case_05_registration_reads_no_file_and_starts_no_thread_and_the_first_call_says_what_is_missing()
    {
        var services = new ServiceCollection();
        services.AddNextGptModel(new ModelOptions { Path = "no-such-model.gguf" });
        services.AddNextGpt("toy").AddKernel();
        await using var provider = services.BuildServiceProvider();

        var client = provider.GetRequiredService<IChatClient>();
        Assert.Equal(ModelState.NotLoaded, provider.GetRequiredService<ModelThread>().Status.State);
        Assert.Equal("no-such-model", client.GetRequiredService<ChatClientMetadata>().DefaultModelId);

        var refused = await Assert.ThrowsAsync<ChatRefusedException>(() => client.GetResponseAsync("Hello"));
        Assert.Equal(ChatRefusal.ModelUnavailable, refused.Refusal);
        Assert.Contains("no-such-model.gguf", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Case_05_everything_brings_the_model_unless_one_is_there()
    {
        await using var alone = new ServiceCollection().AddNextGpt("toy").BuildServiceProvider();
        Assert.IsType<ModelThread>(alone.GetRequiredService<IGenerator>());

        var kernel = Kernel.CreateBuilder().AddNextGptModel().AddNextGptChatClient("toy").Build();
        Assert.NotNull(kernel.GetRequiredService<IChatClient>());
        kernel = Kernel.CreateBuilder().AddNextGptModel(new ModelOptions { Path = "a.gguf" }).AddNextGpt("toy").Build();
        Assert.Equal("a", kernel.GetRequiredService<IChatClient>().GetRequiredService<ChatClientMetadata>().DefaultModelId);
    }

    [Fact]
    public async Task Case_06_a_logger_factory_is_used_if_present_and_not_needed_if_absent()
    {
        using var without = ToyChat.Saying("Hi.");
        Assert.Null(without.Client.GetService<LoggingChatClient>());
        Assert.Equal("Hi.", (await without.Client.GetResponseAsync("Hello")).Text);

        using var logs = new RememberedLogs(LogLevel.Debug);
        using var with = new ToyChat(
            ScriptedGenerator.Saying("Hi."), builder => builder.Services.AddSingleton<ILoggerFactory>(logs));
        Assert.NotNull(with.Client.GetService<LoggingChatClient>());
        await with.Client.GetResponseAsync("Hello");
        Assert.Contains(logs.Lines, line => line.Contains("GetResponseAsync", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Case_07_a_kernel_selects_by_service_id_then_model_id_then_the_last_and_an_unknown_id_throws()
    {
        var builder = Kernel.CreateBuilder();
        builder.Services.AddKeyedSingleton<IGenerator>("small", ScriptedGenerator.Saying("small"));
        builder.Services.AddKeyedSingleton<IGenerator>("large", ScriptedGenerator.Saying("large"));
        builder.AddNextGpt("small", "one").AddNextGpt("large", "two");
        var kernel = builder.Build();

        Assert.Equal("small", await AskAsync(new NextGptPromptExecutionSettings { ServiceId = "one" }));
        Assert.Equal("large", await AskAsync(new PromptExecutionSettings { ServiceId = "two" }));
        Assert.Equal("small", await AskAsync(new NextGptPromptExecutionSettings { ModelId = "small" }));
        Assert.Equal("large", await AskAsync(settings: null));
        await Assert.ThrowsAsync<KernelException>(
            () => AskAsync(new NextGptPromptExecutionSettings { ServiceId = "three" }));

        async Task<string?> AskAsync(PromptExecutionSettings? settings) =>
            await kernel.InvokePromptAsync<string>("Who?", settings is null ? [] : new KernelArguments(settings));
    }

    [Fact]
    public async Task Case_08_a_disposed_service_says_so_twice_disposed_is_fine_and_the_model_lives_on()
    {
        var model = ScriptedGenerator.Saying("Hi.");
        var services = new ServiceCollection();
        services.AddSingleton<IGenerator>(model);
        services.AddNextGpt("toy");
        var provider = services.BuildServiceProvider();
        var client = provider.GetRequiredService<IChatClient>();
        var service = provider.GetRequiredService<IChatCompletionService>();
        await client.GetResponseAsync("a");

        client.Dispose();
        client.Dispose();
        await provider.DisposeAsync();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.GetResponseAsync("a"));
        await Assert.ThrowsAsync<ObjectDisposedException>(
            () => ToyChat.CollectAsync(client.GetStreamingResponseAsync("a")));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => service.GetChatMessageContentAsync("a"));
        await Assert.ThrowsAsync<ObjectDisposedException>(
            () => ToyChat.CollectAsync(service.GetStreamingChatMessageContentsAsync("a")));

        using var another = new ToyChat(model);
        Assert.Equal("Hi.", (await another.Client.GetResponseAsync("a")).Text);
    }

    [Fact]
    public async Task Case_08_a_client_of_the_callers_is_not_disposed_with_the_service()
    {
        using var chat = ToyChat.Saying("Hi.");
        var services = new ServiceCollection();
        services.AddNextGptChatCompletion("mine", chat.Client);
        await using (var provider = services.BuildServiceProvider())
        {
            var service = provider.GetRequiredService<IChatCompletionService>();
            Assert.Equal("Hi.", (await service.GetChatMessageContentAsync("a")).Content);
        }

        Assert.Equal("Hi.", (await chat.Client.GetResponseAsync("a")).Text);
    }

    [Fact]
    public async Task Case_09_sixteen_calls_at_once_each_get_their_own_answer()
    {
        // Nobody is answered before all sixteen have arrived: a client that lets one in at a time would hang here.
        var arrived = 0;
        var all = new TaskCompletionSource();
        using var chat = new ToyChat(new ScriptedGenerator(AnswerWhenAllCameAsync));

        var answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(async i => i % 2 == 0
            ? (await chat.Client.GetResponseAsync($"person {i}")).Text
            : (await chat.AskAsync(new ChatHistory($"person {i}", AuthorRole.User), streaming: true)).Content));

        Assert.Equal(Enumerable.Range(0, 16).Select(i => $"Hello, person {i}."), answers);
        Assert.Equal(0, chat.Model.Running);

        async IAsyncEnumerable<GenerationEvent> AnswerWhenAllCameAsync(
            GenerationRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            if (Interlocked.Increment(ref arrived) == 16)
            {
                all.SetResult();
            }

            await all.Task.WaitAsync(TimeSpan.FromSeconds(30), cancellationToken);
            await foreach (var generationEvent in ScriptedGenerator.Speak(
                request, ["Hello, ", ScriptedGenerator.Text(request.Messages[^1]), "."]))
            {
                yield return generationEvent;
            }
        }
    }

    [Theory]
    [InlineData(GenerationRefusal.QueueFull, ChatRefusal.Busy)]
    [InlineData(GenerationRefusal.PromptTooLong, ChatRefusal.PromptTooLong)]
    [InlineData(GenerationRefusal.InvalidRequest, ChatRefusal.InvalidRequest)]
    [InlineData(GenerationRefusal.UnknownAdapter, ChatRefusal.UnknownAdapter)]
    [InlineData(GenerationRefusal.ModelUnavailable, ChatRefusal.ModelUnavailable)]
    public async Task Case_09_a_refused_call_throws_before_the_first_chunk_with_the_models_sentence(
        GenerationRefusal refusal, ChatRefusal expected)
    {
        const string Sentence = "32 people are waiting; try again in about 40 s.";
        using var chat = new ToyChat(
            new ScriptedGenerator((_, _) => throw new GenerationRefusedException(refusal, Sentence)));

        foreach (var ask in new Func<Task>[]
        {
            () => chat.Client.GetResponseAsync("a"),
            () => ToyChat.CollectAsync(chat.Client.GetStreamingResponseAsync("a")),
            () => chat.Service.GetChatMessageContentAsync("a"),
            () => ToyChat.CollectAsync(chat.Service.GetStreamingChatMessageContentsAsync("a")),
        })
        {
            var thrown = await Assert.ThrowsAsync<ChatRefusedException>(ask);
            Assert.Equal(expected, thrown.Refusal);
            Assert.Equal(Sentence, thrown.Message);
        }

        Assert.Equal(0, chat.Model.Running);
    }

    [Fact]
    public void Case_10_both_bridges_return_the_object_itself()
    {
        using var chat = ToyChat.Saying("Hi.");

        Assert.Same(chat.Client, chat.Service);
        Assert.Same(chat.Service, chat.Service.AsChatClient());
        Assert.Same(chat.Client, chat.Client.AsChatCompletionService());
    }

    private static IChatClient Decorated() =>
        new NextGptChatClient(ScriptedGenerator.Saying("Hi."), "toy", TimeProvider.System)
            .AsBuilder().ConfigureOptions(_ => { }).Build();

    private static IKernelBuilder BuilderOf(IServiceCollection services) => services.AddKernel();
}
