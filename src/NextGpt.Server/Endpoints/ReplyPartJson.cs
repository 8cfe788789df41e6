using System.Text.Json;
using System.Text.Json.Nodes;
using NextGpt.Host;
using NextGpt.Media;

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
        MediaStarted started => new()
        {
            ["type"] = "media_started",
            ["index"] = started.Index,
            ["kind"] = MediaWords.NameOf(started.Kind),
        },
        MediaProgress progress => new()
        {
            ["type"] = "media_progress",
            ["index"] = progress.Index,
            ["kind"] = MediaWords.NameOf(progress.Kind),
            ["share"] = Math.Round(progress.Share, 3),
        },
        MediaReady ready => new()
        {
            ["type"] = "media",
            ["index"] = ready.Index,
            ["kind"] = MediaWords.NameOf(ready.File.Kind),
            ["media_id"] = ready.MediaId,
            ["mime_type"] = ready.File.Format.MediaType,
            ["caption"] = ready.Caption,
            ["text_offset"] = ready.TextOffset,
            ["size"] = ready.File.Bytes.Length,
            ["url"] = $"/api/media/{ready.MediaId}",
        },
        MediaLost lost => new()
        {
            ["type"] = "media_lost",
            ["index"] = lost.Index,
            ["kind"] = MediaWords.NameOf(lost.Kind),
            ["message"] = lost.Sentence,
        },
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
    /// <param name="json">The object.</param>
    /// <param name="file">The bytes of the medium that it tells of, fetched by whoever reads; needed for <c>media</c> only.</param>
    public static ReplyPart? Read(JsonElement json, ReadOnlyMemory<byte> file = default) => Text(json, "type") switch
    {
        "media_started" when KindOf(json) is { } kind => new MediaStarted(IndexOf(json), kind),
        "media_progress" when KindOf(json) is { } kind =>
            new MediaProgress(IndexOf(json), kind, json.GetProperty("share").GetDouble()),
        "media_lost" when KindOf(json) is { } kind => new MediaLost(IndexOf(json), kind, Text(json, "message")),
        "media" when KindOf(json) is { } kind && MediaFormat.Sniff(file.Span) is { } format =>
            new MediaReady(IndexOf(json), new MediaFile(file, format) { Kind = kind })
            {
                MediaId = Text(json, "media_id"),
                Caption = Text(json, "caption"),
                TextOffset = json.GetProperty("text_offset").GetInt32(),
            },
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

    private static int IndexOf(JsonElement json) => json.GetProperty("index").GetInt32();

    private static MediaKind? KindOf(JsonElement json) => MediaWords.KindOf(Text(json, "kind"));

    private static string Text(JsonElement json, string name) => json.GetProperty(name).GetString() ?? "";
}
