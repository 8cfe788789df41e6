using Microsoft.Extensions.Configuration;
using NextGpt.Server.Commands;

namespace NextGpt.Server.Tests.Commands;

public sealed class MediaExaminationTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nextgpt-doctor-media-").FullName;

    [Fact]
    public void CLI_3_a_named_ffmpeg_that_is_not_there_is_a_finding_that_says_what_is_lost()
    {
        var named = Path.Combine(_folder, "ffmpeg");

        var finding = MediaExamination.OfFfmpeg(Settings("NextGpt:Media:Ffmpeg", named));

        Assert.Equal(("ffmpeg", false), (finding.Name, finding.IsOk));
        Assert.StartsWith($"{named} or the ffprobe beside it is not there: MP3, OGG,", finding.Message, StringComparison.Ordinal);
        Assert.EndsWith("name it in NextGpt:Media:Ffmpeg.", finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CLI_3_ffmpeg_that_no_setting_names_is_never_a_fault()
    {
        var finding = MediaExamination.OfFfmpeg(Settings("NextGpt:Media:Decoders", "2"));

        Assert.True(finding.IsOk);
        Assert.True(
            File.Exists(finding.Message) || finding.Message.StartsWith("not installed: MP3, OGG,", StringComparison.Ordinal),
            finding.Message);
    }

    [Fact]
    public void CLI_3_a_language_model_alone_has_no_line_for_packages() =>
        Assert.Null(MediaExamination.OfPackage(Settings("NextGpt:Model:Path", _folder)));

    [Fact]
    public void CLI_3_a_package_that_cannot_be_read_is_a_finding_in_words()
    {
        File.WriteAllText(Path.Combine(_folder, "nextgpt.json"), "{ this is no manifest");

        var finding = MediaExamination.OfPackage(Settings("NextGpt:Model:Path", _folder));

        Assert.NotNull(finding);
        Assert.Equal(("package", false), (finding.Name, finding.IsOk));
        Assert.Contains("nextgpt.json", finding.Message, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static IConfiguration Settings(string name, string value) =>
        new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { [name] = value }).Build();
}
