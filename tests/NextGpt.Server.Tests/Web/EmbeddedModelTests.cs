using System.Net.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using NextGpt.Server.Keys;
using static Microsoft.Playwright.Assertions;

namespace NextGpt.Server.Tests.Web;

/// <summary>The whole way once: browser, server, router, the embedded model.</summary>
public sealed class EmbeddedModelTests(Browser browser)
{
    [Fact]
    [Trait("Id", "WEB-2")]
    public async Task The_embedded_model_answers_an_example_and_can_be_stopped()
    {
        await using var server = await WebServer.StartAsync(embeddedModel: true);
        await using var ana = await Visitor.ComeAsync(browser, server);
        await ana.GoAsync();
        await ana.Button("What is the capital of France?").ClickAsync();
        await Expect(ana.LastAnswer).ToContainTextAsync("Paris", new() { Timeout = 60_000 });
        await Expect(ana.Turns.First).ToHaveAttributeAsync("aria-busy", "false", new() { Timeout = 60_000 });
        await Expect(ana.Turns.First.Locator(".facts")).ToContainTextAsync("SmolLM2");

        await ana.AskAsync("Tell me everything about the sea, in a thousand words.");
        await Expect(ana.Turns.Nth(1).Locator(".answer .block").First).ToBeVisibleAsync(new() { Timeout = 60_000 });
        await ana.Button("Stop the answer").ClickAsync();
        await Expect(ana.Turns.Last).ToContainTextAsync("Stopped; what was there stands.");
        await LeaveStreamAsync(server);
        ana.AssertNoFaults();
        Assert.Empty(server.Warnings);   // cancelling is no error, whoever of the pipeline sees it (rule 13)
    }

    /// <summary>Begins to read an answer of the API and hangs up; that the next one comes says that the first has ended.</summary>
    private static async Task LeaveStreamAsync(WebServer server)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var key = server.App.Services.GetRequiredService<KeyStore>().Add("test", [Scope.Chat], null).Text;
        using (var leaving = ClientWith(server, key))
        {
            using var answer = await SendAsync(leaving, "Tell me everything about the sea, in a thousand words.", stream: true);
            await using var words = await answer.Content.ReadAsStreamAsync(cancellationToken);
            await words.ReadExactlyAsync(new byte[400], cancellationToken);
        }

        using var staying = ClientWith(server, key);
        using var next = await SendAsync(staying, "What is the capital of France?", stream: false);

        async Task<HttpResponseMessage> SendAsync(HttpClient client, string question, bool stream)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions")
            {
                Content = JsonContent.Create(new
                {
                    messages = new[] { new { role = "user", content = question } },
                    max_tokens = stream ? 1_000 : 4,
                    stream,
                }),
            };
            var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            return answer.EnsureSuccessStatusCode();
        }
    }

    private static HttpClient ClientWith(WebServer server, string key) => new()
    {
        BaseAddress = server.Address,
        DefaultRequestHeaders = { Authorization = new("Bearer", key) },
    };
}
