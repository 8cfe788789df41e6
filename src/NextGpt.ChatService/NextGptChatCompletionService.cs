using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.ChatCompletion;
using Microsoft.SemanticKernel.Services;

namespace NextGpt.ChatService;

/// <summary>The chat pipeline as Semantic Kernel's chat service and, unchanged, as <see cref="IChatClient"/>.</summary>
/// <remarks>
/// One object of both types, so that neither <c>AsChatClient()</c> nor <c>AsChatCompletionService()</c> puts a bridge
/// between, which would drop media, usage and finish reason. Thread-safe.
/// </remarks>
internal sealed class NextGptChatCompletionService : IChatCompletionService, IChatClient
{
    private readonly IChatClient _pipeline;
    private readonly bool _ownsPipeline;
    private bool _disposed;

    /// <summary>Puts both faces on a pipeline.</summary>
    /// <param name="pipeline">Answers.</param>
    /// <param name="modelId">The id under which a kernel finds this service.</param>
    /// <param name="ownsPipeline">Whether disposing this disposes the pipeline.</param>
    public NextGptChatCompletionService(IChatClient pipeline, string modelId, bool ownsPipeline = true)
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        ArgumentException.ThrowIfNullOrWhiteSpace(modelId);
        _pipeline = pipeline;
        _ownsPipeline = ownsPipeline;
        Attributes = new Dictionary<string, object?> { [AIServiceExtensions.ModelIdKey] = modelId }.AsReadOnly();
    }

    public IReadOnlyDictionary<string, object?> Attributes { get; }

    public async Task<IReadOnlyList<ChatMessageContent>> GetChatMessageContentsAsync(
        ChatHistory chatHistory, PromptExecutionSettings? executionSettings = null, Kernel? kernel = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(chatHistory);
        ObjectDisposedException.ThrowIf(_disposed, this);
        var settings = NextGptPromptExecutionSettings.FromExecutionSettings(executionSettings);
        var messages = KernelContentMapper.ToChatMessages(settings.Prepare(chatHistory));

        var response = await _pipeline.GetResponseAsync(messages, settings.ToChatOptions(kernel), cancellationToken);

        // Calls and results of earlier rounds belong to the caller's history, the answer is returned.
        IReadOnlyList<ChatMessageContent> answers =
            [.. response.Messages.Select(message => KernelContentMapper.ToKernelMessage(message, response, kernel))];
        chatHistory.AddRange(answers.SkipLast(1));
        return [.. answers.TakeLast(1)];
    }

    public IAsyncEnumerable<StreamingChatMessageContent> GetStreamingChatMessageContentsAsync(
        ChatHistory chatHistory, PromptExecutionSettings? executionSettings = null, Kernel? kernel = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(chatHistory);
        return StreamAsync(chatHistory, executionSettings, kernel, cancellationToken);
    }

    public Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null,
        CancellationToken cancellationToken = default) =>
        _pipeline.GetResponseAsync(messages, options, cancellationToken);

    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null,
        CancellationToken cancellationToken = default) =>
        _pipeline.GetStreamingResponseAsync(messages, options, cancellationToken);

    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType.IsInstanceOfType(this) ? this
            : _pipeline.GetService(serviceType);
    }

    /// <summary>Ends this service; the model stays loaded, the container owns it. May be called twice.</summary>
    public void Dispose()
    {
        if (!_disposed && _ownsPipeline)
        {
            _pipeline.Dispose();
        }

        _disposed = true;
    }

    private async IAsyncEnumerable<StreamingChatMessageContent> StreamAsync(
        ChatHistory chatHistory, PromptExecutionSettings? executionSettings, Kernel? kernel,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var settings = NextGptPromptExecutionSettings.FromExecutionSettings(executionSettings);
        var messages = KernelContentMapper.ToChatMessages(settings.Prepare(chatHistory));
        var usage = new UsageDetails();
        List<ChatResponseUpdate> round = [];
        ChatResponseUpdate? roundEnd = null;

        await foreach (var update in _pipeline.GetStreamingResponseAsync(
            messages, settings.ToChatOptions(kernel), cancellationToken))
        {
            // The end of a round is the end of the answer only if nothing follows it.
            if (roundEnd is not null)
            {
                yield return KernelContentMapper.ToChunk(roundEnd, usage: null, kernel);
                roundEnd = null;
            }

            round.Add(update);
            foreach (var spent in update.Contents.OfType<UsageContent>())
            {
                usage.Add(spent.Details);
            }

            if (update.Contents.OfType<Microsoft.Extensions.AI.FunctionResultContent>().Any())
            {
                var exchange = AnswerUpdates.Join(round.ToChatResponse());
                chatHistory.AddRange(exchange.Messages.Select(
                    message => KernelContentMapper.ToKernelMessage(message, exchange, kernel)));
                round.Clear();
            }

            if (update.FinishReason is not null)
            {
                roundEnd = update;
            }
            else
            {
                yield return KernelContentMapper.ToChunk(update, usage: null, kernel);
            }
        }

        if (roundEnd is not null)
        {
            yield return KernelContentMapper.ToChunk(roundEnd, usage, kernel);
        }
    }
}
