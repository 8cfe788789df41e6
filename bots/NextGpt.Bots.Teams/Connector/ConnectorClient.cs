using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using NextGpt.Bots.Teams.Activities;
using NextGpt.Bots.Teams.Inbound;

namespace NextGpt.Bots.Teams.Connector;

/// <summary>Speaks to the service: only to listed hosts, each call with a time-out, in order within a conversation. Thread-safe.</summary>
internal sealed partial class ConnectorClient(
    HttpClient http, ITokenSource tokens, TeamsOptions options, TeamsHealth health, TimeProvider time,
    ILogger<ConnectorClient> logger)
{
    private const int MostLanes = 10_000;
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan LongestAsked = TimeSpan.FromMinutes(2);

    private readonly HostList _hosts = new(options.ServiceHosts, options.LocalMode);
    private readonly ConcurrentDictionary<string, SendPace> _lanes = new(StringComparer.Ordinal);

    /// <summary>Sends an activity, as a reply where it names what it answers.</summary>
    public Task<ConnectorAnswer> SendAsync(
        ReplyAddress to, OutgoingActivity activity, Retry retry = Retry.WhenRefused, CancellationToken cancellationToken = default) =>
        CallAsync(
            to, HttpMethod.Post, null, activity.ReplyToId is { } replied && activity.StreamId is null
                ? $"activities/{Uri.EscapeDataString(replied)}" : "activities",
            activity.ToJson(to), retry, cancellationToken);

    /// <summary>Replaces an activity as a whole.</summary>
    public Task<ConnectorAnswer> UpdateAsync(
        ReplyAddress to, string activityId, OutgoingActivity activity, CancellationToken cancellationToken = default)
    {
        var body = activity.ToJson(to);
        body["id"] = activityId;
        return CallAsync(
            to, HttpMethod.Put, activityId, $"activities/{Uri.EscapeDataString(activityId)}", body, Retry.Always, cancellationToken);
    }

    /// <summary>Removes an activity of ours.</summary>
    public Task<ConnectorAnswer> DeleteAsync(ReplyAddress to, string activityId, CancellationToken cancellationToken = default) =>
        CallAsync(
            to, HttpMethod.Delete, activityId, $"activities/{Uri.EscapeDataString(activityId)}", null, Retry.Always, cancellationToken);

    /// <summary>What the channel knows of a person.</summary>
    public Task<ConnectorAnswer> MemberAsync(ReplyAddress to, string personId, CancellationToken cancellationToken = default) =>
        CallAsync(to, HttpMethod.Get, null, $"members/{Uri.EscapeDataString(personId)}", null, Retry.Always, cancellationToken);

    /// <summary>Shows "is writing"; left out when something else is on its way.</summary>
    public async Task TypeAsync(ReplyAddress to, CancellationToken cancellationToken = default)
    {
        if (LaneOf(to).Gate.CurrentCount > 0)
        {
            await SendAsync(to, OutgoingActivity.Typing, Retry.Never, cancellationToken);
        }
    }

    private SendPace LaneOf(ReplyAddress to)
    {
        if (_lanes.Count > MostLanes)
        {
            var old = time.GetUtcNow() - TimeSpan.FromHours(1);
            foreach (var (key, _) in _lanes.Where(lane => lane.Value.LastUsed < old && lane.Value.Gate.CurrentCount > 0))
            {
                _lanes.TryRemove(key, out _);
            }
        }

        return _lanes.GetOrAdd(to.ConversationId, _ => new SendPace(time));
    }

    private async Task<ConnectorAnswer> CallAsync(
        ReplyAddress to, HttpMethod method, string? activityId, string path, JsonObject? body, Retry retry,
        CancellationToken cancellationToken)
    {
        if (to.Replies?.Take(method, activityId, body) is { } taken)
        {
            return taken;
        }

        // Joined by hand: the service's own path stays, ids of channels hold ':', '@' and ';'.
        var address = $"{to.ServiceUrl.TrimEnd('/')}/v3/conversations/{Uri.EscapeDataString(to.ConversationId)}/{path}";
        if (!_hosts.Allows(address))
        {
            return new ConnectorAnswer(0, Code: "HostNotListed");
        }

        var lane = LaneOf(to);
        await lane.Gate.WaitAsync(cancellationToken);
        try
        {
            for (var attempt = 1; ; attempt++)
            {
                await lane.WaitAsync(cancellationToken);
                var (answer, retryAfter) = await CallOnceAsync(method, address, body, cancellationToken);
                if (!MayRepeat(answer.Status, retry) || attempt >= options.MaxTries)
                {
                    if (!answer.IsDone)
                    {
                        LogFailed(method.Method, answer.Status, answer.Code ?? "", attempt);
                    }

                    return answer;
                }

                await Task.Delay(WaitBefore(attempt, retryAfter), time, cancellationToken);
            }
        }
        finally
        {
            lane.Gate.Release();
        }
    }

    private static bool MayRepeat(int status, Retry retry) => retry switch
    {
        Retry.Never => false,
        Retry.WhenRefused => status is 408 or 412 or 429 or 500 or 502 or 503 or 504,
        _ => status is 0 or 408 or 412 or 429 or 500 or 502 or 503 or 504,
    };

    private static TimeSpan WaitBefore(int attempt, TimeSpan? retryAfter)
    {
        if (retryAfter is { } asked)
        {
            return asked < LongestAsked ? asked : LongestAsked;
        }

        var most = Math.Min(LongestWait.TotalMilliseconds, 2_000 * Math.Pow(2, attempt));   // 4, 8, 16 s; half of it is chance
        return TimeSpan.FromMilliseconds((most / 2) + RandomNumberGenerator.GetInt32((int)(most / 2)));
    }

    private async Task<(ConnectorAnswer Answer, TimeSpan? RetryAfter)> CallOnceAsync(
        HttpMethod method, string address, JsonObject? body, CancellationToken cancellationToken)
    {
        for (var fresh = false; ; fresh = true)
        {
            using var late = new CancellationTokenSource(options.CallTimeout, time);
            using var any = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
            try
            {
                using var request = new HttpRequestMessage(method, address);
                if (await tokens.GetAsync(fresh, any.Token) is { } token)
                {
                    request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
                }

                if (body is not null)
                {
                    request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
                }

                using var response = await http.SendAsync(request, any.Token);
                var status = (int)response.StatusCode;
                if (status == 401 && !fresh)
                {
                    continue;   // the token may have been withdrawn: one new one, one more try
                }

                health.Warn(status == 401
                    ? "The Teams service refuses the bot's token; check NextGpt:Teams:AppId, TenantId and the secret."
                    : null);
                var answer = Read(status, await response.Content.ReadAsByteArrayAsync(any.Token));
                return (answer, RetryAfterOf(response));
            }
            catch (TokenUnavailableException unavailable)
            {
                health.Warn(unavailable.Message);
                return (new ConnectorAnswer(0, Code: "NoToken"), null);
            }
            catch (Exception failure) when (failure is HttpRequestException or IOException
                || (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested))
            {
                return (new ConnectorAnswer(0, Code: failure is OperationCanceledException ? "Timeout" : "Connection"), null);
            }
        }
    }

    /// <summary>Reads an answer in any of its shapes: error inside or flat, no JSON, nothing at all.</summary>
    private static ConnectorAnswer Read(int status, byte[] body)
    {
        if (body.Length == 0)
        {
            return new ConnectorAnswer(status);
        }

        try
        {
            using var document = JsonDocument.Parse(body);
            var root = document.RootElement.Clone();
            var error = root.Member("error") is { ValueKind: JsonValueKind.Object } inner ? inner : root;
            return new ConnectorAnswer(
                status, root.Text("id") is { Length: > 0 } id ? id : null, error.Text("code"), error.Text("message"))
            { Body = root };
        }
        catch (JsonException)
        {
            return new ConnectorAnswer(status);
        }
    }

    private TimeSpan? RetryAfterOf(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } when date - time.GetUtcNow() is { Ticks: > 0 } left => left,
        { Date: not null } => TimeSpan.Zero,
        _ => null,
    };

    [LoggerMessage(6030, LogLevel.Warning, "A {Method} to the Teams service failed with {Status} {Code} after {Tries} tries")]
    private partial void LogFailed(string method, int status, string code, int tries);
}
