using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using NextGpt.ChatService.Attachments;
using NextGpt.Model;

namespace NextGpt.ChatService;

/// <summary>The model as <see cref="IChatClient"/>: one request in, its events out as updates. Thread-safe.</summary>
/// <param name="generator">Answers requests; the container owns it, <see cref="Dispose"/> leaves it alone.</param>
/// <param name="modelId">The id under which this client was registered; asking for it is asking for this model.</param>
/// <param name="time">Stamps answers and measures waits.</param>
/// <param name="meters">The container's meters, or null.</param>
/// <param name="files">Decodes what is attached and encodes what the model makes; null only lets text through.</param>
internal sealed class NextGptChatClient(
    IGenerator generator, string modelId, TimeProvider time, IMeterFactory? meters = null, MediaFiles? files = null)
    : IChatClient
{
    private readonly QueueMeter _queue = new(meters, time);
    private readonly MediaMeter _media = new(meters);
    private readonly MediaFiles _files = files ?? MediaFiles.None;
    private volatile bool _disposed;

    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var updates = AnswerAsync(messages, options, cancellationToken);
        return AnswerUpdates.Join(await updates.ToChatResponseAsync(cancellationToken));
    }

    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        return AnswerAsync(messages, options, cancellationToken);
    }

    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType == typeof(ChatClientMetadata)
                ? new ChatClientMetadata("nextgpt", providerUri: null, generator.ModelId)
            : serviceType == typeof(ModelAbilities) ? generator.Abilities
            : serviceType.IsInstanceOfType(this) ? this
            : null;
    }

    public void Dispose()
    {
        _disposed = true;
        _queue.Dispose();
        _media.Dispose();
    }

    private async IAsyncEnumerable<ChatResponseUpdate> AnswerAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        cancellationToken.ThrowIfCancellationRequested();
        var attachments = new AttachmentReader(_files, generator.Abilities);
        var request = await ChatRequestReader.ReadAsync(
            messages, options, this, [modelId, generator.ModelId], generator.Abilities, attachments, cancellationToken);
        var media = new AnswerMedia(_files.Writer, time, _media, generator.ModelId);
        var answer = new AnswerUpdates(time.GetUtcNow(), media, attachments.Notices.ToArray());

        using var wait = _queue.Begin(generator.ModelId);
        await using var events = generator.GenerateAsync(request, cancellationToken)
            .GetAsyncEnumerator(cancellationToken);
        while (await AdvanceAsync(events))
        {
            wait.End();
            cancellationToken.ThrowIfCancellationRequested();
            if (await answer.NextAsync(events.Current, cancellationToken) is { } update)
            {
                yield return update;
            }
        }

        answer.ThrowIfUnfinished();
    }

    private static async ValueTask<bool> AdvanceAsync(IAsyncEnumerator<GenerationEvent> events)
    {
        try
        {
            return await events.MoveNextAsync();
        }
        catch (GenerationRefusedException refused)
        {
            throw new ChatRefusedException(refused);
        }
    }
}
