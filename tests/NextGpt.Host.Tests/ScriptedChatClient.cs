using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.AI;

namespace NextGpt.Host.Tests;

/// <summary>A chat client whose answers a test speaks: by hand through <see cref="NextCallAsync"/>, or by a rule.</summary>
internal sealed class ScriptedChatClient : IChatClient
{
    private readonly Channel<ScriptedCall> _calls = Channel.CreateUnbounded<ScriptedCall>();
    private readonly List<ScriptedCall> _all = [];

    /// <summary>Answers every call at once; null leaves it to the test.</summary>
    public Action<ScriptedCall>? Rule { get; set; }

    public IReadOnlyList<ScriptedCall> Calls
    {
        get
        {
            lock (_all)
            {
                return [.. _all];
            }
        }
    }

    public async Task<ScriptedCall> NextCallAsync() =>
        await _calls.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(60));

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var call = new ScriptedCall([.. messages], options ?? new ChatOptions(), cancellationToken);
        lock (_all)
        {
            _all.Add(call);
        }

        Rule?.Invoke(call);
        _calls.Writer.TryWrite(call);
        await foreach (var update in call.Updates.ReadAllAsync(cancellationToken))
        {
            yield return update;
        }
    }

    public Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceType == typeof(ChatClientMetadata) ? new ChatClientMetadata("scripted", null, "scripted-1") : null;

    public void Dispose()
    {
    }
}

/// <summary>One call of the scripted client.</summary>
internal sealed class ScriptedCall(IReadOnlyList<ChatMessage> messages, ChatOptions options, CancellationToken stopped)
{
    private readonly Channel<ChatResponseUpdate> _updates = Channel.CreateUnbounded<ChatResponseUpdate>();

    public IReadOnlyList<ChatMessage> Messages => messages;

    public ChatOptions Options => options;

    public CancellationToken Stopped => stopped;

    public string Question => messages[^1].Text;

    public ChannelReader<ChatResponseUpdate> Updates => _updates.Reader;

    public ScriptedCall Say(string text)
    {
        _updates.Writer.TryWrite(new ChatResponseUpdate(ChatRole.Assistant, text) { ModelId = "scripted-1" });
        return this;
    }

    /// <summary>An update about a medium, as the chat service sends them.</summary>
    public ScriptedCall Media(
        string status, string kind = "image", int index = 0, double? progress = null, byte[]? file = null,
        string? type = null, string? caption = null, string? error = null)
    {
        var update = new ChatResponseUpdate(ChatRole.Assistant, (IList<AIContent>)[])
        {
            ModelId = "scripted-1",
            AdditionalProperties = new AdditionalPropertiesDictionary
            {
                ["MediaStatus"] = status,
                ["MediaKind"] = kind,
                ["MediaIndex"] = index,
            },
        };
        if (progress is not null)
        {
            update.AdditionalProperties["MediaProgress"] = progress;
        }

        if (file is not null)
        {
            update.Contents.Add(new DataContent(file, type ?? "image/png")
            {
                AdditionalProperties = caption is null ? null : new AdditionalPropertiesDictionary { ["Caption"] = caption },
            });
        }

        if (error is not null)
        {
            update.Contents.Add(new ErrorContent(error));
        }

        _updates.Writer.TryWrite(update);
        return this;
    }

    public void End(int dropped = 0, string reason = "stop")
    {
        var update = new ChatResponseUpdate(
            ChatRole.Assistant, [new UsageContent(new UsageDetails { InputTokenCount = 11, OutputTokenCount = 7 })])
        {
            ModelId = "scripted-1",
            FinishReason = new ChatFinishReason(reason),
        };
        if (dropped > 0)
        {
            update.AdditionalProperties = new AdditionalPropertiesDictionary { ["TruncatedMessages"] = dropped };
        }

        _updates.Writer.TryWrite(update);
        _updates.Writer.Complete();
    }

    public void Fail(Exception failure) => _updates.Writer.Complete(failure);
}
