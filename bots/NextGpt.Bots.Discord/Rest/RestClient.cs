using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using NextGpt.Bots.Discord.Wire;
using Polly;
using Polly.Retry;
using Polly.Timeout;

namespace NextGpt.Bots.Discord.Rest;

/// <summary>
/// Calls Discord's API within its limits: one call of a bucket at a time, waits that Discord asks for, three tries where
/// the other side or the line failed. Thread-safe.
/// </summary>
internal sealed partial class RestClient : IDisposable
{
    private const int MostRefusals = 20;   // of one call by 429, in a row
    private static readonly TimeSpan OneTry = TimeSpan.FromSeconds(30);

    private readonly HttpClient _http;
    private readonly Uri _address;
    private readonly string _token;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ResiliencePipeline<HttpResponseMessage> _tries;
    private readonly ResiliencePipeline<HttpResponseMessage> _once;   // what must not be done twice is still not waited for without end
    private readonly ConcurrentDictionary<string, byte> _gone = new();   // interactions and webhooks that answered 404

    public RestClient(
        HttpMessageHandler handler, Uri address, string token, string userAgent, TimeProvider time, ILogger logger)
    {
        (_address, _token, _time, _logger) = (address, token, time, logger);
        _http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        _http.DefaultRequestHeaders.UserAgent.ParseAdd(userAgent);
        Limits = new RateLimits(time);
        Brake = new InvalidCallBrake(time);
        _tries = new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = time }
            .AddRetry(new RetryStrategyOptions<HttpResponseMessage>
            {
                MaxRetryAttempts = 2,
                Delay = TimeSpan.FromSeconds(0.5),
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                ShouldHandle = static outcome => ValueTask.FromResult(
                    outcome.Outcome.Exception is HttpRequestException or TimeoutRejectedException or IOException
                    || (int?)outcome.Outcome.Result?.StatusCode >= 500),
                OnRetry = static outcome =>
                {
                    outcome.Outcome.Result?.Dispose();
                    return default;
                },
            })
            .AddTimeout(OneTry)
            .Build();
        _once = new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = time }.AddTimeout(OneTry).Build();
    }

    /// <summary>The limits, for tests and figures.</summary>
    public RateLimits Limits { get; }

    /// <summary>The count of invalid calls.</summary>
    public InvalidCallBrake Brake { get; }

    /// <summary>Makes a call.</summary>
    /// <returns>The answer; without fields if it had no body.</returns>
    /// <exception cref="RestException">Discord refused it.</exception>
    /// <exception cref="HttpRequestException">Discord could not be reached three times.</exception>
    public async Task<WireObject> SendAsync(RestRequest request, CancellationToken cancellationToken)
    {
        var endpoint = request.IsInteraction ? $"{request.Route.Split('/')[1]}/{request.Values[1]}" : null;
        if (endpoint is not null && _gone.ContainsKey(endpoint))
        {
            throw new RestException(404, RestCode.UnknownWebhook, "this interaction is over.");
        }

        await Brake.PassAsync(cancellationToken);
        var bucket = Limits.BucketOf(request);
        using var turn = await bucket.EnterAsync(cancellationToken);
        for (var refusals = 1; ; refusals++)
        {
            await bucket.WaitAsync(cancellationToken);
            if (!request.IsInteraction)
            {
                await Limits.WaitForAllAsync(cancellationToken);
            }

            using var answer = await TryAsync(request, cancellationToken);
            Limits.Learn(request, bucket, RateLimitHeaders.Of(answer));
            var status = (int)answer.StatusCode;
            Brake.Count429Or4xx(status, RateLimitHeaders.Text(answer, "X-RateLimit-Scope"));
            var body = await ReadAsync(answer, cancellationToken);
            if (status == 429 && refusals < MostRefusals)
            {
                Block(request, answer, body, bucket);
                await Brake.PassAsync(cancellationToken);
                continue;
            }

            if (status is >= 200 and < 300)
            {
                return body;
            }

            var code = (int)(body.Number("code") ?? 0);
            if (status == 404 && endpoint is not null && code != RestCode.UnknownMessage)
            {
                Remember(endpoint);
            }

            throw new RestException(status, code, body.Text("message") ?? answer.ReasonPhrase ?? "");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private void Remember(string endpoint)
    {
        if (_gone.Count > 10_000)
        {
            _gone.Clear();   // tokens long dead; nobody calls them any more
        }

        _gone.TryAdd(endpoint, 0);
    }

    private async Task<HttpResponseMessage> TryAsync(RestRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return await (request.IsRepeatable ? _tries : _once).ExecuteAsync(
                static async (state, token) => await state.Client.OnceAsync(state.Request, token), (Client: this, Request: request), cancellationToken);
        }
        catch (TimeoutRejectedException late)
        {
            throw new HttpRequestException("Discord did not answer in time.", late);
        }
    }

    private async Task<HttpResponseMessage> OnceAsync(RestRequest request, CancellationToken cancellationToken)
    {
        using var message = new HttpRequestMessage(request.Method, new Uri(_address, request.Path)) { Content = ContentOf(request) };
        message.Headers.Authorization = new AuthenticationHeaderValue("Bot", _token);
        return await _http.SendAsync(message, HttpCompletionOption.ResponseContentRead, cancellationToken);
    }

    private static HttpContent? ContentOf(RestRequest request)
    {
        if (request.Files.Count == 0)
        {
            return request.Body is null ? null : JsonContent.Create(request.Body);
        }

        var parts = new MultipartFormDataContent();
        parts.Add(JsonContent.Create(request.Body ?? new JsonObject()), "payload_json");
        for (var i = 0; i < request.Files.Count; i++)
        {
            var file = new ReadOnlyMemoryContent(request.Files[i].Bytes);
            file.Headers.ContentType = MediaTypeHeaderValue.Parse(request.Files[i].MediaType);
            parts.Add(file, $"files[{i}]", request.Files[i].Name);
        }

        return parts;
    }

    private static async Task<WireObject> ReadAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        var bytes = await answer.Content.ReadAsByteArrayAsync(cancellationToken);
        try
        {
            return bytes.Length == 0 ? default : WireObject.Parse(bytes);
        }
        catch (JsonException)
        {
            return default;   // a page of the network in between
        }
    }

    /// <summary>The longest of the three waits that a refusal names: a server whose shortest is believed refuses for ever.</summary>
    private void Block(RestRequest request, HttpResponseMessage answer, WireObject body, RateLimitBucket bucket)
    {
        TimeSpan?[] named =
        [
            RateLimitHeaders.Seconds(answer, "Retry-After"),
            body.Fraction("retry_after") is >= 0 and < 1e6 and var seconds ? TimeSpan.FromSeconds(seconds) : null,
            RateLimitHeaders.Seconds(answer, "X-RateLimit-Reset-After"),
        ];
        var wait = named.Max() ?? TimeSpan.FromSeconds(1);
        var isGlobal = body.Flag("global") || RateLimitHeaders.Text(answer, "X-RateLimit-Global") == "true";
        LogRefused(request.Route, isGlobal ? "global" : RateLimitHeaders.Text(answer, "X-RateLimit-Scope") ?? "user", wait.TotalSeconds);
        if (isGlobal)
        {
            Limits.BlockAll(wait);
        }

        if (!isGlobal || request.IsInteraction)
        {
            bucket.Block(wait);
        }
    }

    [LoggerMessage(5030, LogLevel.Information, "Discord asks to wait: {Route} ({Scope}) for {Seconds:0.0} s")]
    private partial void LogRefused(string route, string scope, double seconds);
}
