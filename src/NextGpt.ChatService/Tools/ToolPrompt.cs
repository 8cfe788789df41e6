using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.AI;
using Microsoft.SemanticKernel;
using AIFunctionCall = Microsoft.Extensions.AI.FunctionCallContent;
using AIFunctionResult = Microsoft.Extensions.AI.FunctionResultContent;
using AIText = Microsoft.Extensions.AI.TextContent;
using KernelText = Microsoft.SemanticKernel.TextContent;

namespace NextGpt.ChatService.Tools;

/// <summary>How tools, calls and results are written for the model. Tuning writes its examples the same way.</summary>
internal static class ToolPrompt
{
    public const string CallStart = "<tool_call>";
    public const string CallEnd = "</tool_call>";
    public const string ResultStart = "<tool_response>";
    public const string ResultEnd = "</tool_response>";

    private static readonly JsonSerializerOptions Plain = new(AIJsonUtilities.DefaultOptions)
    {
        // Letters stay letters; the one character that could end a mark is escaped in ToJson.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        WriteIndented = false,
    };

    /// <summary>The functions among the tools that the mode lets the model call, by name.</summary>
    /// <exception cref="NotSupportedException">A tool is not a function.</exception>
    /// <exception cref="ArgumentException">The mode requires a function that is not there.</exception>
    public static IReadOnlyDictionary<string, AIFunctionDeclaration> Offered(IList<AITool> tools, ChatToolMode? mode)
    {
        var functions = new Dictionary<string, AIFunctionDeclaration>(StringComparer.Ordinal);
        if (mode is NoneChatToolMode)
        {
            return functions;
        }

        foreach (var tool in tools)
        {
            functions[tool.Name] = tool as AIFunctionDeclaration ?? throw new NotSupportedException(
                $"The tool {tool.Name} ({tool.GetType().Name}) is not a function; only functions can be called.");
        }

        if (mode is RequiredChatToolMode { RequiredFunctionName: { } name })
        {
            return functions.TryGetValue(name, out var required)
                ? new Dictionary<string, AIFunctionDeclaration> { [name] = required }
                : throw new ArgumentException($"The function {name} is required, but not among the tools; add it.");
        }

        return functions;
    }

    /// <summary>The system text that offers functions.</summary>
    /// <param name="functions">At least one.</param>
    /// <param name="required">Whether one must be called.</param>
    /// <param name="oneCall">Whether only one may be called at a time.</param>
    public static string WriteTools(
        IReadOnlyDictionary<string, AIFunctionDeclaration> functions, bool required, bool oneCall)
    {
        var when = required
            ? "Call a function now."
            : "Call a function only if you need it to answer; otherwise answer in words.";
        var howMany = oneCall ? " Call at most one." : "";
        var list = string.Join('\n', functions.Values.Select(function => ToJson(new Dictionary<string, object?>
        {
            ["name"] = function.Name,
            ["description"] = function.Description,
            ["parameters"] = function.JsonSchema,
        })));
        return $$$"""
            You can call functions. {{{when}}}{{{howMany}}} To call one, write:
            {{{CallStart}}}{"name": "function name", "arguments": {"parameter": "value"}}{{{CallEnd}}}
            You then get its result between {{{ResultStart}}} and {{{ResultEnd}}}. The functions:
            {{{list}}}
            """.ReplaceLineEndings("\n");
    }

    /// <summary>The messages with calls and results as text; results of one round are one message.</summary>
    public static IReadOnlyList<ChatMessage> WriteExchanges(IReadOnlyList<ChatMessage> messages)
    {
        if (!messages.SelectMany(message => message.Contents)
            .Any(content => content is AIFunctionCall or AIFunctionResult))
        {
            return messages;
        }

        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        List<ChatMessage> written = [];
        foreach (var message in messages)
        {
            List<AIContent> contents = [];
            foreach (var content in message.Contents)
            {
                contents.AddRange(Write(content, names));
            }

            var copy = message.Clone();
            copy.Contents = contents;
            if (message.Role == ChatRole.Tool && written is [.., var last] && last.Role == ChatRole.Tool)
            {
                last.Contents = [.. last.Contents, new AIText("\n"), .. contents];
            }
            else
            {
                written.Add(copy);
            }
        }

        return written;
    }

    private static IEnumerable<AIContent> Write(AIContent content, Dictionary<string, string> names)
    {
        switch (content)
        {
            case AIFunctionCall call:
                names[call.CallId] = call.Name;
                var body = call.RawRepresentation as string ?? ToJson(new Dictionary<string, object?>
                {
                    ["name"] = call.Name,
                    ["arguments"] = call.Arguments ?? new Dictionary<string, object?>(),
                });
                return [new AIText($"{CallStart}{body}{CallEnd}")];

            case AIFunctionResult result:
                var media = MediaOf(result.Result).ToList();
                var text = new AIText(ResultStart + ToJson(new Dictionary<string, object?>
                {
                    ["name"] = names.GetValueOrDefault(result.CallId),
                    ["result"] = media.Count == 0 ? result.Result : string.Concat(media.OfType<AIText>()),
                }) + ResultEnd);
                return [text, .. media.Where(medium => medium is not AIText)];

            default:
                return [content];
        }
    }

    /// <summary>A result's contents if it is made of contents, so that a picture is seen and not spelled.</summary>
    private static IEnumerable<AIContent> MediaOf(object? result) => result switch
    {
        AIContent content => [content],
        KernelText text => [new AIText(text.Text)],
        KernelContent content and not ChatMessageContent => [KernelContentMapper.ToContent(content)],
        ChatMessageContent message => message.Items.Select(KernelContentMapper.ToContent),
        IEnumerable<AIContent> contents => contents,
        IEnumerable<KernelContent> contents => contents.Select(KernelContentMapper.ToContent),
        _ => [],
    };

    private static string ToJson(object value) =>
        JsonSerializer.Serialize(value, Plain).Replace("<", "\\u003c", StringComparison.Ordinal);
}
