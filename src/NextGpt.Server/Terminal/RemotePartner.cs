using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using NextGpt.Conversations;
using NextGpt.Host;
using NextGpt.Server.Commands;
using NextGpt.Server.Endpoints;
using NextGpt.Server.Instance;

namespace NextGpt.Server.Terminal;

/// <summary>The running server, through its API.</summary>
internal sealed class RemotePartner : IChatPartner
{
    private readonly HttpClient _client;

    private RemotePartner(HttpClient client, string modelId, string place) =>
        (_client, ModelId, Place) = (client, modelId, place);

    public string ModelId { get; }

    public string Place { get; }

    public static async Task<RemotePartner> ConnectAsync(RunningServer server, CancellationToken cancellationToken)
    {
        var client = server.Connect();
        try
        {
            using var answer = await client.GetAsync(Route("/v1/models"), cancellationToken);
            var models = await ServerAnswer.ReadAsync(answer, cancellationToken);
            return new RemotePartner(
                client, (string?)models["data"]?[0]?["id"] ?? "nextgpt", $"server at {server.Address.GetLeftPart(UriPartial.Authority)}");
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    public async IAsyncEnumerable<ReplyPart> AskAsync(Ask ask, [EnumeratorCancellation] CancellationToken stop)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Route("/api/turns")) { Content = ContentOf(ask) };
        using var answer = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, CancellationToken.None);
        if (!answer.IsSuccessStatusCode)
        {
            yield return new TurnFailed(await ReadErrorAsync(answer));
            yield break;
        }

        CancellationTokenRegistration registration = default;
        await using var events = await answer.Content.ReadAsStreamAsync(CancellationToken.None);
        try
        {
            await foreach (var item in SseParser.Create(events).EnumerateAsync(CancellationToken.None))
            {
                using var json = JsonDocument.Parse(item.Data);
                if (ReplyPartJson.Read(json.RootElement, await FileOfAsync(json.RootElement)) is not { } part)
                {
                    continue;
                }

                if (part is TurnAccepted accepted)
                {
                    registration = stop.Register(() => _ = StopAsync(accepted.TurnId));
                }

                yield return part;
            }
        }
        finally
        {
            await registration.DisposeAsync();
        }
    }

    public async Task<(ConsentState Consent, string? NotKeptBecause)> GetConsentAsync(
        CancellationToken cancellationToken = default)
    {
        using var answer = await _client.GetAsync(Route("/api/privacy/consent"), cancellationToken);
        var json = await ServerAnswer.ReadAsync(answer, cancellationToken);
        return (
            new ConsentState(
                (bool?)json["keep"] ?? false, (bool?)json["train"] ?? false, (string?)json["text_version"], null),
            (string?)json["not_logged_because"]);
    }

    public async Task<string> GetKeepTextAsync(CancellationToken cancellationToken = default)
    {
        using var answer = await _client.GetAsync(Route("/api/privacy/consent"), cancellationToken);
        return (string?)(await ServerAnswer.ReadAsync(answer, cancellationToken))["texts"]?["keep"]
            ?? ConsentText.KeepFor(ConsentText.UsualDays);
    }

    public async Task SetConsentAsync(bool keep, bool train, CancellationToken cancellationToken = default)
    {
        using var answer = await _client.PutAsJsonAsync(
            Route("/api/privacy/consent"), new JsonObject { ["keep"] = keep, ["train"] = train }, cancellationToken);
        await ServerAnswer.ThrowIfFailedAsync(answer, cancellationToken);
    }

    public async Task<VoteOutcome> RateAsync(
        string turnId, TurnVote vote, string? reason, string? correction, CancellationToken cancellationToken = default)
    {
        using var answer = await _client.PostAsJsonAsync(
            Route($"/api/turns/{turnId}/feedback"),
            new JsonObject
            {
                ["vote"] = vote switch { TurnVote.Good => "good", TurnVote.Bad => "bad", _ => "none" },
                ["reason"] = reason,
                ["correction"] = correction,
            },
            cancellationToken);
        if (answer.StatusCode == System.Net.HttpStatusCode.NotFound)
        {
            return VoteOutcome.NoSuchTurn;
        }

        var json = await ServerAnswer.ReadAsync(answer, cancellationToken);
        return (bool?)json["kept"] is true ? VoteOutcome.Kept : VoteOutcome.Counted;
    }

    public async Task ExportAsync(Stream destination, CancellationToken cancellationToken = default)
    {
        using var answer = await _client.GetAsync(
            Route("/api/privacy/export"), HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        await ServerAnswer.ThrowIfFailedAsync(answer, cancellationToken);
        await answer.Content.CopyToAsync(destination, cancellationToken);
    }

    public async Task<int> EraseAsync(CancellationToken cancellationToken = default)
    {
        using var answer = await _client.DeleteAsync(Route("/api/privacy/turns"), cancellationToken);
        return (int?)(await ServerAnswer.ReadAsync(answer, cancellationToken))["removed"] ?? 0;
    }

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return ValueTask.CompletedTask;
    }

    private static Uri Route(string path) => new(path, UriKind.Relative);

    /// <summary>The question as JSON; with files as a form.</summary>
    private static HttpContent ContentOf(Ask ask)
    {
        if (ask.Files.Count == 0)
        {
            return JsonContent.Create(ToJson(ask));
        }

        var form = new MultipartFormDataContent { { JsonContent.Create(ToJson(ask)), "turn" } };
        foreach (var file in ask.Files)
        {
            var part = new ReadOnlyMemoryContent(file.Bytes);
            if (file.DeclaredType is { } type && MediaTypeHeaderValue.TryParse(type, out var parsed))
            {
                part.Headers.ContentType = parsed;
            }

            // The starred form carries every name, also one with quotes in it.
            part.Headers.ContentDisposition =
                new ContentDispositionHeaderValue("form-data") { Name = "file", FileNameStar = file.Name };
            form.Add(part);
        }

        return form;
    }

    /// <summary>The bytes of the medium that an event tells of; empty for other events, and if they are gone already.</summary>
    private async Task<ReadOnlyMemory<byte>> FileOfAsync(JsonElement json)
    {
        if (json.GetProperty("type").GetString() != "media" || json.GetProperty("media_id").GetString() is not { } id)
        {
            return default;
        }

        using var answer = await _client.GetAsync(Route($"/api/media/{id}"), CancellationToken.None);
        return answer.IsSuccessStatusCode ? await answer.Content.ReadAsByteArrayAsync() : default;
    }

    private static JsonObject ToJson(Ask ask) => new()
    {
        ["conversation"] = ask.Conversation.Value,
        ["text"] = ask.Text,
        ["after_turn_id"] = ask.AfterTurnId,
        ["files_of_turn_id"] = ask.FilesOfTurnId,
        ["require"] = new JsonArray([.. ask.Settings.RequiredMedia.Select(kind => (JsonNode)MediaWords.NameOf(kind))]),
        ["forbid"] = new JsonArray([.. ask.Settings.ForbiddenMedia.Select(kind => (JsonNode)MediaWords.NameOf(kind))]),
        ["temperature"] = ask.Settings.Temperature,
        ["top_p"] = ask.Settings.TopP,
        ["seed"] = ask.Settings.Seed,
        ["max_tokens"] = ask.Settings.MaxTokens,
        ["system"] = ask.Settings.SystemText,
    };

    private static async Task<TurnError> ReadErrorAsync(HttpResponseMessage answer)
    {
        var json = (await answer.Content.ReadFromJsonAsync<JsonObject>())?["error"];
        var message = (string?)json?["message"] ?? $"The server answered {(int)answer.StatusCode}.";
        var reference = "----";
        if (message.LastIndexOf(" (ref ", StringComparison.Ordinal) is var at and > 0)
        {
            reference = message[(at + 6)..].TrimEnd(')');
            message = message[..at];
        }

        return new TurnError((string?)json?["code"] ?? "internal", message, reference)
        {
            HttpStatus = (int)answer.StatusCode,
        };
    }

    private async Task StopAsync(string turnId)
    {
        try
        {
            using var answer = await _client.PostAsync(Route($"/api/turns/{turnId}/stop"), null);
        }
        catch (HttpRequestException)
        {
            // The server has gone; the answer ends by itself.
        }
    }
}
