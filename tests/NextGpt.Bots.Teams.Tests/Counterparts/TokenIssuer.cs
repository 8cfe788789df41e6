using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace NextGpt.Bots.Teams.Tests.Counterparts;

/// <summary>
/// A real OpenID provider that signs tokens as the service does. Its key sets know no endorsements, so they are added on
/// the way; asked by the bot for the service's keys.
/// </summary>
internal sealed class TokenIssuer : HttpMessageHandler
{
    public const string Name = "https://issuer.test";

    private readonly HttpMessageInvoker _http = new(new SocketsHttpHandler { UseProxy = false });
    private NodeProgram _program = null!;
    private string[] _ports = [];
    private int _current;

    public string[] Endorsements { get; set; } = ["msteams"];

    /// <summary>Answers nothing.</summary>
    public bool IsDown { get; set; }

    /// <summary>How often keys were read.</summary>
    public int Reads { get; private set; }

    public static async Task<TokenIssuer> StartAsync()
    {
        var issuer = new TokenIssuer { _program = NodeProgram.Start(["issuer.mjs"]) };
        issuer._ports = (await issuer._program.ReadAsync("ready")).Split(' ');
        return issuer;
    }

    /// <summary>From now on the other keys sign and are published.</summary>
    public void Rotate() => _current = 1;

    public async Task<string> TokenAsync(string audience, string? serviceUrl, int seconds = 3600, string algorithm = "RS256")
    {
        var resource = $"https://token.test/{audience}?ttl={seconds}&alg={algorithm}"
            + (serviceUrl is null ? "" : $"&serviceurl={Uri.EscapeDataString(serviceUrl)}");
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://127.0.0.1:{_ports[_current]}/token")
        {
            Content = new FormUrlEncodedContent(new Dictionary<string, string>
            {
                ["grant_type"] = "client_credentials",
                ["resource"] = resource,
            }),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue(
            "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes("service:secret")));
        using var answer = await _http.SendAsync(request, TestContext.Current.CancellationToken);
        var body = await answer.Content.ReadAsStringAsync();
        return (string?)JsonNode.Parse(body)!["access_token"] ?? throw new InvalidOperationException(body);
    }

    public async ValueTask StopAsync()
    {
        await _program.DisposeAsync();
        _http.Dispose();
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (IsDown)
        {
            throw new HttpRequestException("down");
        }

        var isDescription = request.RequestUri!.AbsolutePath.EndsWith("openidconfiguration", StringComparison.Ordinal);
        using var inner = new HttpRequestMessage(
            HttpMethod.Get,
            $"http://127.0.0.1:{_ports[_current]}/{(isDescription ? ".well-known/openid-configuration" : "jwks")}");
        using var answer = await _http.SendAsync(inner, cancellationToken);
        var body = JsonNode.Parse(await answer.Content.ReadAsStringAsync(cancellationToken))!;
        if (isDescription)
        {
            body["jwks_uri"] = "https://login.botframework.com/v1/.well-known/keys";   // as the bot reaches it
        }
        else
        {
            Reads++;
            foreach (var key in body["keys"]!.AsArray())
            {
                key!["endorsements"] = new JsonArray([.. Endorsements.Select(channel => JsonValue.Create(channel))]);
            }
        }

        return new HttpResponseMessage
        {
            Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json"),
        };
    }
}
