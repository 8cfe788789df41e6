using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.AI;

namespace NextGpt.ChatService.Tools;

/// <summary>Reads calls out of a streamed answer; what is no call stays text. One instance reads one answer.</summary>
/// <remarks>
/// A call is the start mark followed by a JSON object or array; the end mark may be missing. Text that could become a
/// mark, and white space that could stand before one, is held back until it is clear what it is.
/// </remarks>
/// <param name="functions">The functions offered, by name.</param>
/// <param name="oneCall">Whether calls after the first are left out.</param>
internal sealed partial class ToolCallReader(IReadOnlyDictionary<string, AIFunctionDeclaration> functions, bool oneCall)
{
    private string _pending = "";
    private bool _afterCall;
    private int _said;

    /// <summary>Calls read so far.</summary>
    public int CallCount { get; private set; }

    /// <summary>Where in the text that is passed on the next character stands, if what is held back is text.</summary>
    public int Position => _said + _pending.Length;

    /// <summary>What a content turns out to be.</summary>
    public IReadOnlyList<AIContent> Read(AIContent content)
    {
        if (content is not TextContent text)
        {
            return [content];
        }

        _pending += text.Text;
        return Take(atEnd: false);
    }

    /// <summary>What was held back, now that nothing follows.</summary>
    public IReadOnlyList<AIContent> Complete()
    {
        var last = Take(atEnd: true);
        (_pending, _afterCall) = ("", false);
        return last;
    }

    private List<AIContent> Take(bool atEnd)
    {
        List<AIContent> contents = [];
        while (_pending.Length > 0 && (!_afterCall || SkipEndMark(atEnd)))
        {
            var start = _pending.IndexOf(ToolPrompt.CallStart, StringComparison.Ordinal);
            if (start < 0)
            {
                Say(contents, !atEnd ? SureLength() : CallCount > 0 ? _pending.TrimEnd().Length : _pending.Length);
                break;
            }

            var body = start + ToolPrompt.CallStart.Length;
            while (body < _pending.Length && char.IsWhiteSpace(_pending[body]))
            {
                body++;
            }

            if (body < _pending.Length ? _pending[body] is not ('{' or '[') : atEnd)
            {
                Say(contents, body);   // somebody writes about the mark
                continue;
            }

            var end = EndOfJson(body, out var closed);
            if (end < 0 && atEnd)
            {
                // Never closed, perhaps inside a string: the end mark, if there is one, is where it was meant to end.
                var mark = _pending.IndexOf(ToolPrompt.CallEnd, body, StringComparison.Ordinal);
                end = mark < 0 ? _pending.Length : mark;
            }

            var said = Say(contents, _pending[..start].TrimEnd().Length);
            if (end < 0)
            {
                break;
            }

            Call(contents, _pending[(body - said)..(end - said)].Trim(), closed);
            _pending = _pending[(end - said)..];
            _afterCall = true;
        }

        return contents;
    }

    /// <summary>Leaves out the end mark that follows a call, if one does.</summary>
    /// <returns>False if it is not yet clear whether one follows.</returns>
    private bool SkipEndMark(bool atEnd)
    {
        var rest = _pending.TrimStart();
        if (rest.StartsWith(ToolPrompt.CallEnd, StringComparison.Ordinal))
        {
            _pending = rest[ToolPrompt.CallEnd.Length..];
        }
        else if (!atEnd && ToolPrompt.CallEnd.StartsWith(rest, StringComparison.Ordinal))
        {
            return false;
        }

        _afterCall = false;
        return true;
    }

    /// <summary>How much of the pending text can be no beginning of a mark and no white space before one.</summary>
    private int SureLength()
    {
        for (var held = Math.Min(ToolPrompt.CallStart.Length - 1, _pending.Length); held > 0; held--)
        {
            if (ToolPrompt.CallStart.StartsWith(_pending[^held..], StringComparison.Ordinal))
            {
                return _pending[..^held].TrimEnd().Length;
            }
        }

        return _pending.TrimEnd().Length;
    }

    /// <summary>Passes the beginning of the pending text on as text; gives back its length.</summary>
    private int Say(List<AIContent> contents, int length)
    {
        if (length > 0)
        {
            contents.Add(new TextContent(_pending[..length]));
            _pending = _pending[length..];
            _said += length;
        }

        return length;
    }

    /// <summary>Index behind the JSON value that begins at an index, or −1 if it is not complete.</summary>
    /// <param name="begin">Where its bracket is, perhaps behind white space.</param>
    /// <param name="closed">Whether every bracket was closed; else the end mark came first.</param>
    private int EndOfJson(int begin, out bool closed)
    {
        var depth = 0;
        var inString = false;
        closed = false;
        for (var i = begin; i < _pending.Length; i++)
        {
            switch (_pending[i])
            {
                case '\\' when inString:
                    i++;
                    break;
                case '"':
                    inString = !inString;
                    break;
                case '{' or '[' when !inString:
                    depth++;
                    break;
                case '}' or ']' when !inString:
                    if (--depth == 0)
                    {
                        closed = true;
                        return i + 1;
                    }

                    break;
                case '<' when !inString && string.CompareOrdinal(
                    _pending, i, ToolPrompt.CallEnd, 0, ToolPrompt.CallEnd.Length) == 0:
                    return i;
            }
        }

        return -1;
    }

    private void Call(List<AIContent> contents, string json, bool closed)
    {
        List<FunctionCallContent> calls;
        try
        {
            using var document = JsonDocument.Parse(json);
            calls = document.RootElement.ValueKind == JsonValueKind.Array
                ? [.. document.RootElement.EnumerateArray().Select(Parse)]
                : [Parse(document.RootElement)];
        }
        catch (JsonException wrong)
        {
            calls = [Malformed(json, closed, wrong)];
        }

        foreach (var call in calls.Where(_ => !oneCall || CallCount == 0))
        {
            contents.Add(call);
            CallCount++;
        }
    }

    private static FunctionCallContent Parse(JsonElement call)
    {
        if (call.ValueKind != JsonValueKind.Object ||
            !call.TryGetProperty("name", out var name) || name.ValueKind != JsonValueKind.String)
        {
            throw new JsonException("A call is an object with a name.");
        }

        Dictionary<string, object?> arguments = [];
        if (call.TryGetProperty("arguments", out var given) && given.ValueKind != JsonValueKind.Null)
        {
            if (given.ValueKind != JsonValueKind.Object)
            {
                throw new JsonException("The arguments of a call are an object.");
            }

            foreach (var argument in given.EnumerateObject())
            {
                arguments[argument.Name] = argument.Value.ValueKind switch
                {
                    JsonValueKind.String => argument.Value.GetString(),
                    JsonValueKind.Null => null,
                    _ => argument.Value.Clone(),
                };
            }
        }

        return new FunctionCallContent(NewId(), name.GetString()!, arguments);   // a JSON string is not null
    }

    /// <summary>A call that cannot be read: it is answered with an error and never carried out.</summary>
    private FunctionCallContent Malformed(string json, bool closed, JsonException wrong)
    {
        // The loop that carries out calls does not look at the exception: without arguments it would call a function
        // that requires none. Such a call gets a name that no function has, and so the answer "not found".
        var name = NameInText().Match(json) is { Success: true } match ? match.Groups[1].Value : "unreadable";
        var requiresArguments = functions.TryGetValue(name, out var function) &&
            function.JsonSchema.TryGetProperty("required", out var required) && required.GetArrayLength() > 0;
        return new FunctionCallContent(NewId(), requiresArguments ? name : $"{name} (unreadable call)")
        {
            Exception = new InvalidOperationException(
                closed ? "The call is not valid JSON." : "The call was broken off before its JSON ended.", wrong),
            RawRepresentation = json,
        };
    }

    private static string NewId() => "call-" + Guid.NewGuid().ToString("N");

    [GeneratedRegex("\"name\"\\s*:\\s*\"([^\"\\\\]+)\"")]
    private static partial Regex NameInText();
}
