namespace NextGpt.Host;

/// <summary>One turn from ask to answer: admission, order per conversation, fair bounded queue, model, log. Thread-safe.</summary>
public sealed class ConversationRouter
{
    /// <summary>
    /// Answers a turn. The work goes on if the reader leaves, so that <see cref="FollowAsync"/> can pick it up;
    /// only cancelling the token, <see cref="Stop"/> or shutdown ends it.
    /// </summary>
    /// <returns>First <see cref="TurnAccepted"/>, last <see cref="TurnFinished"/> or <see cref="TurnFailed"/>.</returns>
    public IAsyncEnumerable<ReplyPart> AskAsync(IncomingTurn turn, CancellationToken cancellationToken = default) =>
        throw new NotImplementedException();

    /// <summary>The parts of a running or recent turn from the given index on (reload, lost network); owner only.</summary>
    public IAsyncEnumerable<ReplyPart> FollowAsync(
        string turnId, string surface, string personId, int fromPart, CancellationToken cancellationToken = default) =>
        throw new NotImplementedException();

    /// <summary>Stops a turn of this person: what exists is kept, the model is free within one step (TRN-3).</summary>
    /// <returns>False if there is no such running turn of theirs.</returns>
    public bool Stop(string turnId, string surface, string personId) => throw new NotImplementedException();
}
