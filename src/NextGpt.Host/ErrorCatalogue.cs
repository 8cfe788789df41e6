using System.Collections.Frozen;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace NextGpt.Host;

/// <summary>A line of the catalogue: the code, the HTTP status, the sentence into which values are filled.</summary>
public sealed class ErrorEntry
{
    private const string ReferenceAlphabet = "23456789ABCDEFGHJKMNPQRSTUVWXYZ";
    private readonly CompositeFormat _sentence;

    internal ErrorEntry(string code, int httpStatus, string sentence)
    {
        Code = code;
        HttpStatus = httpStatus;
        _sentence = CompositeFormat.Parse(sentence);
    }

    /// <summary>The same on every surface, for example <c>busy</c>.</summary>
    public string Code { get; }

    /// <summary>The status of an HTTP answer.</summary>
    public int HttpStatus { get; }

    /// <summary>The sentence with its holes, for documents and tests.</summary>
    public string Template => _sentence.Format;

    /// <summary>The error with its values and a fresh reference.</summary>
    /// <param name="values">What goes into the holes, in order; written in the invariant culture.</param>
    public TurnError With(params ReadOnlySpan<object?> values) =>
        new(Code, string.Format(CultureInfo.InvariantCulture, _sentence, values), NewReference())
        {
            HttpStatus = HttpStatus,
        };

    /// <summary>The error with a time after which trying again makes sense.</summary>
    /// <param name="retryAfter">Rounded up to whole seconds, at least one.</param>
    /// <param name="values">What goes into the holes, in order.</param>
    public TurnError RetryIn(TimeSpan retryAfter, params ReadOnlySpan<object?> values) =>
        With(values) with { RetryAfter = TimeSpan.FromSeconds(Math.Max(1, Math.Ceiling(retryAfter.TotalSeconds))) };

    /// <summary>A new reference: four characters that are not mistaken for each other when read out.</summary>
    private static string NewReference() => RandomNumberGenerator.GetString(ReferenceAlphabet, 4);
}

/// <summary>Every error a person or program can meet, as one table used by every surface.</summary>
public static class ErrorCatalogue
{
    /// <summary>No text and no file.</summary>
    public static ErrorEntry EmptyPrompt { get; } = new(
        "empty_prompt", 400, "No text and no file came; write something or attach a file.");

    /// <summary>{0} characters, {1} allowed.</summary>
    public static ErrorEntry PromptHasTooManyCharacters { get; } = new(
        "prompt_too_long", 400, "The message has {0:N0} characters, at most {1:N0} are allowed; shorten it.");

    /// <summary>{0} tokens, {1} fit.</summary>
    public static ErrorEntry PromptHasTooManyTokens { get; } = new(
        "prompt_too_long", 400, "The message has {0:N0} tokens, at most {1:N0} fit; shorten it.");

    /// <summary>{0} the model's sentence.</summary>
    public static ErrorEntry PromptDoesNotFit { get; } = new("prompt_too_long", 400, "{0}");

    /// <summary>{0} setting, {1} its value, {2} what it must be.</summary>
    public static ErrorEntry ValueOutOfRange { get; } = new(
        "invalid_request", 400, "{0} is {1}, it must {2}.");

    /// <summary>{0} a whole sentence.</summary>
    public static ErrorEntry InvalidRequest { get; } = new("invalid_request", 400, "{0}");

    /// <summary>{0} the parameter.</summary>
    public static ErrorEntry UnsupportedParameter { get; } = new(
        "unsupported_parameter", 400, "{0} is not offered; leave it out.");

    /// <summary>{0} what came, {1} what is read.</summary>
    public static ErrorEntry UnsupportedMedia { get; } = new(
        "unsupported_media", 415, "{0} is not supported; send {1}.");

    /// <summary>{0} the sentence of whoever tried to read it.</summary>
    public static ErrorEntry UnreadableMedia { get; } = new("unsupported_media", 415, "{0}");

    /// <summary>{0} the sentence of whoever compared what it says with what it is.</summary>
    public static ErrorEntry ContradictoryMedia { get; } = new("media_mismatch", 415, "{0}");

    /// <summary>{0} the sentence of whoever tried to read it.</summary>
    public static ErrorEntry CorruptMedia { get; } = new("corrupt_media", 422, "{0}");

    /// <summary>{0} the sentence of whoever tried to read it.</summary>
    public static ErrorEntry ImageTooLarge { get; } = new("image_too_large", 413, "{0}");

    /// <summary>{0} the sentence of whoever tried to read it.</summary>
    public static ErrorEntry MediaTooLong { get; } = new("media_too_long", 413, "{0}");

    /// <summary>{0} the file, {1} its MiB, {2} MiB allowed.</summary>
    public static ErrorEntry FileTooLarge { get; } = new(
        "file_too_large", 413, "{0} has {1:0.0} MiB, the limit is {2}; send a smaller one.");

    /// <summary>{0} the sentence of whoever was to read it.</summary>
    public static ErrorEntry FileCannotBeTaken { get; } = new("file_too_large", 413, "{0}");

    /// <summary>{0} what was meant: a picture, a sound, a clip.</summary>
    public static ErrorEntry MediaFailed { get; } = new(
        "media_failed", 200, "I meant to add {0} here but could not make it.");

    /// <summary>{0} number that came, {1} allowed.</summary>
    public static ErrorEntry TooManyFiles { get; } = new(
        "too_many_files", 400, "{0} files came, {1} are allowed; send the others in a second message.");

    /// <summary>A remote address was given as a file.</summary>
    public static ErrorEntry UrlNotAllowed { get; } = new(
        "url_not_allowed", 400, "Files are read only from uploads and data: URLs; this address was not fetched.");

    /// <summary>{0} MiB allowed.</summary>
    public static ErrorEntry RequestTooLarge { get; } = new(
        "file_too_large", 413, "The request is larger than {0} MiB, the most that is read; send less.");

    /// <summary>{0} seconds allowed.</summary>
    public static ErrorEntry RequestTooSlow { get; } = new(
        "timed_out", 408, "The request did not arrive within {0} s; send it again on a faster connection.");

    /// <summary>A key was needed.</summary>
    public static ErrorEntry Unauthorized { get; } = new(
        "unauthorized", 401, "The key is missing, unknown or expired.");

    /// <summary>{0} scope.</summary>
    public static ErrorEntry ScopeMissing { get; } = new("forbidden", 403, "The key lacks the scope \"{0}\".");

    /// <summary>{0} host.</summary>
    public static ErrorEntry HostNotServed { get; } = new(
        "forbidden", 403,
        "This server does not answer for the host \"{0}\"; its operator can add it to NextGpt:Server:AllowedHosts.");

    /// <summary>{0} origin.</summary>
    public static ErrorEntry OriginNotAllowed { get; } = new(
        "forbidden", 403, "Requests from pages of \"{0}\" are not answered; open this server's own page.");

    /// <summary>{0} seconds.</summary>
    public static ErrorEntry TooManyFailures { get; } = new(
        "rate_limited", 429, "Too many wrong keys came from this address; try again in {0} s.");

    /// <summary>{0} own turns waiting, {1} allowed.</summary>
    public static ErrorEntry BusyForPerson { get; } = new(
        "busy", 429, "{0} of your questions are not answered yet, {1} may be; wait for an answer first.");

    /// <summary>{0} turns of the group, {1} allowed.</summary>
    public static ErrorEntry BusyForGroup { get; } = new(
        "busy", 429, "{0} questions from here are not answered yet, {1} may be; try again in about {2} s.");

    /// <summary>{0} waiting, {1} seconds.</summary>
    public static ErrorEntry Busy { get; } = new(
        "busy", 503, "{0} people are waiting; try again in about {1} s.");

    /// <summary>{0} the model's sentence.</summary>
    public static ErrorEntry BusyModel { get; } = new("busy", 503, "{0}");

    /// <summary>{0} seconds.</summary>
    public static ErrorEntry ShuttingDown { get; } = new(
        "busy", 503, "The program is being restarted; try again in about {0} s.");

    /// <summary>{0} minutes waited.</summary>
    public static ErrorEntry QueueTimeout { get; } = new(
        "queue_timeout", 503, "Nobody could answer within {0:0.#} minutes; ask again later.");

    /// <summary>{0} percent, {1} seconds.</summary>
    public static ErrorEntry ModelLoading { get; } = new(
        "model_loading", 503, "The model is loading ({0} %), about {1} s left.");

    /// <summary>{0} why.</summary>
    public static ErrorEntry ModelUnavailable { get; } = new(
        "model_loading", 503, "The model cannot answer: {0}");

    /// <summary>{0} seconds.</summary>
    public static ErrorEntry FirstTokenTimeout { get; } = new(
        "timed_out", 504, "The model did not begin to answer within {0:0.#} s; ask again, or ask something shorter.");

    /// <summary>{0} minutes.</summary>
    public static ErrorEntry TurnTimeout { get; } = new(
        "timed_out", 504, "The answer was not complete after {0:0.#} minutes and was ended; what is there stands.");

    /// <summary>The person was told that their question was lost in a restart.</summary>
    public static ErrorEntry Interrupted { get; } = new(
        "timed_out", 504, "The program ended before this question was answered; ask it again.");

    /// <summary>The same question ended the program twice.</summary>
    public static ErrorEntry Quarantined { get; } = new(
        "internal", 500, "This question ended the program twice and is not tried again; ask it differently.");

    /// <summary>The message came to an end before.</summary>
    public static ErrorEntry AnsweredBefore { get; } = new(
        "invalid_request", 400, "This message was answered already; send a new one.");

    /// <summary>The device ran out of memory.</summary>
    public static ErrorEntry OutOfGpuMemory { get; } = new(
        "out_of_gpu_memory", 503, "The answer did not fit into the memory of the GPU; ask something shorter or try later.");

    /// <summary>Speech was asked for.</summary>
    public static ErrorEntry SpeechNotOffered { get; } = new(
        "speech_not_offered", 501,
        "This model makes sounds and music; it neither speaks nor transcribes speech.");

    /// <summary>{0} why.</summary>
    public static ErrorEntry NotLogged { get; } = new("not_logged", 200, "Turns are not being kept: {0}");

    /// <summary>No such route or thing (also another person's).</summary>
    public static ErrorEntry NotFound { get; } = new(
        "not_found", 404, "There is nothing at {0}; /openapi.json lists what is offered.");

    /// <summary>{0} what was asked for.</summary>
    public static ErrorEntry NoSuchThing { get; } = new("not_found", 404, "There is no such {0}, or it is not yours.");

    /// <summary>{0} method, {1} path.</summary>
    public static ErrorEntry MethodNotAllowed { get; } = new(
        "method_not_allowed", 405, "{0} is not offered at {1}; /openapi.json lists what is.");

    /// <summary>Anything we did not foresee.</summary>
    public static ErrorEntry Internal { get; } = new(
        "internal", 500, "Something failed on our side; the operator has been told.");

    /// <summary>Every entry; several may share a code.</summary>
    public static IReadOnlyList<ErrorEntry> All { get; } =
    [
        EmptyPrompt, PromptHasTooManyCharacters, PromptHasTooManyTokens, PromptDoesNotFit, ValueOutOfRange,
        InvalidRequest, UnsupportedParameter, UnsupportedMedia, UnreadableMedia,
        ContradictoryMedia, CorruptMedia, ImageTooLarge, MediaTooLong, FileTooLarge, FileCannotBeTaken, MediaFailed, TooManyFiles, UrlNotAllowed, RequestTooLarge,
        RequestTooSlow, Unauthorized, ScopeMissing, HostNotServed, OriginNotAllowed, TooManyFailures, BusyForPerson,
        BusyForGroup, Busy, BusyModel, ShuttingDown, QueueTimeout, ModelLoading, ModelUnavailable, FirstTokenTimeout, TurnTimeout,
        Interrupted, Quarantined, AnsweredBefore, OutOfGpuMemory, SpeechNotOffered, NotLogged, NotFound, NoSuchThing, MethodNotAllowed, Internal,
    ];

    /// <summary>The codes, each once.</summary>
    public static IReadOnlySet<string> Codes { get; } = All.Select(entry => entry.Code).ToFrozenSet();
}
