using System.Text.Json;
using System.Text.Json.Nodes;
using NextGpt.Host;

namespace NextGpt.Server.Endpoints;

/// <summary>Parts of an answer as JSON and back; what surfaces over HTTP exchange.</summary>
internal static class ReplyPartJson
{
    /// <summary>The JSON of a part; its field <c>type</c> says which.</summary>
    public static JsonObject Write(ReplyPart part) => part switch
    {
        TurnAccepted accepted => new()
        {
            ["type"] = "accepted",
            ["turn_id"] = accepted.TurnId,
            ["repeat"] = accepted.IsRepeat,
        },
        TurnQueued queued => new()
        {
            ["type"] = "queued",
            ["position"] = queued.Position,
            ["estimate_s"] = Math.Ceiling(queued.Estimate.TotalSeconds),
        },
        TurnStarted started => new() { ["type"] = "started", ["model"] = started.ModelId, ["seed"] = started.Seed },
        AnswerText text => new() { ["type"] = "text", ["text"] = text.Text },
        AnswerNotice notice => new() { ["type"] = "notice", ["text"] = notice.Text },
        TurnFinished finished => new()
        {
            ["type"] = "finished",
            ["finish_reason"] = finished.FinishReason,
            ["prompt_tokens"] = finished.PromptTokens,
            ["reply_tokens"] = finished.ReplyTokens,
            ["kept"] = finished.Kept,
            ["duration_s"] = Math.Round(finished.Duration.TotalSeconds, 3),
        },
        TurnFailed failed => new()
        {
            ["type"] = "failed",
            ["code"] = failed.Error.Code,
            ["message"] = failed.Error.Sentence,
            ["reference"] = failed.Error.Reference,
            ["status"] = failed.Error.HttpStatus,
            ["param"] = failed.Error.Field,
            ["retry_after_s"] = failed.Error.RetryAfter?.TotalSeconds,
        },
        _ => throw new ArgumentOutOfRangeException(nameof(part), part.GetType().Name, "An unknown part of an answer."),
    };

    /// <summary>The part of a JSON object; null for a type of a later version.</summary>
    public static ReplyPart? Read(JsonElement json) => Text(json, "type") switch
    {
        "accepted" => new TurnAccepted(Text(json, "turn_id")) { IsRepeat = json.GetProperty("repeat").GetBoolean() },
        "queued" => new TurnQueued(
            json.GetProperty("position").GetInt32(), TimeSpan.FromSeconds(json.GetProperty("estimate_s").GetDouble())),
        "started" => new TurnStarted(Text(json, "model"), json.GetProperty("seed").GetInt64()),
        "text" => new AnswerText(Text(json, "text")),
        "notice" => new AnswerNotice(Text(json, "text")),
        "finished" => new TurnFinished
        {
            FinishReason = Text(json, "finish_reason"),
            PromptTokens = json.GetProperty("prompt_tokens").GetInt32(),
            ReplyTokens = json.GetProperty("reply_tokens").GetInt32(),
            Kept = json.GetProperty("kept").GetBoolean(),
            Duration = TimeSpan.FromSeconds(json.GetProperty("duration_s").GetDouble()),
        },
        "failed" => new TurnFailed(new TurnError(
            Text(json, "code"), Text(json, "message"), Text(json, "reference"),
            json.GetProperty("retry_after_s") is { ValueKind: JsonValueKind.Number } wait
                ? TimeSpan.FromSeconds(wait.GetDouble())
                : null)
        {
            HttpStatus = json.GetProperty("status").GetInt32(),
            Field = json.GetProperty("param").GetString(),
        }),
        _ => null,
    };

    private static string Text(JsonElement json, string name) => json.GetProperty(name).GetString() ?? "";
}
