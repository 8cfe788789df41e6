using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Web;
using Microsoft.Identity.Client;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using NextGpt.Bots.Teams.Connector;

namespace NextGpt.Bots.Teams.Tests.Connector;

public sealed class ServiceTokensTests : IDisposable
{
    private readonly string _secret = Path.GetTempFileName();

    public ServiceTokensTests() => File.WriteAllText(_secret, "word");

    public void Dispose() => File.Delete(_secret);

    [Fact]
    public async Task A4_fifty_calls_at_once_ask_the_directory_once_and_a_refused_token_once_more()
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(_secret, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        var directory = new FakeDirectory();
        var tokens = new ServiceTokens(Options(), directory);

        var all = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => tokens.GetAsync(fresh: false)));

        Assert.All(all, token => Assert.Equal("token-1", token));
        Assert.Equal(1, directory.Requests);
        Assert.Equal("token-2", await tokens.GetAsync(fresh: true));
        Assert.Equal("token-2", await tokens.GetAsync(fresh: false));
        Assert.Equal("/99999999-0000-0000-0000-000000000001/oauth2/v2.0/token", directory.Path);
        Assert.Contains("scope=https%3A%2F%2Fapi.botframework.com%2F.default", directory.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A4_a_certificate_signs_the_request_and_no_secret_is_sent()
    {
        using var key = RSA.Create(2048);
        using var certificate = new CertificateRequest("CN=bot", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        await File.WriteAllTextAsync(_secret, $"{certificate.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}");
        Protect();
        var directory = new FakeDirectory();
        var tokens = new ServiceTokens(
            new TeamsOptions
            {
                Enabled = true,
                AppId = "11111111-2222-3333-4444-555555555556",
                TenantId = "99999999-0000-0000-0000-000000000001",
                Credential = TeamsCredential.Certificate,
                CertificateFile = _secret,
            },
            directory);

        Assert.Equal("token-1", await tokens.GetAsync(fresh: false));
        var form = HttpUtility.ParseQueryString(directory.Body);
        Assert.Null(form["client_secret"]);
        Assert.Equal("urn:ietf:params:oauth:client-assertion-type:jwt-bearer", form["client_assertion_type"]);
        var result = await new JsonWebTokenHandler().ValidateTokenAsync(form["client_assertion"], new TokenValidationParameters
        {
            IssuerSigningKey = new RsaSecurityKey(key.ExportParameters(includePrivateParameters: false)),
            TryAllIssuerSigningKeys = true,
            ValidIssuer = "11111111-2222-3333-4444-555555555556",
            ValidateAudience = false,
        });
        Assert.True(result.IsValid, result.Exception?.Message);
    }

    [Fact]
    public async Task A4_a_managed_identity_asks_its_machine_for_the_services_token_and_has_no_secret()
    {
        var directory = new FakeDirectory();
        var tokens = new ServiceTokens(
            new TeamsOptions { Enabled = true, AppId = "11111111-2222-3333-4444-555555555557", Credential = TeamsCredential.ManagedIdentity },
            directory);

        Assert.StartsWith("token-", await tokens.GetAsync(fresh: false), StringComparison.Ordinal);
        Assert.Contains("client_id=11111111-2222-3333-4444-555555555557", directory.Query, StringComparison.Ordinal);
        Assert.Contains("resource=https://api.botframework.com", Uri.UnescapeDataString(directory.Query), StringComparison.Ordinal);
        Assert.DoesNotContain("secret", directory.Body, StringComparison.Ordinal);
    }

    [Fact]
    public void A4_a_file_that_holds_no_certificate_is_refused_in_words()
    {
        Protect();

        var refused = Assert.Throws<InvalidDataException>(() => new ServiceTokens(new TeamsOptions
        {
            AppId = "11111111-2222-3333-4444-555555555558",
            Credential = TeamsCredential.Certificate,
            CertificateFile = _secret,
        }));

        Assert.Contains("CertificateFile", refused.Message, StringComparison.Ordinal);
    }

    private void Protect()
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(_secret, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }

    [Fact]
    public void A4_a_secret_that_others_can_read_is_refused()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("There are no file modes.");
            return;
        }

        File.SetUnixFileMode(_secret, UnixFileMode.UserRead | UnixFileMode.OtherRead);

        var refused = Assert.Throws<InvalidDataException>(() => new ServiceTokens(Options()));

        Assert.Contains("chmod 600", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void DEG_1_without_a_secret_the_check_names_the_variable()
    {
        var (isOk, sentence) = TeamsCheck.Run(
            new TeamsOptions { Enabled = true, AppId = Guid.NewGuid().ToString(), SecretVariable = "NEXTGPT_NOT_SET" }, true);

        Assert.False(isOk);
        Assert.Contains("NEXTGPT_NOT_SET", sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void A3_the_check_refuses_local_mode_where_others_reach_the_server() =>
        Assert.False(TeamsCheck.Run(new TeamsOptions { Enabled = true, LocalMode = true }, listensOnlyHere: false).IsOk);

    private TeamsOptions Options() => new()
    {
        Enabled = true,
        AppId = "11111111-2222-3333-4444-555555555555",
        TenantId = "99999999-0000-0000-0000-000000000001",
        SecretFile = _secret,
    };

    private sealed class FakeDirectory : HttpMessageHandler, IMsalHttpClientFactory
    {
        private int _requests;

        public int Requests => _requests;

        public string Path { get; private set; } = "";

        public string Body { get; private set; } = "";

        public string Query { get; private set; } = "";

        public HttpClient GetHttpClient() => new(this, disposeHandler: false);

        protected override async Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var number = Interlocked.Increment(ref _requests);
            Path = request.RequestUri!.AbsolutePath;
            Query = request.RequestUri.Query;
            Body = request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken);
            return new HttpResponseMessage(HttpStatusCode.OK)
            {
                Content = new StringContent(
                    $$"""{"token_type":"Bearer","expires_in":3599,"expires_on":"{{DateTimeOffset.UtcNow.AddHours(1).ToUnixTimeSeconds()}}","access_token":"token-{{number}}"}""", Encoding.UTF8,
                    "application/json"),
            };
        }
    }
}
