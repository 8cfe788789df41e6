namespace NextGpt.Media;

/// <summary>Why a file was refused; each has its code in the product's error catalogue.</summary>
public enum MediaProblem
{
    /// <summary>A format or encoding that is not read.</summary>
    Unsupported,

    /// <summary>The bytes are not what the sender says they are.</summary>
    Mismatch,

    /// <summary>The file is damaged or ends early.</summary>
    Corrupt,

    /// <summary>More pixels than are accepted.</summary>
    TooLarge,

    /// <summary>Longer (or shorter) than is accepted.</summary>
    TooLong,

    /// <summary>A file of more bytes than are accepted.</summary>
    TooManyBytes,
}

/// <summary>A file cannot be read; the message is a sentence for the person.</summary>
/// <param name="problem">Why.</param>
/// <param name="message">What was wrong, what was expected, what to do.</param>
public sealed class MediaException(MediaProblem problem, string message) : Exception(message)
{
    /// <summary>Why.</summary>
    public MediaProblem Problem { get; } = problem;
}
