using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using NextGpt.Host;
using NextGpt.Media;
using NextGpt.Server.Guards;
using NextGpt.Server.Keys;

namespace NextGpt.Server.Endpoints;

/// <summary>A request in the shape of OpenAI's chat completions, read as a turn; what is not offered is refused by name.</summary>
internal sealed record CompletionRequest
{
    private static readonly string[] NotOffered =
    [
        "logprobs", "top_logprobs", "logit_bias", "tools", "tool_choice", "functions", "function_call", "audio",
        "prediction", "web_search_options", "frequency_penalty", "presence_penalty",
    ];

    /// <summary>The turn to ask.</summary>
    public required IncomingTurn Turn { get; init; }

    /// <summary>The caller's own user for whom it asks, or null.</summary>
    public string? User { get; init; }

    /// <summary>Whether the answer comes as events.</summary>
    public required bool Stream { get; init; }

    /// <summary>Whether the events end with the usage.</summary>
    public required bool StreamUsage { get; init; }

    /// <summary>Reads a body.</summary>
    /// <exception cref="FieldException">A field does not fit.</exception>
    /// <exception cref="UnsupportedException">A field asks for something that is not offered.</exception>
    public static CompletionRequest Read(JsonElement body, Caller caller)
    {
        var fields = new JsonFields(body);
        RefuseWhatIsNotOffered(fields);
        var (system, history, question) = ReadMessages(fields);
        var wanted = ReadModalities(fields);
        var user = fields.Text("user");
        var settings = new TurnSettings
        {
            Temperature = fields.Number("temperature"),
            TopP = fields.Number("top_p"),
            Seed = fields.Whole("seed"),
            MaxTokens = fields.Count("max_completion_tokens") ?? fields.Count("max_tokens"),
            StopSequences = fields.Texts("stop"),
            SystemText = system,
            RequiredMedia = wanted,
            ForbiddenMedia = fields.Get("modalities") is null ? [] : [.. Enum.GetValues<MediaKind>().Except(wanted)],
        };
        return new CompletionRequest
        {
            Turn = new IncomingTurn
            {
                Surface = caller.Surface,
                PersonId = user is null ? caller.PersonId : $"{caller.PersonId}/{user}",
                Conversation = NameOf(caller, user, system, history.Count > 0 ? history[0].Text : question.Text),
                MessageId = Guid.NewGuid().ToString("N"),
                Text = question.Text,
                Files = question.Files,
                History = history,
                Settings = settings,
            },
            User = user,
            Stream = fields.Flag("stream") ?? false,
            StreamUsage = fields.Get("stream_options") is { ValueKind: JsonValueKind.Object } options
                && (new JsonFields(options).Flag("include_usage") ?? false),
        };
    }

    /// <summary>
    /// Requests that carry one conversation further begin alike; one name for them lets the model use again what it
    /// computed for the earlier ones. The name tells nothing of the words.
    /// </summary>
    private static ConversationId NameOf(Caller caller, string? user, string? system, string beginning)
    {
        var text = string.Join('\0', caller.Surface, caller.PersonId, user, system, beginning);
        return new ConversationId(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..32]);
    }

    private static void RefuseWhatIsNotOffered(JsonFields fields)
    {
        foreach (var name in NotOffered)
        {
            var value = fields.Get(name);
            if (value is { } given && !IsHarmless(given))
            {
                throw new UnsupportedException(name);
            }
        }

        if (fields.Whole("n") is not (null or 1))
        {
            throw new UnsupportedException("n above 1", "n");
        }

        if (fields.Get("response_format") is { } format && new JsonFields(format).Text("type") is not (null or "text"))
        {
            throw new UnsupportedException("response_format other than text", "response_format");
        }

        if (fields.Flag("store") ?? false)
        {
            throw new UnsupportedException("store", "store");
        }
    }

    /// <summary>Kinds that the answer must contain; with modalities given, all others are forbidden.</summary>
    private static IReadOnlyList<MediaKind> ReadModalities(JsonFields fields)
    {
        var kinds = new List<MediaKind>();
        foreach (var modality in fields.Texts("modalities").Where(modality => modality != "text"))
        {
            kinds.Add(MediaWords.KindOf(modality)
                ?? throw new UnsupportedException($"the modality {modality}", "modalities"));
        }

        return [.. kinds.Distinct()];
    }

    /// <summary>Values that ask for nothing: false, zero, empty.</summary>
    private static bool IsHarmless(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.False => true,
        JsonValueKind.Number => value.TryGetDouble(out var number) && number == 0,
        JsonValueKind.Array => value.GetArrayLength() == 0,
        JsonValueKind.Object => !value.EnumerateObject().Any(),
        JsonValueKind.String => value.GetString() is "none" or "auto",
        _ => false,
    };

    private static (string? System, List<EarlierMessage> History, EarlierMessage Question) ReadMessages(JsonFields fields)
    {
        if (fields.Get("messages") is not { ValueKind: JsonValueKind.Array } messages || messages.GetArrayLength() == 0)
        {
            throw new FieldException("messages", "messages must be a list of at least one message.");
        }

        var system = new List<string>();
        var spoken = new List<EarlierMessage>();
        var index = 0;
        foreach (var message in messages.EnumerateArray())
        {
            var place = $"messages[{index++}]";
            if (message.ValueKind != JsonValueKind.Object)
            {
                throw new FieldException(place, $"{place} must be an object with role and content.");
            }

            var (text, files) = ContentParts.Read(message, place);
            switch (new JsonFields(message).Text("role"))
            {
                case "system" or "developer":
                    system.Add(text);
                    break;
                case "user":
                    spoken.Add(new EarlierMessage(FromModel: false, text) { Files = files });
                    break;
                case "assistant":
                    spoken.Add(new EarlierMessage(FromModel: true, text) { Files = files });
                    break;
                case "tool" or "function":
                    throw new UnsupportedException("the role tool", place);
                default:
                    throw new FieldException($"{place}.role", $"{place}.role must be system, developer, user or assistant.");
            }
        }

        if (spoken.Count == 0 || spoken[^1].FromModel)
        {
            throw new FieldException("messages", "The last of messages must have the role user: it is what is answered.");
        }

        var question = spoken[^1];
        spoken.RemoveAt(spoken.Count - 1);
        return (system.Count > 0 ? string.Join('\n', system) : null, spoken, question);
    }
}

/// <summary>A request asks for something that is not offered.</summary>
/// <param name="what">What.</param>
/// <param name="parameter">The field, if it is not named like it.</param>
internal sealed class UnsupportedException(string what, string? parameter = null) : Exception(what)
{
    /// <summary>The error of the catalogue.</summary>
    public TurnError Error => ErrorCatalogue.UnsupportedParameter.With(Message) with { Field = parameter ?? Message };
}
