using System.Diagnostics;
using NextGpt.Server.Commands;

namespace NextGpt.Server.Tests.Natives;

/// <summary>The setting <c>NextGpt:Model:Libtorch</c>, in a process of its own each: libtorch is loaded once in a process.</summary>
public sealed class LibtorchSettingTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);
    private static readonly string[] Libraries = ["libc10.so", "libtorch_cpu.so", "libtorch.so", "libgomp-98b21ff3.so.1"];
    private readonly string _folder = Directory.CreateTempSubdirectory("nextgpt-libtorch-").FullName;

    [Fact]
    public async Task Another_folder_with_the_right_libtorch_is_the_one_that_is_loaded()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "looks into /proc");
        foreach (var name in Libraries)
        {
            File.Copy(Path.Combine(OldestSystemTests.LibtorchFolder(), name), Path.Combine(_folder, name));
        }

        using var chat = Start(_folder);
        var errors = chat.StandardError.ReadToEndAsync();
        await chat.StandardInput.WriteLineAsync("What is the capital of France?");
        await chat.StandardInput.FlushAsync();
        var answer = "";
        while (!answer.Contains("Paris", StringComparison.Ordinal))
        {
            answer += await chat.StandardOutput.ReadLineAsync().WaitAsync(Patience)
                ?? throw new InvalidOperationException(answer + await errors);
        }

        var loaded = (await File.ReadAllLinesAsync($"/proc/{chat.Id}/maps"))
            .Select(line => line[(line.LastIndexOf(' ') + 1)..])
            .Where(path => Path.GetFileName(path) is "libtorch_cpu.so" or "libc10.so").Distinct().Order().ToArray();
        chat.StandardInput.Close();
        await chat.WaitForExitAsync().WaitAsync(Patience);

        Assert.Equal([Path.Combine(_folder, "libc10.so"), Path.Combine(_folder, "libtorch_cpu.so")], loaded);
        Assert.Equal(ExitCode.Done, chat.ExitCode);
    }

    [Fact]
    public async Task A_wrong_folder_is_a_sentence_that_names_it_and_the_setting()
    {
        var nowhere = Path.Combine(_folder, "nowhere");

        Assert.Equal(
            $"libtorch in {nowhere} cannot be used: the folder does not exist. This program needs libtorch 2.10 or 2.11 for this "
            + "system: set NextGpt:Model:Libtorch to its folder (torch/lib of a Python environment), or leave it out for the one "
            + "that comes along.",
            await RefusalAsync(nowhere));
    }

    [Fact]
    public async Task Another_version_is_a_sentence_that_says_what_it_lacks()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "reads Linux libraries");
        foreach (var name in Libraries)
        {
            // A library of the right kind without the functions, as an old version lacks those that came later.
            File.Copy(Path.Combine(OldestSystemTests.LibtorchFolder(), "libc10.so"), Path.Combine(_folder, name));
        }

        Assert.Matches(
            "cannot be used: it lacks [0-9,]+ of the 1204 functions that this program calls, .* needs libtorch 2.10 or 2.11",
            await RefusalAsync(_folder));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private async Task<string> RefusalAsync(string libtorch)
    {
        using var chat = Start(libtorch);
        await chat.StandardInput.WriteLineAsync("Hello");
        chat.StandardInput.Close();
        var output = chat.StandardOutput.ReadToEndAsync();
        var error = chat.StandardError.ReadToEndAsync();
        await chat.WaitForExitAsync().WaitAsync(Patience);

        Assert.Equal((ExitCode.Failed, ""), (chat.ExitCode, await output));
        return (await error).Trim();
    }

    private Process Start(string libtorch)
    {
        var start = new ProcessStartInfo(
            "dotnet", [Path.Combine(AppContext.BaseDirectory, "nextgpt.dll"), "chat", "--temperature", "0", "--max-tokens", "16"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["NextGpt__DataFolder"] = Path.Combine(_folder, "data"),
                ["NextGpt__Model__Libtorch"] = libtorch,
                ["NextGpt__Turns__FirstTokenTimeout"] = "00:01:30",   // test machines are shared
            },
        };
        return Process.Start(start) ?? throw new InvalidOperationException("The program did not start.");
    }
}
