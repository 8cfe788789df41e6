using System.Collections.ObjectModel;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.AI;
using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.ChatCompletion;

namespace NextGpt.ChatService;

/// <summary>Settings of one answer, for prompts and chat calls. Null means the model's default.</summary>
/// <remarks>
/// Every name below may also be given in <see cref="PromptExecutionSettings.ExtensionData"/>, in a prompt's
/// <c>config.json</c>, or in <see cref="ChatOptions.AdditionalProperties"/>, as a number or as a string.
/// A setting the loaded model package cannot honour makes the call throw and is named; none is ignored.
/// </remarks>
[JsonNumberHandling(JsonNumberHandling.AllowReadingFromString)]
public sealed class NextGptPromptExecutionSettings : PromptExecutionSettings
{
    private static readonly JsonSerializerOptions Permissive = new()
    {
        AllowTrailingCommas = true,
        NumberHandling = JsonNumberHandling.AllowReadingFromString,
        PropertyNameCaseInsensitive = true,
        ReadCommentHandling = JsonCommentHandling.Skip,
    };

    private double? _temperature;
    private double? _topP;
    private int? _topK;
    private double? _minP;
    private double? _repetitionPenalty;
    private double? _frequencyPenalty;
    private double? _presencePenalty;
    private int? _maxTokens;
    private long? _seed;
    private IList<string>? _stopSequences;
    private string? _chatSystemPrompt;
    private object? _responseFormat;
    private IList<string>? _modalities;
    private IList<string>? _forbiddenModalities;
    private int? _imageSteps;
    private double? _imageGuidance;
    private int? _imageWidth;
    private int? _imageHeight;
    private int? _audioSteps;
    private double? _audioSeconds;
    private int? _videoSteps;
    private int? _videoFrames;
    private string? _adapter;
    private string? _conversationKey;

    /// <summary>0 to 2; 0 takes the likeliest token each time.</summary>
    [JsonPropertyName("temperature"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Temperature { get => _temperature; set => Set(ref _temperature, value); }

    /// <summary>Keeps the likeliest tokens whose probabilities sum to this; above 0 to 1.</summary>
    [JsonPropertyName("top_p"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? TopP { get => _topP; set => Set(ref _topP, value); }

    /// <summary>Keeps this many of the likeliest tokens; at least 1.</summary>
    [JsonPropertyName("top_k"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? TopK { get => _topK; set => Set(ref _topK, value); }

    /// <summary>Keeps tokens at least this share as likely as the likeliest; 0 to 1.</summary>
    [JsonPropertyName("min_p"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? MinP { get => _minP; set => Set(ref _minP, value); }

    /// <summary>Makes tokens that are already present less likely; above 0, 1 is off.</summary>
    [JsonPropertyName("repetition_penalty"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? RepetitionPenalty { get => _repetitionPenalty; set => Set(ref _repetitionPenalty, value); }

    /// <summary>Subtracted from a token's logit per earlier occurrence in the answer; −2 to 2.</summary>
    [JsonPropertyName("frequency_penalty"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? FrequencyPenalty { get => _frequencyPenalty; set => Set(ref _frequencyPenalty, value); }

    /// <summary>Subtracted once from the logit of a token that is already in the answer; −2 to 2.</summary>
    [JsonPropertyName("presence_penalty"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? PresencePenalty { get => _presencePenalty; set => Set(ref _presencePenalty, value); }

    /// <summary>Most text tokens of the answer; at least 1.</summary>
    [JsonPropertyName("max_tokens"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? MaxTokens { get => _maxTokens; set => Set(ref _maxTokens, value); }

    /// <summary>Seed of every random draw; the one used is reported as <see cref="AnswerMetadata.Seed"/>.</summary>
    [JsonPropertyName("seed"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? Seed { get => _seed; set => Set(ref _seed, value); }

    /// <summary>Texts that end the answer; they are not part of it.</summary>
    [JsonPropertyName("stop_sequences"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    [JsonConverter(typeof(StringListJsonConverter))]
    public IList<string>? StopSequences { get => _stopSequences; set => Set(ref _stopSequences, value); }

    /// <summary>System text, used only where the history has none.</summary>
    [JsonPropertyName("chat_system_prompt"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ChatSystemPrompt { get => _chatSystemPrompt; set => Set(ref _chatSystemPrompt, value); }

    /// <summary>
    /// <c>text</c>. Valid JSON cannot be promised yet, so <c>json_object</c> and schemas make the call throw.
    /// </summary>
    [JsonPropertyName("response_format"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public object? ResponseFormat
    {
        get => _responseFormat;
        set => Set(ref _responseFormat, value switch
        {
            JsonElement { ValueKind: JsonValueKind.String } text => text.GetString(),
            JsonElement { ValueKind: JsonValueKind.Null } => null,
            _ => value,
        });
    }

    /// <summary>
    /// What the answer consists of: <c>text</c>, <c>image</c>, <c>audio</c>, <c>video</c>; in JSON one of these or a
    /// list. Each medium named comes at least once, in this order; what is not named does not come. Null leaves it to
    /// the model. What the model package does not make throws.
    /// </summary>
    [JsonPropertyName("modalities"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    [JsonConverter(typeof(StringListJsonConverter))]
    public IList<string>? Modalities { get => _modalities; set => Set(ref _modalities, value); }

    /// <summary>
    /// What must not come, where the rest is left to the model: <c>image</c>, <c>audio</c>, <c>video</c>; in JSON one
    /// of these or a list.
    /// </summary>
    [JsonPropertyName("forbidden_modalities"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    [JsonConverter(typeof(StringListJsonConverter))]
    public IList<string>? ForbiddenModalities
    {
        get => _forbiddenModalities;
        set => Set(ref _forbiddenModalities, value);
    }

    /// <summary>Denoising steps of a picture, 1 to 1,000.</summary>
    [JsonPropertyName("image_steps"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? ImageSteps { get => _imageSteps; set => Set(ref _imageSteps, value); }

    /// <summary>How closely a picture follows its caption (classifier-free guidance), 1 to 30.</summary>
    [JsonPropertyName("image_guidance"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? ImageGuidance { get => _imageGuidance; set => Set(ref _imageGuidance, value); }

    /// <summary>Width of a picture in pixels, 8 to 768, a multiple of what its decoder asks for.</summary>
    [JsonPropertyName("image_width"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? ImageWidth { get => _imageWidth; set => Set(ref _imageWidth, value); }

    /// <summary>Height of a picture in pixels, 8 to 768, a multiple of what its decoder asks for.</summary>
    [JsonPropertyName("image_height"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? ImageHeight { get => _imageHeight; set => Set(ref _imageHeight, value); }

    /// <summary>Denoising steps of a sound, 1 to 1,000.</summary>
    [JsonPropertyName("audio_steps"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? AudioSteps { get => _audioSteps; set => Set(ref _audioSteps, value); }

    /// <summary>Length of a sound in seconds, 0.1 to 10.</summary>
    [JsonPropertyName("audio_seconds"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? AudioSeconds { get => _audioSeconds; set => Set(ref _audioSeconds, value); }

    /// <summary>Denoising steps of a clip, 1 to 1,000.</summary>
    [JsonPropertyName("video_steps"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? VideoSteps { get => _videoSteps; set => Set(ref _videoSteps, value); }

    /// <summary>Frames of a clip, 1 to 24.</summary>
    [JsonPropertyName("video_frames"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? VideoFrames { get => _videoFrames; set => Set(ref _videoFrames, value); }

    /// <summary>The tuned adapter to speak with; null is the current one.</summary>
    [JsonPropertyName("adapter"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Adapter { get => _adapter; set => Set(ref _adapter, value); }

    /// <summary>
    /// Names the conversation, so that what was computed for its earlier turns is used again. The history is still
    /// passed whole with every call. Same as <see cref="ChatOptions.ConversationId"/>.
    /// </summary>
    [JsonPropertyName("conversation_key"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ConversationKey { get => _conversationKey; set => Set(ref _conversationKey, value); }

    /// <summary>The names above, as they stand in JSON.</summary>
    [JsonIgnore]
    internal static IReadOnlySet<string> Names { get; } = new HashSet<string>(StringComparer.OrdinalIgnoreCase)
    {
        "temperature", "top_p", "top_k", "min_p", "repetition_penalty", "frequency_penalty", "presence_penalty",
        "max_tokens", "seed", "stop_sequences", "chat_system_prompt", "response_format", "modalities",
        "forbidden_modalities", "image_steps", "image_guidance", "image_width", "image_height", "audio_steps", "audio_seconds", "video_steps", "video_frames",
        "adapter", "conversation_key",
    };

    /// <summary>Reads any settings as ours.</summary>
    /// <param name="executionSettings">Null gives new settings with nothing set; ours are returned as they are.</param>
    /// <exception cref="JsonException">A known name holds a value of the wrong type; the message names it.</exception>
    /// <exception cref="ArgumentException">The settings are not a JSON object.</exception>
    public static NextGptPromptExecutionSettings FromExecutionSettings(PromptExecutionSettings? executionSettings)
    {
        switch (executionSettings)
        {
            case null:
                return new NextGptPromptExecutionSettings();
            case NextGptPromptExecutionSettings ours:
                return ours;
        }

        var json = JsonSerializer.SerializeToElement(executionSettings, executionSettings.GetType(), Permissive);
        var settings = FromJson(json) ?? throw new ArgumentException(
            $"The settings ({executionSettings.GetType().Name}) cannot be read as " +
            $"{nameof(NextGptPromptExecutionSettings)}.", nameof(executionSettings));

        // JSON loses the functions of a behaviour, so the object itself is handed on.
        settings.FunctionChoiceBehavior = executionSettings.FunctionChoiceBehavior;
        settings.ServiceId = executionSettings.ServiceId;
        settings.ModelId = executionSettings.ModelId;
        return settings;
    }

    /// <inheritdoc/>
    public override void Freeze()
    {
        if (IsFrozen)
        {
            return;
        }

        base.Freeze();
        _stopSequences = _stopSequences is null ? null : new ReadOnlyCollection<string>(_stopSequences);
        _modalities = _modalities is null ? null : new ReadOnlyCollection<string>(_modalities);
        _forbiddenModalities =
            _forbiddenModalities is null ? null : new ReadOnlyCollection<string>(_forbiddenModalities);
    }

    /// <summary>A copy that can be changed, whether or not this one is frozen; lists are copied too.</summary>
    public override PromptExecutionSettings Clone() => new NextGptPromptExecutionSettings
    {
        ServiceId = ServiceId,
        ModelId = ModelId,
        FunctionChoiceBehavior = FunctionChoiceBehavior,
        ExtensionData = ExtensionData is null ? null : new Dictionary<string, object>(ExtensionData),
        Temperature = Temperature,
        TopP = TopP,
        TopK = TopK,
        MinP = MinP,
        RepetitionPenalty = RepetitionPenalty,
        FrequencyPenalty = FrequencyPenalty,
        PresencePenalty = PresencePenalty,
        MaxTokens = MaxTokens,
        Seed = Seed,
        StopSequences = StopSequences is null ? null : [.. StopSequences],
        ChatSystemPrompt = ChatSystemPrompt,
        ResponseFormat = ResponseFormat,
        Modalities = Modalities is null ? null : [.. Modalities],
        ForbiddenModalities = ForbiddenModalities is null ? null : [.. ForbiddenModalities],
        ImageSteps = ImageSteps,
        ImageGuidance = ImageGuidance,
        ImageWidth = ImageWidth,
        ImageHeight = ImageHeight,
        AudioSteps = AudioSteps,
        AudioSeconds = AudioSeconds,
        VideoSteps = VideoSteps,
        VideoFrames = VideoFrames,
        Adapter = Adapter,
        ConversationKey = ConversationKey,
    };

    /// <summary>Reads names and values of a JSON object; null for JSON's null.</summary>
    /// <exception cref="JsonException">A known name holds a value of the wrong type.</exception>
    internal static NextGptPromptExecutionSettings? FromJson(JsonElement json)
    {
        try
        {
            return json.Deserialize<NextGptPromptExecutionSettings>(Permissive);
        }
        catch (JsonException wrong)
        {
            var name = wrong.Path?.TrimStart('$', '.');
            throw new JsonException(
                $"The setting {name} has a value of the wrong type; give it the type that " +
                $"{nameof(NextGptPromptExecutionSettings)} documents, or leave it out.",
                wrong.Path, wrong.LineNumber, wrong.BytePositionInLine, wrong);
        }
    }

    /// <summary>What <see cref="PrepareChatHistoryForRequest"/> gives, for the adapter.</summary>
    internal ChatHistory Prepare(ChatHistory chatHistory) => PrepareChatHistoryForRequest(chatHistory);

    /// <inheritdoc/>
    protected override ChatHistory PrepareChatHistoryForRequest(ChatHistory chatHistory)
    {
        ArgumentNullException.ThrowIfNull(chatHistory);
        if (string.IsNullOrWhiteSpace(ChatSystemPrompt) || chatHistory.Count == 0 ||
            chatHistory.Any(message => message.Role == AuthorRole.System || message.Role == AuthorRole.Developer))
        {
            return chatHistory;
        }

        // The history is the caller's: the system text goes into a copy.
        return [new ChatMessageContent(AuthorRole.System, ChatSystemPrompt), .. chatHistory];
    }

    /// <inheritdoc/>
    protected override void PrepareChatOptionsForRequest(ChatOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.ConversationId ??= ConversationKey;
        options.RawRepresentationFactory ??= _ => this;
    }

    private void Set<T>(ref T field, T value)
    {
        ThrowIfFrozen();
        field = value;
    }
}
