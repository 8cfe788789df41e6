using NextGpt.Model;

namespace NextGpt.ChatService;

/// <summary>Why a call was refused before the first token.</summary>
public enum ChatRefusal
{
    /// <summary>As many calls wait as may wait; try again later.</summary>
    Busy,

    /// <summary>The newest message alone does not fit into the context.</summary>
    PromptTooLong,

    /// <summary>A setting is out of its range or not offered.</summary>
    InvalidRequest,

    /// <summary>The named adapter is not there.</summary>
    UnknownAdapter,

    /// <summary>The weights could not be loaded.</summary>
    ModelUnavailable,
}

/// <summary>A call was refused before the first token; the message is a sentence for the person.</summary>
public sealed class ChatRefusedException : InvalidOperationException
{
    internal ChatRefusedException(GenerationRefusedException cause)
        : base(cause.Message, cause) =>
        Refusal = cause.Refusal switch
        {
            GenerationRefusal.QueueFull => ChatRefusal.Busy,
            GenerationRefusal.PromptTooLong => ChatRefusal.PromptTooLong,
            GenerationRefusal.UnknownAdapter => ChatRefusal.UnknownAdapter,
            GenerationRefusal.ModelUnavailable => ChatRefusal.ModelUnavailable,
            _ => ChatRefusal.InvalidRequest,
        };

    /// <summary>Why.</summary>
    public ChatRefusal Refusal { get; }
}
