using System.Text.Json;
using System.Text.Json.Nodes;

namespace NextGpt.Server.Commands;

/// <summary>Reads what the running server answers to the command line.</summary>
internal static class ServerAnswer
{
    /// <summary>The JSON object of an answer.</summary>
    /// <exception cref="CommandFailure">The server refused; its sentence.</exception>
    public static async Task<JsonObject> ReadAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        await ThrowIfFailedAsync(answer, cancellationToken);
        return await answer.Content.ReadFromJsonAsync<JsonObject>(cancellationToken) ?? [];
    }

    /// <summary>Passes the server's refusal on.</summary>
    /// <exception cref="CommandFailure">The server refused; its sentence.</exception>
    public static async Task ThrowIfFailedAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        if (answer.IsSuccessStatusCode)
        {
            return;
        }

        string? sentence = null;
        try
        {
            var body = await answer.Content.ReadFromJsonAsync<JsonObject>(cancellationToken);
            sentence = (string?)body?["error"]?["message"];
        }
        catch (JsonException)
        {
            // Not one of our errors; the status says what there is to say.
        }

        throw new CommandFailure(
            (int)answer.StatusCode is 403 or 409 ? ExitCode.Refused : ExitCode.Failed,
            sentence ?? $"The server answered {(int)answer.StatusCode}.");
    }
}
