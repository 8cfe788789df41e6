using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.ChatCompletion;
using NextGpt.Media;
using NextGpt.Model;

namespace NextGpt.ChatService.Tests;

/// <summary>The real registrations over a scripted model: client, service and kernel as a program gets them.</summary>
internal sealed class ToyChat : IDisposable
{
    public const string ModelId = "toy";

    private readonly ServiceProvider _services;

    public ToyChat(ScriptedGenerator model, Action<IKernelBuilder>? configure = null)
    {
        Model = model;
        var services = new ServiceCollection();
        services.AddSingleton<IGenerator>(model);
        services.AddSingleton<IMediaReader>(Files);
        services.AddSingleton<IMediaWriter>(Files);
        services.AddNextGpt(ModelId);
        configure?.Invoke(services.AddKernel());
        if (configure is null)
        {
            services.AddKernel();
        }

        _services = services.BuildServiceProvider();
        Client = _services.GetRequiredService<IChatClient>();
        Service = _services.GetRequiredService<IChatCompletionService>();
        Kernel = _services.GetRequiredService<Kernel>();
    }

    public ScriptedGenerator Model { get; }

    public TestMedia Files { get; } = new();

    public IServiceProvider Services => _services;

    public IChatClient Client { get; }

    public IChatCompletionService Service { get; }

    public Kernel Kernel { get; }

    public static ToyChat Saying(params string[] pieces) => new(ScriptedGenerator.Saying(pieces));

    /// <summary>The answer to a history, whole or collected from the stream.</summary>
    public async Task<ChatMessageContent> AskAsync(
        ChatHistory history, PromptExecutionSettings? settings = null, bool streaming = false)
    {
        if (!streaming)
        {
            return await Service.GetChatMessageContentAsync(history, settings, Kernel);
        }

        var chunks = await CollectAsync(Service.GetStreamingChatMessageContentsAsync(history, settings, Kernel));
        return new ChatMessageContent(
            AuthorRole.Assistant, string.Concat(chunks), chunks[^1].ModelId, metadata: chunks[^1].Metadata);
    }

    /// <summary>The answer to messages, whole or joined from the stream.</summary>
    public Task<ChatResponse> AskAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, bool streaming = false) =>
        streaming
            ? Client.GetStreamingResponseAsync(messages, options).ToChatResponseAsync()
            : Client.GetResponseAsync(messages, options);

    public static async Task<List<T>> CollectAsync<T>(IAsyncEnumerable<T> stream)
    {
        List<T> list = [];
        await foreach (var item in stream)
        {
            list.Add(item);
        }

        return list;
    }

    public void Dispose() => _services.Dispose();
}
