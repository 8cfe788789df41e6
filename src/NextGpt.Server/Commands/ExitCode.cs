namespace NextGpt.Server.Commands;

/// <summary>What the program says to the shell (CLI-2).</summary>
internal static class ExitCode
{
    /// <summary>It was done.</summary>
    public const int Done = 0;

    /// <summary>It failed.</summary>
    public const int Failed = 1;

    /// <summary>It was asked wrongly.</summary>
    public const int Usage = 2;

    /// <summary>A rule or the gate refused it.</summary>
    public const int Refused = 3;

    /// <summary>Another process holds the log.</summary>
    public const int Locked = 4;

    /// <summary>It was stopped.</summary>
    public const int Stopped = 130;
}
