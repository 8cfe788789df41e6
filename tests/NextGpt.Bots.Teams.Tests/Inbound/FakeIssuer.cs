using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace NextGpt.Bots.Teams.Tests.Inbound;

/// <summary>Stands for the service that signs activities: publishes keys, makes good and bad tokens.</summary>
internal sealed class FakeIssuer(TimeProvider time) : HttpMessageHandler
{
    public const string Issuer = "https://api.botframework.com";
    public const string AppId = "11111111-2222-3333-4444-555555555555";

    private static readonly RSA[] Keys = [RSA.Create(2048), RSA.Create(2048)];
    private int _key;

    /// <summary>Answers nothing.</summary>
    public bool IsDown { get; set; }

    public string[] Endorsements { get; set; } = ["msteams", "webchat"];

    public int Reads { get; private set; }

    public void Rotate() => _key = 1;

    /// <summary>A token; every argument makes it wrong in one way.</summary>
    public string Token(
        string? audience = AppId, string? issuer = Issuer, string? serviceUrl = "https://smba.trafficmanager.net/emea/",
        TimeSpan? from = null, TimeSpan? until = null, string? algorithm = null, string? keyId = null)
    {
        var now = time.GetUtcNow().UtcDateTime;
        var claims = new Dictionary<string, object>();
        if (serviceUrl is not null)
        {
            claims["serviceurl"] = serviceUrl;
        }

        SigningCredentials? credentials = algorithm switch
        {
            "none" => null,
            "HS256" => new SigningCredentials(
                new SymmetricSecurityKey(Encoding.UTF8.GetBytes(new string('k', 64))) { KeyId = keyId ?? NameOf(_key) }, "HS256"),
            _ => new SigningCredentials(
                new RsaSecurityKey(Keys[_key]) { KeyId = keyId ?? NameOf(_key) }, algorithm ?? "RS256"),
        };
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = issuer,
            Audience = audience,
            NotBefore = now + (from ?? TimeSpan.FromMinutes(-1)),
            Expires = now + (until ?? TimeSpan.FromHours(1)),
            Claims = claims,
            SigningCredentials = credentials,
        });
    }

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (IsDown)
        {
            throw new HttpRequestException("down");
        }

        Reads++;
        JsonNode body = request.RequestUri!.AbsolutePath.EndsWith("openidconfiguration", StringComparison.Ordinal)
            ? new JsonObject { ["issuer"] = Issuer, ["jwks_uri"] = "https://login.botframework.com/v1/.well-known/keys" }
            : new JsonObject { ["keys"] = new JsonArray(Published()) };
        return Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK)
        {
            Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json"),
        });
    }

    private JsonObject Published()
    {
        var numbers = Keys[_key].ExportParameters(includePrivateParameters: false);
        return new JsonObject
        {
            ["kty"] = "RSA",
            ["use"] = "sig",
            ["kid"] = NameOf(_key),
            ["n"] = Base64UrlEncoder.Encode(numbers.Modulus!),
            ["e"] = Base64UrlEncoder.Encode(numbers.Exponent!),
            ["endorsements"] = new JsonArray([.. Endorsements.Select(channel => JsonValue.Create(channel))]),
        };
    }

    private static string NameOf(int key) => $"key-{key}";
}
