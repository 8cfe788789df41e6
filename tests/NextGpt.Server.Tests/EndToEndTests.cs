using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using NextGpt.Server.Commands;

namespace NextGpt.Server.Tests;

/// <summary>The program as a person starts it, with the embedded model.</summary>
public sealed class EndToEndTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);
    private readonly string _folder = Directory.CreateTempSubdirectory("nextgpt-e2e-").FullName;

    [Fact]
    public async Task CON_1_two_piped_lines_get_two_answers_and_exit_code_0()
    {
        using var chat = Start("chat", "--temperature", "0", "--max-tokens", "24");
        await chat.StandardInput.WriteAsync("Hi, my name is Ana.\nWhat is my name?\n");
        chat.StandardInput.Close();
        var output = chat.StandardOutput.ReadToEndAsync();
        var error = chat.StandardError.ReadToEndAsync();
        await chat.WaitForExitAsync().WaitAsync(Patience);

        var answers = (await output).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal((ExitCode.Done, ""), (chat.ExitCode, chat.ExitCode == 0 ? "" : await error));
        Assert.True(answers.Length >= 2, await output);
    }

    [Fact]
    public async Task The_server_starts_says_what_it_does_answers_and_ends_on_a_signal()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The signal is of Unix.");
        using var server = Start("serve");
        var lines = new List<string>();
        var address = "";
        while (!lines.Exists(line => line.StartsWith("model     ready", StringComparison.Ordinal)))
        {
            var line = await server.StandardOutput.ReadLineAsync().WaitAsync(Patience)
                ?? throw new InvalidOperationException(
                    string.Join('\n', lines) + await server.StandardError.ReadToEndAsync());
            lines.Add(line);
            if (line.StartsWith("listening ", StringComparison.Ordinal))
            {
                address = line.Split(' ')[1];
            }
        }

        var rest = server.StandardOutput.ReadToEndAsync();
        using var client = new HttpClient { BaseAddress = new Uri(address), Timeout = Patience };
        using var answer = await client.PostAsJsonAsync("/v1/chat/completions", JsonNode.Parse("""
            {"messages": [{"role": "user", "content": "What is the capital of France?"}], "temperature": 0, "max_tokens": 16}
            """));
        var json = await answer.Content.ReadFromJsonAsync<JsonNode>();
        using var kill = Process.Start("kill", ["-TERM", $"{server.Id}"]);
        await server.WaitForExitAsync().WaitAsync(Patience);

        Assert.Contains("Paris", (string?)json?["choices"]?[0]?["message"]?["content"], StringComparison.Ordinal);
        Assert.Contains(lines, line => line.StartsWith("open      http://127.0.0.1:", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("model     loading", StringComparison.Ordinal));
        Assert.Equal(ExitCode.Done, server.ExitCode);
        Assert.DoesNotContain("capital", string.Join('\n', lines) + await rest, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(_folder, "server.json")));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "nextgpt.dll"), .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["NextGpt__DataFolder"] = _folder,
                ["NextGpt__Server__Address"] = "http://127.0.0.1:0",
                ["NextGpt__Turns__FirstTokenTimeout"] = "00:01:30",   // test machines are shared
            },
        };
        return Process.Start(start) ?? throw new InvalidOperationException("The program did not start.");
    }
}
