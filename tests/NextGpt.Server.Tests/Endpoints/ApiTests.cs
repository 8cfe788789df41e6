using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using NextGpt.Host;

namespace NextGpt.Server.Tests.Endpoints;

/// <summary>What holds on every route.</summary>
public sealed class ApiTests
{
    [Fact]
    public async Task The_server_says_that_it_lives_and_is_ready_without_a_key()
    {
        await using var bench = await ServerBench.StartAsync(("NextGpt:Server:RequireKey", "true"));

        Assert.Equal(200, (await ServerBench.ReadAsync(bench.Client.GetAsync("/healthz"))).Status);
        Assert.Equal(200, (await ServerBench.ReadAsync(bench.Client.GetAsync("/readyz"))).Status);
    }

    [Fact]
    public async Task Readiness_has_one_cause_word_and_the_share_that_is_loaded()
    {
        await using var bench = await ServerBench.StartAsync();
        var readiness = bench.App.Services.GetRequiredService<ModelReadiness>();

        readiness.Loading(0.62);
        var (status, json) = await ServerBench.ReadAsync(bench.Client.GetAsync("/readyz"));
        Assert.Equal((503, "model_loading", 62), (status, (string?)json["cause"], (int?)json["percent"]));
        readiness.Failed("the file is damaged.");
        Assert.Equal("model_failed", (string?)(await ServerBench.ReadAsync(bench.Client.GetAsync("/readyz"))).Json["cause"]);
    }

    [Fact]
    public async Task The_document_lists_exactly_the_routes_of_the_api()
    {
        await using var bench = await ServerBench.StartAsync();

        var document = (await ServerBench.ReadAsync(bench.Client.GetAsync("/openapi.json"))).Json;

        var documented = document["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject()
            .Select(method => $"{method.Key.ToUpperInvariant()} {path.Key}")).Order();
        string[] prefixes = ["/v1/", "/api/", "/healthz", "/readyz", "/metrics"];
        var mapped = bench.App.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .SelectMany(route => (route.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? [])
                .Select(method => (method, path: "/" + route.RoutePattern.RawText!.TrimStart('/').TrimEnd('/'))))
            .Where(route => prefixes.Any(prefix => route.path.StartsWith(prefix, StringComparison.Ordinal)))
            .Select(route => $"{route.method} {route.path}").Order();
        Assert.Equal(mapped, documented);
        Assert.Contains("POST /v1/chat/completions", documented);
    }

    [Fact]
    public async Task API_5_every_answer_has_a_request_id_the_adapter_and_nosniff_errors_too()
    {
        await using var bench = await ServerBench.StartAsync();

        using var well = await bench.Client.GetAsync("/healthz");
        using var missing = await bench.Client.GetAsync("/nothing");
        using var given = new HttpRequestMessage(HttpMethod.Get, "/healthz") { Headers = { { "x-request-id", "abc-123" } } };
        using var named = await bench.Client.SendAsync(given);

        foreach (var answer in new[] { well, missing })
        {
            Assert.Equal(32, answer.Headers.GetValues("x-request-id").Single().Length);
            Assert.Equal("base", answer.Headers.GetValues("x-nextgpt-adapter").Single());
            Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
        }

        Assert.Equal("abc-123", named.Headers.GetValues("x-request-id").Single());
    }

    [Fact]
    public async Task Errors_of_routing_have_the_shape_of_all_errors()
    {
        await using var bench = await ServerBench.StartAsync();

        Assert.Equal((404, "not_found"), Short(await ServerBench.ErrorAsync(bench.Client.GetAsync("/v1/nothing"))));
        Assert.Equal((405, "method_not_allowed"), Short(
            await ServerBench.ErrorAsync(bench.Client.DeleteAsync("/v1/chat/completions"))));
    }

    [Theory]
    [InlineData("{", 400, "invalid_request", "not valid JSON")]
    [InlineData("[]", 400, "invalid_request", "must be a JSON object")]
    [InlineData("{\"text\": 7}", 400, "invalid_request", "text must be a text")]
    [InlineData("{\"text\": \"\\ud800\"}", 400, "invalid_request", "not valid UTF-8")]
    [InlineData("{\"text\": \"hi\", \"temperature\": 3.5}", 400, "invalid_request", "temperature is 3.5, it must lie between 0 and 2.")]
    [InlineData("{\"text\": \"hi\", \"conversation\": \"a/b\"}", 400, "invalid_request", "conversation must be")]
    [InlineData("{}", 400, "empty_prompt", "No text and no file came")]
    public async Task A_bad_body_gets_a_sentence(string body, int status, string code, string sentence)
    {
        await using var bench = await ServerBench.StartAsync();

        var error = await ServerBench.ErrorAsync(bench.Client.PostAsync(
            "/api/turns", new StringContent(body, Encoding.UTF8, "application/json")));

        Assert.Equal((status, code), Short(error));
        Assert.Contains(sentence, error.Message, StringComparison.Ordinal);
        Assert.Matches(@"\(ref [2-9A-Z]{4}\)$", error.Message);
    }

    [Fact]
    public async Task API_5_bytes_that_are_no_UTF_8_and_JSON_deeper_than_32_are_refused()
    {
        await using var bench = await ServerBench.StartAsync();
        using var broken = new ByteArrayContent([.. "{\"text\": \""u8, 0xC3, 0x28, .. "\"}"u8]);
        broken.Headers.ContentType = new("application/json");
        var deep = string.Concat(Enumerable.Repeat("{\"a\":", 33)) + "1" + new string('}', 33);

        Assert.Equal(400, (await ServerBench.ErrorAsync(bench.Client.PostAsync("/api/turns", broken))).Status);
        var error = await ServerBench.ErrorAsync(bench.Client.PostAsync(
            "/api/turns", new StringContent(deep, Encoding.UTF8, "application/json")));
        Assert.Contains("deeper than 32 levels", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task API_5_a_body_above_the_limit_is_refused_with_the_limit()
    {
        await using var bench = await ServerBench.StartAsync(("NextGpt:Server:MaxRequestMegabytes", "1"));
        var body = $"{{\"text\": \"{new string('x', 1_100_000)}\"}}";

        var error = await ServerBench.ErrorAsync(bench.Client.PostAsync(
            "/api/turns", new StringContent(body, Encoding.UTF8, "application/json")));

        Assert.Equal((413, "file_too_large"), Short(error));
        Assert.Contains("1 MiB", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task API_5_a_sender_slower_than_30_seconds_is_cut_off()
    {
        await using var bench = await ServerBench.StartAsync();
        using var socket = new TcpClient();
        await socket.ConnectAsync(bench.Address.Host, bench.Address.Port);
        await using var stream = socket.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"POST /api/turns HTTP/1.1\r\nHost: {bench.Address.Authority}\r\nContent-Type: application/json\r\n"
            + "Expect: 100-continue\r\nContent-Length: 100\r\n\r\n"));
        using var reader = new StreamReader(stream);
        Assert.Contains("100", await reader.ReadLineAsync(), StringComparison.Ordinal);   // the server reads the body now

        bench.Time.Advance(TimeSpan.FromSeconds(31));
        await reader.ReadLineAsync();

        Assert.Contains("408", await reader.ReadLineAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("evil.example")]
    [InlineData("evil.example:5280")]
    [InlineData("127.0.0.1.evil.example")]
    [InlineData("8.8.8.8")]
    public async Task API_2_a_foreign_host_is_refused_on_every_route(string host)
    {
        await using var bench = await ServerBench.StartAsync();
        foreach (var path in new[] { "/", "/healthz", "/openapi.json", "/v1/models", "/nothing" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Host = host } };

            var error = await ServerBench.ErrorAsync(bench.Client.SendAsync(request));

            Assert.Equal((403, "forbidden"), Short(error));
            Assert.Contains("NextGpt:Server:AllowedHosts", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task API_2_a_foreign_origin_is_refused_and_gets_no_CORS_header()
    {
        await using var bench = await ServerBench.StartAsync();
        foreach (var origin in new[] { "http://evil.example", "null", "http://127.0.0.1:1", "file://" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models") { Headers = { { "Origin", origin } } };
            using var answer = await bench.Client.SendAsync(request);

            Assert.Equal(403, (int)answer.StatusCode);
            Assert.False(answer.Headers.Contains("Access-Control-Allow-Origin"));
        }

        using var own = new HttpRequestMessage(HttpMethod.Get, "/v1/models")
        {
            Headers = { { "Origin", bench.Address.GetLeftPart(UriPartial.Authority) } },
        };
        Assert.Equal(200, (await ServerBench.ReadAsync(bench.Client.SendAsync(own))).Status);
    }

    [Fact]
    public async Task API_2_an_allowed_host_is_answered()
    {
        await using var bench = await ServerBench.StartAsync(("NextGpt:Server:AllowedHosts:0", "chat.example"));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/healthz") { Headers = { Host = "chat.example" } };

        Assert.Equal(200, (await ServerBench.ReadAsync(bench.Client.SendAsync(request))).Status);
    }

    [Fact]
    public async Task API_3_a_key_opens_what_its_scopes_say_and_nothing_else()
    {
        await using var bench = await ServerBench.StartAsync();
        using var chat = bench.ClientWith("chat");
        using var metrics = bench.ClientWith("metrics");
        using var admin = bench.ClientWith("admin");

        Assert.Equal(200, (await ServerBench.ReadAsync(chat.GetAsync("/v1/models"))).Status);
        var error = await ServerBench.ErrorAsync(chat.GetAsync("/metrics"));
        Assert.Equal((403, "forbidden"), Short(error));
        Assert.Contains("The key lacks the scope \"metrics\".", error.Message, StringComparison.Ordinal);
        Assert.Equal(403, (await ServerBench.ErrorAsync(metrics.GetAsync("/v1/models"))).Status);
        Assert.Equal(403, (await ServerBench.ErrorAsync(chat.GetAsync("/api/keys"))).Status);
        Assert.Equal(200, (await ServerBench.ReadAsync(admin.GetAsync("/api/keys"))).Status);
        Assert.Equal(401, (await ServerBench.ErrorAsync(bench.Client.GetAsync("/api/keys"))).Status);
    }

    [Fact]
    public async Task API_3_a_key_is_made_shown_once_and_revoked_at_once()
    {
        await using var bench = await ServerBench.StartAsync();
        using var admin = bench.ClientWith("admin");

        var (status, made) = await ServerBench.ReadAsync(admin.PostAsync("/api/keys", ServerBench.Body(new JsonObject
        {
            ["name"] = "bot",
            ["scopes"] = new JsonArray("chat"),
        })));
        var text = (string?)made["key"] ?? "";
        using var bot = bench.ClientWithKey(text);
        Assert.Equal(201, status);
        Assert.Equal(200, (await ServerBench.ReadAsync(bot.GetAsync("/v1/models"))).Status);
        Assert.DoesNotContain(text, await admin.GetStringAsync("/api/keys"), StringComparison.Ordinal);
        using var revoked = await admin.DeleteAsync($"/api/keys/{made["id"]}");
        Assert.Equal(401, (await ServerBench.ErrorAsync(bot.GetAsync("/v1/models"))).Status);
    }

    [Fact]
    public async Task API_3_without_a_key_this_machine_may_chat_unless_a_key_is_required()
    {
        await using (var open = await ServerBench.StartAsync())
        {
            Assert.Equal(200, (await ServerBench.ReadAsync(open.Client.GetAsync("/v1/models"))).Status);
        }

        await using var closed = await ServerBench.StartAsync(("NextGpt:Server:RequireKey", "true"));
        using var answer = await closed.Client.GetAsync("/v1/models");
        Assert.Equal(401, (int)answer.StatusCode);
        Assert.Equal("Bearer", answer.Headers.WwwAuthenticate.Single().Scheme);
    }

    [Fact]
    public async Task API_3_wrong_keys_slow_the_address_down_with_a_time_to_wait()
    {
        await using var bench = await ServerBench.StartAsync();
        using var guesser = bench.ClientWithKey("ngk_aaaaaaaa_guess");
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(401, (await ServerBench.ErrorAsync(guesser.GetAsync("/v1/models"))).Status);
        }

        using var braked = await guesser.GetAsync("/v1/models");
        Assert.Equal(429, (int)braked.StatusCode);
        Assert.Equal(TimeSpan.FromMinutes(1), braked.Headers.RetryAfter?.Delta);
        bench.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(401, (await ServerBench.ErrorAsync(guesser.GetAsync("/v1/models"))).Status);
    }

    [Fact]
    public async Task The_metrics_count_turns_and_hold_no_content_and_no_persons()
    {
        await using var bench = await ServerBench.StartAsync();
        using var client = bench.ClientWith("metrics", "chat");
        using var asked = await client.PostAsync(
            "/api/turns", ServerBench.Body(new JsonObject { ["text"] = "my dear secret" }));
        await asked.Content.ReadAsStringAsync();

        var text = await client.GetStringAsync("/metrics");

        Assert.Contains("nextgpt_turns_total", text, StringComparison.Ordinal);
        Assert.Contains("outcome=\"stop\"", text, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", text, StringComparison.Ordinal);
        Assert.DoesNotContain(bench.Keys.List()[0].Id, text, StringComparison.Ordinal);
    }

    private static (int Status, string Code) Short((int Status, string Code, string Message) error) =>
        (error.Status, error.Code);
}
