using System.ComponentModel.DataAnnotations;

namespace NextGpt.Model;

/// <summary>Which model speaks, on which device, and how much it may use.</summary>
public sealed class ModelOptions
{
    /// <summary>The configuration section.</summary>
    public const string SectionName = "NextGpt:Model";

    /// <summary>
    /// The model: a package (a folder with <c>nextgpt.json</c>), or a language model alone: a GGUF file, or a folder in Hugging Face
    /// layout. Null (default) is the embedded model.
    /// </summary>
    public string? Path { get; init; }

    /// <summary>
    /// <c>auto</c> (default: the first GPU if libtorch sees one, else the CPU), <c>cpu</c>, or <c>cuda:N</c>.
    /// </summary>
    [RegularExpression("^(auto|cpu|cuda:[0-9]{1,2})$",
        ErrorMessage = "NextGpt:Model:Device must be auto, cpu or cuda:N (for example cuda:0).")]
    public string Device { get; init; } = "auto";

    /// <summary>
    /// A folder with another libtorch to use instead of the one that comes with the program, for example
    /// <c>torch/lib</c> of a Python environment with CUDA. Null (default) uses the program's own.
    /// </summary>
    public string? Libtorch { get; init; }

    /// <summary>Longest prompt plus reply, in tokens. Default 2,048.</summary>
    [Range(64, 131_072)]
    public int MaxContextTokens { get; init; } = 2_048;

    /// <summary>Most tokens in one reply when the request does not say. Default 512.</summary>
    [Range(1, 32_768)]
    public int MaxReplyTokens { get; init; } = 512;

    /// <summary>CPU threads for the network. Null (default) is one per core.</summary>
    [Range(1, 256)]
    public int? Threads { get; init; }

    /// <summary>Requests that may wait for the model; one more is refused at once. Default 32.</summary>
    [Range(1, 10_000)]
    public int MaxQueuedRequests { get; init; } = 32;

    /// <summary>
    /// System text used when a request has none. Empty is none; null (default) is the model's own default.
    /// </summary>
    public string? SystemText { get; init; }

    /// <summary>
    /// How conversations are written: <c>chatml</c>, <c>llama3</c>, <c>vicuna-v1.1</c> or <c>vicuna-v0</c>. Null (default)
    /// finds it in the model's files.
    /// </summary>
    [RegularExpression("^(chatml|llama3|vicuna-v1\\.1|vicuna-v0)$",
        ErrorMessage = "NextGpt:Model:Template must be chatml, llama3, vicuna-v1.1 or vicuna-v0.")]
    public string? Template { get; init; }

    /// <summary>Most pictures, sounds and clips in one reply, beside what the package allows of each kind. Default 4.</summary>
    [Range(1, 16)]
    public int MaxMediaPerReply { get; init; } = 4;

    /// <summary>How long a decoder stays in memory after its last use. Default 10 minutes; 0 lets it go at once.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan DecoderRest { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// Memory for what the network remembers of the last conversations' prompts, in MiB, so that a next turn need not
    /// read them again. 0 keeps nothing. Default 256.
    /// </summary>
    [Range(0, 1_000_000)]
    public int PrefixCacheMegabytes { get; init; } = 256;
}
