namespace NextGpt.Bots.Teams.Connector;

/// <summary>Gives the bot's own token for the service.</summary>
internal interface ITokenSource
{
    /// <summary>The token; null where none is needed (local mode).</summary>
    /// <param name="fresh">Whether the known one was refused and a new one must be asked for.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="TokenUnavailableException">There is none; the message is for the operator.</exception>
    Task<string?> GetAsync(bool fresh, CancellationToken cancellationToken = default);
}

/// <summary>No token is needed: the service is a playground on this machine.</summary>
internal sealed class NoToken : ITokenSource
{
    /// <inheritdoc/>
    public Task<string?> GetAsync(bool fresh, CancellationToken cancellationToken = default) => Task.FromResult<string?>(null);
}

/// <summary>The bot's token could not be had.</summary>
/// <param name="message">What was wrong and what to do, for the operator.</param>
internal sealed class TokenUnavailableException(string message) : Exception(message);
