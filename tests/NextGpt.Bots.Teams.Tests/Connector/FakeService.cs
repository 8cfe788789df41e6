using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace NextGpt.Bots.Teams.Tests.Connector;

/// <summary>A call that the bot made.</summary>
internal sealed record Call(string Method, Uri Address, JsonObject? Body, string? Authorization, DateTimeOffset At)
{
    public string? Range { get; init; }

    public string Type => (string?)Body?["type"] ?? "";

    public string Text => (string?)Body?["text"] ?? "";

    public string? StreamType => (string?)Body?["entities"]?[0]?["streamType"];

    public bool IsMessage => Method == "POST" && Type == "message";

    public bool IsUpdate => StreamType is "informative" or "streaming";

    public string? Card => (string?)Body?["attachments"]?[0]?["contentType"];
}

/// <summary>The service, the directory of its keys and people's storage, in this process; a rule makes it misbehave.</summary>
internal sealed class FakeService(TimeProvider time, HttpMessageHandler issuer) : HttpMessageHandler
{
    private readonly List<Call> _calls = [];
    private readonly HttpMessageInvoker _keys = new(issuer, disposeHandler: false);
    private int _count;

    /// <summary>The answer to a call; null is the ordinary one.</summary>
    public Func<Call, CancellationToken, Task<HttpResponseMessage?>>? Rule { get; set; }

    /// <summary>Whether calls are remembered; under load they would fill the memory that is being measured.</summary>
    public bool Records { get; set; } = true;

    public IReadOnlyList<Call> Calls
    {
        get
        {
            lock (_calls)
            {
                return [.. _calls];
            }
        }
    }

    public IReadOnlyList<Call> Messages => [.. Calls.Where(call => call.IsMessage)];

    public static HttpResponseMessage Answer(int status, string? body = null, int? retryAfter = null)
    {
        var answer = new HttpResponseMessage((HttpStatusCode)status);
        if (body is not null)
        {
            answer.Content = new StringContent(body, Encoding.UTF8, "application/json");
        }

        if (retryAfter is { } seconds)
        {
            answer.Headers.RetryAfter = new(TimeSpan.FromSeconds(seconds));
        }

        return answer;
    }

    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.RequestUri!.Host == "login.botframework.com")
        {
            return await _keys.SendAsync(request, cancellationToken);
        }

        var bytes = request.Content is null ? [] : await request.Content.ReadAsByteArrayAsync(cancellationToken);
        var isJson = request.Content?.Headers.ContentType?.MediaType == "application/json";
        var call = new Call(
            request.Method.Method, request.RequestUri, isJson ? JsonNode.Parse(bytes)!.AsObject() : null,
            request.Headers.Authorization?.Parameter, time.GetUtcNow())
        { Range = request.Content?.Headers.ContentRange?.ToString() };
        if (Records)
        {
            lock (_calls)
            {
                _calls.Add(call);
            }
        }

        return (Rule is null ? null : await Rule(call, cancellationToken)) ?? call switch
        {
            { Method: "POST", IsUpdate: true } when call.Body!["id"] is not null => Answer(202),
            { Method: "POST", Type: "typing", IsUpdate: false } => Answer(202),
            { Method: "POST" } => Answer(201, $$"""{"id":"m-{{Interlocked.Increment(ref _count)}}"}"""),
            { Method: "GET" } when call.Address.AbsolutePath.Contains("/members/", StringComparison.Ordinal) =>
                Answer(200, """{"userRole":"user"}"""),
            { Method: "PUT" } => Answer(200, """{"id":"m"}"""),
            { Method: "DELETE" } => Answer(200),
            _ => Answer(404),
        };
    }
}
