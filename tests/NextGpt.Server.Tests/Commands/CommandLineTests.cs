using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using NextGpt.Host.Tests;
using NextGpt.Server.Commands;
using NextGpt.Server.Instance;

namespace NextGpt.Server.Tests.Commands;

public sealed class CommandLineTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nextgpt-cli-").FullName;
    private readonly ScriptedChatClient _model = new() { Rule = call => call.Say("re: ").Say(call.Question).End() };

    [Theory]
    [InlineData("frobnicate")]
    [InlineData("keys")]
    [InlineData("keys add")]
    [InlineData("keys add x --scope fly")]
    [InlineData("privacy erase --surface web")]
    [InlineData("privacy erase --tenant x --surface web --person y")]
    [InlineData("chat --temperature warm")]
    [InlineData("log restore")]
    public async Task CLI_2_what_is_asked_wrongly_is_exit_code_2(string line)
    {
        var (_, error, code) = await RunAsync(line.Split(' '));

        Assert.Equal(ExitCode.Usage, code);
        Assert.Contains("--help", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CLI_2_a_mistyped_verb_names_the_nearest() =>
        Assert.Contains("Did you mean `doctor`?", (await RunAsync("docter")).Error, StringComparison.Ordinal);

    [Theory]
    [InlineData("train")]
    [InlineData("train wings")]
    [InlineData("train pictures --wings 2")]
    public async Task CLI_2_a_stage_of_training_that_is_none_lists_those_there_are(string line)
    {
        var (output, _, code) = await RunAsync(line.Split(' '));

        Assert.Equal(ExitCode.Usage, code);
        Assert.Contains("picture-autoencoder", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Data_fetch_says_what_it_would_download()
    {
        var (output, _, code) = await RunAsync("data", "fetch", "--core", "--dry-run");

        Assert.Equal(ExitCode.Done, code);
        Assert.Contains("https://registry.npmjs.org/@iconify-json/noto/-/noto-1.2.9.tgz", output, StringComparison.Ordinal);
        Assert.DoesNotContain("openmoji", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CLI_3_config_check_names_what_is_wrong_and_says_so_in_JSON_too()
    {
        var good = await RunAsync("config", "check");
        WriteSettings("""{ "NextGpt": { "DataFolder": "FOLDER", "Turns": { "MaxWorkng": 1 } } }""");
        var bad = await RunAsync("config", "check", "--json");

        Assert.Equal((ExitCode.Done, "The settings are good."), (good.Code, good.Output.Trim()));
        Assert.Equal(ExitCode.Failed, bad.Code);
        var problem = JsonNode.Parse(bad.Output)?["problems"]?[0];
        Assert.Equal("NextGpt:Turns:MaxWorkng", (string?)problem?["setting"]);
    }

    [Fact]
    public async Task CLI_3_serve_checks_the_settings_before_anything_else()
    {
        WriteSettings("""{ "NextGpt": { "DataFolder": "FOLDER", "Model": { "Device": "gpu" } } }""");

        var (_, error, code) = await RunAsync("serve");

        Assert.Equal(ExitCode.Failed, code);
        Assert.Contains("NextGpt:Model:Device must be auto, cpu or cuda:N", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://0.0.0.0:0", "NextGpt:Server:BehindTlsProxy")]
    [InlineData("http://0.0.0.0:0", "there is no key")]
    public async Task API_1_serve_refuses_an_open_address_and_names_the_setting(string address, string part)
    {
        WriteSettings($$"""{ "NextGpt": { "DataFolder": "FOLDER", "Server": { "Address": "{{address}}" } } }""");

        var (_, error, code) = await RunAsync("serve");

        Assert.Equal(ExitCode.Refused, code);
        Assert.Contains(part, error, StringComparison.Ordinal);
        Assert.Contains("NextGpt:Server:Address", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CLI_2_keys_are_made_listed_and_revoked_without_a_server()
    {
        var made = await RunAsync("keys", "add", "bot", "--scope", "chat", "metrics", "--days", "30", "--json");
        var id = (string?)JsonNode.Parse(made.Output)?["id"] ?? "";
        var key = (string?)JsonNode.Parse(made.Output)?["key"] ?? "";
        var list = await RunAsync("keys", "list");
        var revoked = await RunAsync("keys", "revoke", id);
        var again = await RunAsync("keys", "revoke", id);

        Assert.Contains($"{id}  bot  chat,metrics", list.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(key, list.Output, StringComparison.Ordinal);
        Assert.Equal((ExitCode.Done, ExitCode.Failed), (revoked.Code, again.Code));
        Assert.Contains("There is no working key", again.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CLI_2_dry_run_does_nothing()
    {
        var (output, _, code) = await RunAsync("keys", "add", "bot", "--scope", "chat", "--dry-run");

        Assert.Equal((ExitCode.Done, "A key would be made."), (code, output.Trim()));
        Assert.Contains("There are no keys.", (await RunAsync("keys", "list")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CLI_2_erasing_needs_a_yes_and_is_refused_with_3_without()
    {
        var person = new[] { "privacy", "erase", "--surface", "web", "--person", "ana" };

        Assert.Equal(ExitCode.Refused, (await RunAsync(person)).Code);
        var done = await RunAsync([.. person, "--yes", "--json"]);
        Assert.Equal((ExitCode.Done, 0), (done.Code, (int?)JsonNode.Parse(done.Output)?["removed"]));
        Assert.Equal(ExitCode.Done, (await RunAsync([.. person, "--dry-run"])).Code);
    }

    [Fact]
    public async Task TEA_5_a_tenant_is_exported_and_erased_with_a_report()
    {
        const string tenant = "99999999-0000-0000-0000-000000000001";
        var file = Path.Combine(_folder, "tenant.zip");

        Assert.Equal(ExitCode.Done, (await RunAsync("privacy", "export", "--tenant", tenant, "--out", file)).Code);
        Assert.True(new FileInfo(file).Length > 0);
        Assert.Equal(ExitCode.Refused, (await RunAsync("privacy", "erase", "--tenant", tenant)).Code);
        var done = await RunAsync("privacy", "erase", "--tenant", tenant, "--yes", "--json");
        Assert.Equal((ExitCode.Done, 0, tenant), (
            done.Code, (int?)JsonNode.Parse(done.Output)?["people"], (string?)JsonNode.Parse(done.Output)?["tenant"]));
    }

    [Fact]
    public async Task CLI_2_a_data_folder_in_use_is_exit_code_4()
    {
        using var held = DataLock.Take(_folder);

        Assert.Equal(ExitCode.Locked, (await RunAsync("keys", "list")).Code);
        var (_, error, code) = await RunAsync("serve");
        Assert.Equal(ExitCode.Locked, code);
        Assert.Contains("NextGpt:DataFolder", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_log_is_verified_counted_compacted_backed_up_and_restored()
    {
        Assert.Equal(ExitCode.Done, (await RunAsync("log", "verify")).Code);
        var stats = await RunAsync("log", "stats", "--json");
        Assert.Equal(0, (int?)JsonNode.Parse(stats.Output)?["turns"]);
        Assert.Equal(ExitCode.Done, (await RunAsync("log", "compact")).Code);
        var backup = Path.Combine(_folder, "copy");
        Assert.Equal(ExitCode.Done, (await RunAsync("log", "backup", backup)).Code);
        Assert.True(Directory.Exists(backup));
        Assert.Equal(ExitCode.Refused, (await RunAsync("log", "restore", backup)).Code);
        Assert.Equal(ExitCode.Done, (await RunAsync("log", "restore", backup, "--yes")).Code);
        Assert.Equal(ExitCode.Failed, (await RunAsync("log", "restore", Path.Combine(_folder, "none"), "--yes")).Code);
    }

    [Fact]
    public async Task CON_1_chat_answers_piped_lines_with_the_model_in_this_process_and_remembers()
    {
        var (output, error, code) = await PipeAsync("one\ntwo\n", "chat", "--temperature", "0", "--seed", "3");

        Assert.Equal(
            ($"re: one{Environment.NewLine}re: two{Environment.NewLine}", ExitCode.Done), (output, code));
        Assert.Contains("An AI answers", error, StringComparison.Ordinal);
        Assert.Equal(3, _model.Calls[1].Messages.Count);
        Assert.Equal((0f, 3L), (_model.Calls[0].Options.Temperature, _model.Calls[0].Options.Seed));
    }

    [Fact]
    public async Task CLI_2_with_a_server_running_everything_goes_through_it()
    {
        using var stop = new CancellationTokenSource();
        var output = new LineWriter();
        var serving = CommandLine.RunAsync(
            ["serve", "--config", SettingsFile()], Surround(output, new StringWriter(), []), stop.Token);
        var served = await Task.WhenAny(output.WhenAsync("listening"), serving);
        Assert.NotSame(serving, served);

        var key = (string?)JsonNode.Parse((await RunAsync("keys", "add", "bot", "--scope", "chat", "--json")).Output)?["id"];
        var list = await RunAsync("keys", "list");
        var chat = await PipeAsync("over the wire\n", "chat");
        var stats = await RunAsync("log", "stats", "--json");
        var verify = await RunAsync("log", "verify");
        var erase = await RunAsync("privacy", "erase", "--surface", "console", "--person", "x", "--yes");
        var export = await RunAsync("privacy", "export", "--surface", "console", "--person", "x", "--out", Path.Combine(_folder, "x.zip"));
        var tenant = await RunAsync("privacy", "erase", "--tenant", "99999999-0000-0000-0000-000000000001", "--yes");
        var restore = await RunAsync("log", "restore", _folder, "--yes");
        var second = await RunAsync("serve");
        var revoked = await RunAsync("keys", "revoke", key ?? "");
        await stop.CancelAsync();

        Assert.Contains($"{key}  bot", list.Output, StringComparison.Ordinal);
        Assert.Equal($"re: over the wire{Environment.NewLine}", chat.Output);
        Assert.Equal(0, (int?)JsonNode.Parse(stats.Output)?["turns"]);
        Assert.Equal(
            [0, 0, 0, 0, 0, 0, 4, 4, 0],
            new[] { list, chat, verify, erase, export, tenant, restore, second, revoked }.Select(result => result.Code));
        Assert.Contains("stop the server", restore.Error, StringComparison.Ordinal);
        Assert.True(new FileInfo(Path.Combine(_folder, "x.zip")).Length > 0);
        Assert.Contains(await serving, new[] { ExitCode.Done, ExitCode.Stopped });
        Assert.False(File.Exists(Path.Combine(_folder, "server.json")));
    }

    [Fact]
    public async Task A_note_of_a_server_that_was_killed_is_ignored()
    {
        new RunningServer(int.MaxValue, new Uri("http://127.0.0.1:1"), "token").Announce(_folder);

        Assert.Equal(ExitCode.Done, (await RunAsync("keys", "list")).Code);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private Task<(string Output, string Error, int Code)> RunAsync(params string[] arguments) => PipeAsync("", arguments);

    private async Task<(string Output, string Error, int Code)> PipeAsync(string input, params string[] arguments)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = await CommandLine.RunAsync(
            [.. arguments, "--config", SettingsFile()], Surround(output, error, Encoding.UTF8.GetBytes(input)));
        return (output.ToString(), error.ToString(), code);
    }

    private Surroundings Surround(TextWriter output, TextWriter error, byte[] input) => new()
    {
        Input = new MemoryStream(input),
        Output = output,
        Error = error,
        Configure = services =>
        {
            services.AddSingleton<IChatClient>(_model);
            services.AddSingleton<NextGpt.Model.IGenerator>(new NoGenerator());
        },
    };

    private string SettingsFile()
    {
        var file = Path.Combine(_folder, "settings.json");
        if (!File.Exists(file))
        {
            WriteSettings("""
                { "NextGpt": { "DataFolder": "FOLDER", "Server": { "Address": "http://127.0.0.1:0" } },
                  "Logging": { "LogLevel": { "Default": "None" } } }
                """);
        }

        return file;
    }

    private void WriteSettings(string json) => File.WriteAllText(
        Path.Combine(_folder, "settings.json"), json.Replace("FOLDER", _folder.Replace("\\", "/", StringComparison.Ordinal), StringComparison.Ordinal));

    private sealed class NoGenerator : NextGpt.Model.IGenerator
    {
        public string ModelId => "none";

        public IAsyncEnumerable<NextGpt.Model.GenerationEvent> GenerateAsync(
            NextGpt.Model.GenerationRequest request, CancellationToken cancellationToken = default) =>
            throw new InvalidOperationException("The scripted client answers.");
    }

    /// <summary>Output of a command that goes on, watched for a word.</summary>
    private sealed class LineWriter : StringWriter
    {
        private readonly List<(string Word, TaskCompletionSource Seen)> _awaited = [];

        public Task WhenAsync(string word)
        {
            lock (_awaited)
            {
                var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                if (ToString().Contains(word, StringComparison.Ordinal))
                {
                    seen.SetResult();
                }

                _awaited.Add((word, seen));
                return seen.Task;
            }
        }

        public override void WriteLine(string? value)
        {
            lock (_awaited)
            {
                base.WriteLine(value);
                _awaited.FindAll(awaited => ToString().Contains(awaited.Word, StringComparison.Ordinal))
                    .ForEach(awaited => awaited.Seen.TrySetResult());
            }
        }
    }
}
