using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using NextGpt.Bots.Teams.Activities;
using NextGpt.Bots.Teams.Inbound;

namespace NextGpt.Bots.Teams.Tests.Inbound;

public sealed class InboundTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly CountingTaker _taker = new();
    private FakeIssuer _issuer = null!;
    private WebApplication _app = null!;
    private HttpClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _issuer = new FakeIssuer(_time);
        (_app, _client) = await StartAsync(new TeamsOptions { Enabled = true, AppId = FakeIssuer.AppId });
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    public static TheoryData<string> BadTokens =>
        ["none at all", "garbage", "expired", "not yet valid", "audience", "issuer", "HS256", "none", "unknown kid", "tampered"];

    [Theory]
    [MemberData(nameof(BadTokens))]
    public async Task A1_a_token_that_proves_nothing_is_answered_401_without_a_word(string kind)
    {
        var good = _issuer.Token();
        var header = kind switch
        {
            "none at all" => null,
            "garbage" => "Bearer a.b.c",
            "expired" => $"Bearer {_issuer.Token(from: TimeSpan.FromHours(-2), until: TimeSpan.FromMinutes(-6))}",
            "not yet valid" => $"Bearer {_issuer.Token(from: TimeSpan.FromMinutes(6))}",
            "audience" => $"Bearer {_issuer.Token(audience: "someone else")}",
            "issuer" => $"Bearer {_issuer.Token(issuer: "https://evil.example")}",
            "HS256" => $"Bearer {_issuer.Token(algorithm: "HS256")}",
            "none" => $"Bearer {_issuer.Token(algorithm: "none")}",
            "unknown kid" => $"Bearer {_issuer.Token(keyId: "key-9")}",
            _ => $"Bearer {good[..^6]}AAAAAA",
        };

        var answer = await PostAsync(Message(), header);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Empty(await answer.Content.ReadAsByteArrayAsync());
        Assert.Equal(0, _taker.Count);
    }

    [Theory]
    [InlineData("RS256")]
    [InlineData("RS384")]
    [InlineData("RS512")]
    public async Task A1_a_good_token_is_believed_within_five_minutes_of_skew(string algorithm)
    {
        var header = $"Bearer {_issuer.Token(
            from: TimeSpan.FromMinutes(4), until: TimeSpan.FromMinutes(30), algorithm: algorithm)}";

        Assert.Equal(HttpStatusCode.Accepted, (await PostAsync(Message(), header)).StatusCode);
        Assert.Equal(1, _taker.Count);
    }

    [Fact]
    public async Task A1_a_rotated_key_is_believed_after_the_keys_were_read_again()
    {
        Assert.Equal(HttpStatusCode.Accepted, (await PostAsync(Message(id: "1"))).StatusCode);
        _issuer.Rotate();

        Assert.Equal(HttpStatusCode.Unauthorized, (await PostAsync(Message(id: "2"))).StatusCode);
        _time.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal(HttpStatusCode.Accepted, (await PostAsync(Message(id: "2"))).StatusCode);
    }

    [Fact]
    public async Task A1_unknown_keys_make_the_keys_be_read_at_most_once_a_minute()
    {
        for (var i = 0; i < 20; i++)
        {
            await PostAsync(Message(), $"Bearer {_issuer.Token(keyId: $"made-up-{i}")}");
        }

        Assert.Equal(2, _issuer.Reads);   // the description and the keys, once
    }

    [Fact]
    public async Task A1_with_the_key_service_down_known_keys_go_on_and_unknown_callers_are_told_to_come_back()
    {
        _issuer.IsDown = true;
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await PostAsync(Message())).StatusCode);
        Assert.Equal(0, _taker.Count);

        _issuer.IsDown = false;
        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(HttpStatusCode.Accepted, (await PostAsync(Message(id: "1"))).StatusCode);

        _issuer.IsDown = true;
        _time.Advance(TimeSpan.FromHours(30));
        Assert.Equal(HttpStatusCode.Accepted, (await PostAsync(Message(id: "2"))).StatusCode);
    }

    public static TheoryData<string> BadClaims => ["no serviceurl", "other host", "other path", "endorsement", "tenant", "unlisted host", "port"];

    [Theory]
    [MemberData(nameof(BadClaims))]
    public async Task A2_TEA_3_a_good_token_with_other_claims_is_answered_403_and_nothing_is_done(string kind)
    {
        var options = new TeamsOptions { Enabled = true, AppId = FakeIssuer.AppId, AllowedTenants = ["tenant-1"] };
        var (app, client) = await StartAsync(options);
        await using var _ = app;
        if (kind == "endorsement")
        {
            _issuer.Endorsements = ["webchat"];
        }

        var (token, activity) = kind switch
        {
            "no serviceurl" => (_issuer.Token(serviceUrl: null), Message()),
            "other host" => (_issuer.Token(serviceUrl: "https://evil.botframework.com/emea/"), Message()),
            "other path" => (_issuer.Token(serviceUrl: "https://smba.trafficmanager.net/amer/"), Message()),
            "tenant" => (_issuer.Token(), Message(tenant: "tenant-2")),
            "unlisted host" => (_issuer.Token(serviceUrl: "https://evil.example/"), Message(service: "https://evil.example/")),
            "port" => (_issuer.Token(serviceUrl: "https://smba.trafficmanager.net:8443/"),
                Message(service: "https://smba.trafficmanager.net:8443/")),
            _ => (_issuer.Token(), Message()),
        };

        var answer = await PostAsync(activity, $"Bearer {token}", client);

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Empty(await answer.Content.ReadAsByteArrayAsync());
        Assert.Equal(0, _taker.Count);
    }

    [Fact]
    public async Task A2_letter_case_and_one_trailing_slash_of_the_service_address_do_not_matter()
    {
        var header = $"Bearer {_issuer.Token(serviceUrl: "https://SMBA.trafficmanager.net/emea")}";

        Assert.Equal(HttpStatusCode.Accepted, (await PostAsync(Message(), header)).StatusCode);
    }

    [Fact]
    public async Task A3_local_mode_is_refused_where_the_connection_is_not_on_this_machine()
    {
        var (app, client) = await StartAsync(new TeamsOptions { Enabled = true, LocalMode = true });
        await using var _ = app;

        var answer = await PostAsync(Message(service: "http://localhost:5000/"), null, client);

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);   // the test server has no local address
    }

    [Fact]
    public async Task A3_local_mode_answers_only_a_service_on_this_machine()
    {
        var (app, client) = await StartAsync(new TeamsOptions { Enabled = true, LocalMode = true }, IPAddress.Loopback);
        await using var _ = app;

        Assert.Equal(HttpStatusCode.Forbidden, (await PostAsync(Message(), null, client)).StatusCode);
        Assert.Equal(
            HttpStatusCode.Accepted,
            (await PostAsync(Message(service: "http://localhost:56150/_connector"), null, client)).StatusCode);
    }

    [Fact]
    public async Task A3_the_token_that_the_playground_signs_with_a_public_word_is_refused()
    {
        var header = $"Bearer {_issuer.Token(audience: null, issuer: null, algorithm: "HS256")}";

        Assert.Equal(HttpStatusCode.Unauthorized, (await PostAsync(Message(), header)).StatusCode);
    }

    [Fact]
    public async Task A4_a_refused_token_is_never_in_the_log()
    {
        var log = new CollectingLoggers();
        var (app, client) = await StartAsync(new TeamsOptions { Enabled = true, AppId = FakeIssuer.AppId }, loggers: log);
        await using var _ = app;
        var token = _issuer.Token(audience: "someone else");

        await PostAsync(Message(), $"Bearer {token}", client);

        Assert.Contains(log.Lines, line => line.Contains("401", StringComparison.Ordinal));
        Assert.DoesNotContain(log.Lines, line => line.Contains(token.Split('.')[1], StringComparison.Ordinal));
    }

    [Fact]
    public async Task B1_anything_but_POST_is_answered_405()
    {
        using var head = new HttpRequestMessage(HttpMethod.Head, "/api/messages");
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await _client.SendAsync(head)).StatusCode);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await _client.GetAsync("/api/messages")).StatusCode);
    }

    public static TheoryData<string, int> BadBodies => new()
    {
        { "", 400 },
        { "[]", 400 },
        { "{", 400 },
        { "null", 400 },
        { """{"type":5,"channelId":"msteams"}""", 400 },
        { new string('[', 80) + new string(']', 80), 400 },
        { """{"type":"message","channelId":"msteams","serviceUrl":"x","from":{"id":"a"},"recipient":"b","conversation":{"id":"c"}}""", 400 },
        { $$"""{"pad":"{{new string('x', ActivityReader.MaxBytes)}}"}""", 413 },
    };

    [Theory]
    [MemberData(nameof(BadBodies))]
    public async Task B1_a_body_that_is_no_activity_is_refused(string body, int status)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");

        Assert.Equal(status, (int)(await SendAsync(content, $"Bearer {_issuer.Token()}", _client)).StatusCode);
        Assert.Equal(0, _taker.Count);
    }

    [Theory]
    [InlineData("type")]
    [InlineData("channelId")]
    [InlineData("serviceUrl")]
    [InlineData("from")]
    [InlineData("recipient")]
    [InlineData("conversation")]
    public async Task B1_an_activity_without_what_an_answer_needs_is_refused(string missing)
    {
        var activity = Message();
        activity.Remove(missing);

        Assert.Equal(HttpStatusCode.BadRequest, (await PostAsync(activity)).StatusCode);
    }

    [Fact]
    public async Task B1_unknown_types_wrong_kinds_and_other_letter_case_are_taken()
    {
        var activity = Message();
        activity["type"] = "somethingNew";
        activity["text"] = 5;
        activity["entities"] = "none";
        activity["attachments"] = new JsonArray(1, "two", new JsonObject { ["contentType"] = new JsonArray() });
        activity.Remove("channelId");
        activity["ChannelID"] = "msteams";

        Assert.Equal(HttpStatusCode.Accepted, (await PostAsync(activity)).StatusCode);
        Assert.Null(_taker.Last!.Text);
        Assert.Equal("", Assert.Single(_taker.Last.Attachments).ContentType);
    }

    [Fact]
    public async Task B2_the_same_activity_twice_is_done_once_and_answered_the_same()
    {
        Assert.Equal(HttpStatusCode.Accepted, (await PostAsync(Message(id: "7"))).StatusCode);
        Assert.Equal(HttpStatusCode.Accepted, (await PostAsync(Message(id: "7"))).StatusCode);
        Assert.Equal(1, _taker.Count);

        _time.Advance(TimeSpan.FromMinutes(11));
        await PostAsync(Message(id: "7"));
        Assert.Equal(2, _taker.Count);
    }

    [Fact]
    public async Task B2_what_could_not_be_taken_is_done_when_it_is_sent_again()
    {
        _taker.Answer = InboundAnswer.Full;
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await PostAsync(Message(id: "8"))).StatusCode);

        _taker.Answer = InboundAnswer.Accepted;
        Assert.Equal(HttpStatusCode.Accepted, (await PostAsync(Message(id: "8"))).StatusCode);
        Assert.Equal(2, _taker.Count);
    }

    [Fact]
    public async Task DEG_1_a_bot_that_cannot_work_says_so_and_nothing_else()
    {
        var health = new TeamsHealth();
        health.Fail("the secret is missing.");
        var (app, client) = await StartAsync(new TeamsOptions { Enabled = true, AppId = FakeIssuer.AppId }, health: health);
        await using var _ = app;

        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await PostAsync(Message(), null, client)).StatusCode);
    }

    internal static JsonObject Message(
        string id = "1", string service = "https://smba.trafficmanager.net/emea/", string tenant = "tenant-1") => new()
        {
            ["type"] = "message",
            ["id"] = id,
            ["channelId"] = "msteams",
            ["serviceUrl"] = service,
            ["from"] = new JsonObject { ["id"] = "29:person" },
            ["recipient"] = new JsonObject { ["id"] = "28:bot" },
            ["conversation"] = new JsonObject { ["id"] = "a:1", ["conversationType"] = "personal", ["tenantId"] = tenant },
            ["text"] = "Hello",
        };

    private async Task<(WebApplication App, HttpClient Client)> StartAsync(
        TeamsOptions options, IPAddress? local = null, TeamsHealth? health = null, ILoggerFactory? loggers = null)
    {
        loggers ??= NullLoggerFactory.Instance;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseTestServer();
        var app = builder.Build();
        var keys = new SigningKeys(
            new HttpClient(_issuer, disposeHandler: false), new Uri(options.MetadataAddress), _time,
            loggers.CreateLogger<SigningKeys>());
        var endpoint = new ActivityEndpoint(
            options, options.LocalMode ? null : new TokenCheck(keys, options.Issuer, options.AppId!, _time),
            new ClaimsCheck(options), new Repeats(_time), _taker, health ?? new TeamsHealth(), _time,
            loggers.CreateLogger<ActivityEndpoint>());
        app.Use(next => context =>
        {
            context.Connection.LocalIpAddress = local;
            return next(context);
        });
        app.Map(options.Path, endpoint.HandleAsync);
        await app.StartAsync();
        return (app, app.GetTestClient());
    }

    private Task<HttpResponseMessage> PostAsync(JsonObject activity) => PostAsync(activity, $"Bearer {_issuer.Token()}");

    private Task<HttpResponseMessage> PostAsync(JsonObject activity, string? authorization, HttpClient? client = null) =>
        SendAsync(new StringContent(activity.ToJsonString(), Encoding.UTF8, "application/json"), authorization, client ?? _client);

    private static Task<HttpResponseMessage> SendAsync(HttpContent content, string? authorization, HttpClient client)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/api/messages") { Content = content };
        if (authorization is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
        }

        return client.SendAsync(request);
    }

    private sealed class CountingTaker : IActivityTaker
    {
        public int Count { get; private set; }

        public IncomingActivity? Last { get; private set; }

        public InboundAnswer Answer { get; set; } = InboundAnswer.Accepted;

        public Task<InboundAnswer> TakeAsync(IncomingActivity activity, CancellationToken cancellationToken)
        {
            Count++;
            Last = activity;
            return Task.FromResult(Answer);
        }
    }
}

/// <summary>Keeps every line that is logged.</summary>
internal sealed class CollectingLoggers : ILoggerFactory, ILogger
{
    private readonly List<string> _lines = [];

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lines)
            {
                return [.. _lines];
            }
        }
    }

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_lines)
        {
            _lines.Add(formatter(state, exception) + exception);
        }
    }

    public void Dispose()
    {
    }
}
