namespace NextGpt.Conversations;

/// <summary>Messages answered once, also across restarts (product 2.1). No content, hence no consent is needed.</summary>
public sealed partial class ConversationLog
{
    /// <summary>
    /// Begins work on a message; returns once its key and attempt are on the disk, or in memory only while the disk fails.
    /// </summary>
    /// <param name="messageKey">Unique key: surface, message id, revision; 1 to 500 characters.</param>
    /// <param name="route">
    /// What the surface needs to answer there after a restart, e.g. ids of channel and message; never content. Forgotten
    /// once the message is ended.
    /// </param>
    /// <param name="cancellationToken">Gives up before the work begins.</param>
    public Task<MessageBegin> TryBeginMessageAsync(
        string messageKey, string? route = null, CancellationToken cancellationToken = default)
    {
        CheckKey(messageKey);
        if (route is { Length: > 2_000 })
        {
            throw new ArgumentException("A route has at most 2,000 characters; it is for ids, not for content.", nameof(route));
        }

        cancellationToken.ThrowIfCancellationRequested();
        return _messages.BeginAsync(Volatile.Read(ref _secret).MessageOf(messageKey), messageKey, route ?? "");
    }

    /// <summary>Ends work on a message: from now on it is a duplicate.</summary>
    public Task CompleteMessageAsync(
        string messageKey, MessageEnd end, CancellationToken cancellationToken = default)
    {
        CheckKey(messageKey);
        cancellationToken.ThrowIfCancellationRequested();
        return _messages.EndAsync(Volatile.Read(ref _secret).MessageOf(messageKey), end);
    }

    /// <summary>
    /// Messages that an earlier process began and did not end, oldest first. Tell each sender once, then end it with
    /// <see cref="MessageEnd.LostAndTold"/>.
    /// </summary>
    public IReadOnlyList<InterruptedMessage> ListInterruptedMessages() => _messages.Interrupted();

    private static void CheckKey(string messageKey)
    {
        if (messageKey is not { Length: > 0 and <= 500 })
        {
            throw new ArgumentException("A message key has 1 to 500 characters.", nameof(messageKey));
        }
    }
}
