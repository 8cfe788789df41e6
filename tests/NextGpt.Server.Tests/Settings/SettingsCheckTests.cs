using Microsoft.Extensions.Configuration;
using NextGpt.Server.Settings;

namespace NextGpt.Server.Tests.Settings;

public sealed class SettingsCheckTests
{
    [Fact]
    public void CLI_3_the_settings_file_that_comes_with_the_program_is_good() =>
        Assert.Empty(SettingsCheck.Run(SettingsSource.Read(null)));

    [Theory]
    [InlineData("NextGpt:Turns:MaxWorkng", "1", "NextGpt:Turns:MaxWorking")]
    [InlineData("NextGpt:Modle:Device", "cpu", "NextGpt:Model?")]
    [InlineData("NextGpt:DataFoler", "x", "NextGpt:DataFolder")]
    public void CLI_3_an_unknown_name_is_named_with_the_nearest_valid_one(string name, string value, string nearest)
    {
        var problem = Assert.Single(Check((name, value)));

        Assert.StartsWith("There is no setting NextGpt:", problem.Sentence, StringComparison.Ordinal);
        Assert.Contains($"did you mean {nearest}", problem.Sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("NextGpt:Turns:MaxWorking", "many", "NextGpt:Turns:MaxWorking is \"many\", it must be a whole number.")]
    [InlineData("NextGpt:Turns:QueueTimeout", "soon", "it must be a time such as 00:05:00")]
    [InlineData("NextGpt:Server:RequireKey", "ja", "it must be true or false")]
    [InlineData("NextGpt:Turns:MaxWorking", "0", "NextGpt:Turns:MaxWorking is \"0\": ")]
    [InlineData("NextGpt:Turns:MemoryTime", "02:00:00", "what is not kept is not remembered longer")]
    [InlineData("NextGpt:Model:Device", "gpu", "NextGpt:Model:Device must be auto, cpu or cuda:N")]
    public void CLI_3_a_wrong_value_gets_a_sentence(string name, string value, string sentence)
    {
        var problem = Assert.Single(Check((name, value)));

        Assert.Equal(name, problem.Name);
        Assert.Contains(sentence, problem.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void CLI_3_names_are_read_whatever_their_case() =>
        Assert.Empty(Check(("nextgpt:turns:maxworking", "2")));

    [Fact]
    public void CLI_3_every_mistake_is_named_not_only_the_first() =>
        Assert.Equal(3, Check(
            ("NextGpt:Turns:MaxWorking", "x"), ("NextGpt:Turns:Nonsense", "1"), ("NextGpt:Model:Device", "gpu")).Count);

    [Fact]
    public void A_file_that_is_not_JSON_is_said_with_its_place()
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, "{ \"NextGpt\": { ");

            var failure = Assert.Throws<InvalidDataException>(() => SettingsSource.Read(file));

            Assert.Contains("not valid JSON", failure.Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void A_file_that_is_missing_is_said() => Assert.Contains(
        "There is no settings file",
        Assert.Throws<InvalidDataException>(() => SettingsSource.Read("nowhere.json")).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("127.0.0.1:80")]
    [InlineData("ftp://127.0.0.1")]
    [InlineData("http://127.0.0.1:5280/chat")]
    public void API_1_an_address_that_cannot_be_listened_on_is_named(string address)
    {
        var problem = Assert.Single(ListeningRules.Mistakes(new ServerOptions { Address = address }));

        Assert.Equal("NextGpt:Server:Address", problem.Name);
    }

    [Fact]
    public void API_1_an_https_address_without_certificate_is_refused() =>
        Assert.Equal(
            ["NextGpt:Server:Certificate", "NextGpt:Server:CertificateKey"],
            ListeningRules.Mistakes(new ServerOptions { Address = "https://127.0.0.1:5280" }).Select(p => p.Name));

    [Theory]
    [InlineData("http://127.0.0.1:5280", false, false, 0)]
    [InlineData("http://localhost:5280", false, false, 0)]
    [InlineData("http://[::1]:5280", false, false, 0)]
    [InlineData("http://0.0.0.0:5280", false, false, 2)]
    [InlineData("http://0.0.0.0:5280", false, true, 1)]
    [InlineData("http://0.0.0.0:5280", true, false, 1)]
    [InlineData("http://192.168.1.7:5280", true, true, 0)]
    [InlineData("https://192.168.1.7:5280", false, true, 0)]
    public void API_1_an_address_that_others_reach_needs_TLS_and_a_key(string address, bool proxy, bool key, int refusals)
    {
        var options = new ServerOptions { Address = address, BehindTlsProxy = proxy };

        var found = ListeningRules.Refusals(options, key).ToList();

        Assert.Equal(refusals, found.Count);
        Assert.All(found, refusal => Assert.Contains("NextGpt:Server:Address", refusal.Sentence, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("/retyr", "/retry")]
    [InlineData("/goood", "/good")]
    [InlineData("/HELP", "/help")]
    [InlineData("/xyzzy", null)]
    public void The_nearest_name_is_found_or_none(string word, string? nearest) =>
        Assert.Equal(nearest, NearestName.To(word, ["/new", "/retry", "/good", "/bad", "/help"]));

    private static IReadOnlyList<SettingsProblem> Check(params (string Name, string Value)[] settings) =>
        SettingsCheck.Run(new ConfigurationBuilder().AddInMemoryCollection(
            settings.Select(setting => KeyValuePair.Create(setting.Name, (string?)setting.Value))).Build());
}
