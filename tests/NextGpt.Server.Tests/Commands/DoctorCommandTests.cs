using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Time.Testing;
using NextGpt.Server.Commands;

namespace NextGpt.Server.Tests.Commands;

public sealed class DoctorCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nextgpt-doctor-").FullName;

    [Theory]
    [InlineData(15, true, "good until 2026-08-16")]
    [InlineData(13, false, "It expires on 2026-08-14, in 13 days; renew")]
    [InlineData(-1, false, "It expired on 2026-07-31; renew")]
    public void CLI_3_a_certificate_that_expires_within_two_weeks_is_a_finding(int days, bool ok, string sentence)
    {
        var now = new DateTimeOffset(2026, 8, 1, 12, 0, 0, TimeSpan.Zero);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(now.AddDays(-60), now.AddDays(days));
        var path = Path.Combine(_folder, "server.pem");
        File.WriteAllText(path, certificate.ExportCertificatePem());

        var finding = DoctorCommand.ExamineCertificate(path, new FakeTimeProvider(now));

        Assert.Equal(ok, finding.IsOk);
        Assert.StartsWith(sentence, finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CLI_3_a_certificate_that_cannot_be_read_is_a_finding_in_words()
    {
        var path = Path.Combine(_folder, "none.pem");

        var finding = DoctorCommand.ExamineCertificate(path, TimeProvider.System);

        Assert.False(finding.IsOk);
        Assert.StartsWith($"{path} cannot be read as a certificate", finding.Message, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
