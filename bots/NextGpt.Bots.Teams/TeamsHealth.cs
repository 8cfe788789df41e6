namespace NextGpt.Bots.Teams;

/// <summary>Whether the bot can work; if not, other platforms go on without it (DEG-1). Thread-safe.</summary>
public sealed class TeamsHealth
{
    private volatile string? _problem;
    private volatile string? _warning;

    /// <summary>Why the bot cannot work at all, as a sentence for the operator; null if it can.</summary>
    public string? Problem => _problem;

    /// <summary>Why it cannot speak at the moment, as a sentence for the operator; null if it can.</summary>
    public string? Warning => _warning;

    internal void Fail(string because) => _problem = because;

    internal void Warn(string? because) => _warning = because;
}
