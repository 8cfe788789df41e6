using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using NextGpt.Host.Tests;
using NextGpt.Server.Keys;

namespace NextGpt.Server.Tests;

/// <summary>The real server on a free port with a scripted model, a clock that stands, and a data folder of its own.</summary>
internal sealed class ServerBench : IAsyncDisposable
{
    private readonly string _folder;

    private ServerBench(WebApplication app, string folder, ScriptedChatClient model, FakeTimeProvider time)
    {
        (App, _folder, Model, Time) = (app, folder, model, time);
        Address = new Uri(app.Urls.First());
        Client = new HttpClient { BaseAddress = Address };
    }

    public WebApplication App { get; }

    public Uri Address { get; }

    /// <summary>A client without a key.</summary>
    public HttpClient Client { get; }

    public ScriptedChatClient Model { get; }

    public FakeTimeProvider Time { get; }

    public KeyStore Keys => App.Services.GetRequiredService<KeyStore>();

    public static Task<ServerBench> StartAsync(params (string Key, string Value)[] settings) => StartAsync(static _ => { }, settings);

    /// <summary>Starts it with other services in the place of the scripted ones.</summary>
    public static async Task<ServerBench> StartAsync(
        Action<IServiceCollection> configure, params (string Key, string Value)[] settings)
    {
        var folder = Directory.CreateTempSubdirectory("nextgpt-server-").FullName;
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["NextGpt:DataFolder"] = folder,
            ["NextGpt:Server:Address"] = "http://127.0.0.1:0",
            ["Logging:LogLevel:Default"] = "None",
        }).AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)))
            .Build();
        var model = new ScriptedChatClient { Rule = call => call.Say("re: ").Say(call.Question).End() };
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 8, 1, 12, 0, 0, TimeSpan.Zero));
        var app = ServerApplication.Build(configuration, configure: services =>
        {
            services.AddSingleton<IChatClient>(model);
            services.AddScriptedMedia();
            configure(services);
            services.AddSingleton<TimeProvider>(time);
            services.AddLogging(logging => logging.ClearProviders());
        });
        await app.StartAsync();
        return new ServerBench(app, folder, model, time);
    }

    /// <summary>A client with a new key of these scopes.</summary>
    public HttpClient ClientWith(params string[] scopes) => ClientWithKey(Keys.Add("test", scopes, null).Text);

    public HttpClient ClientWithKey(string key)
    {
        var client = new HttpClient { BaseAddress = Address };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return client;
    }

    public static async Task<(int Status, JsonNode Json)> ReadAsync(Task<HttpResponseMessage> request)
    {
        using var answer = await request;
        return ((int)answer.StatusCode, await answer.Content.ReadFromJsonAsync<JsonNode>() ?? new JsonObject());
    }

    /// <summary>The code of an error, after checking that it has the API's shape.</summary>
    public static async Task<(int Status, string Code, string Message)> ErrorAsync(Task<HttpResponseMessage> request)
    {
        var (status, json) = await ReadAsync(request);
        var error = Assert.IsType<JsonObject>(json["error"]);
        Assert.Equal(["message", "type", "param", "code"], error.Select(field => field.Key));
        return (status, (string?)error["code"] ?? "", (string?)error["message"] ?? "");
    }

    /// <summary>The data lines of an event stream.</summary>
    public static async Task<IReadOnlyList<string>> EventsAsync(HttpResponseMessage answer) =>
    [
        .. (await answer.Content.ReadAsStringAsync()).Split('\n')
            .Where(line => line.StartsWith("data: ", StringComparison.Ordinal)).Select(line => line[6..]),
    ];

    public static JsonContent Body(JsonObject json) => JsonContent.Create(json);

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await App.StopAsync(now.Token);
        await App.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
