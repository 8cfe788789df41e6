using System.Diagnostics;
using System.Text;
using System.Threading.Channels;

namespace NextGpt.Bots.Teams.Tests.Counterparts;

/// <summary>A program of others that runs beside the tests; needs Node and what <c>tests/run</c> installs (npm ci).</summary>
internal sealed class NodeProgram : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Channel<string> _lines = Channel.CreateUnbounded<string>();
    private readonly StringBuilder _errors = new();

    private NodeProgram(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is null)
            {
                _lines.Writer.TryComplete();
            }
            else
            {
                _lines.Writer.TryWrite(line.Data);
            }
        };
        process.ErrorDataReceived += (_, line) =>
        {
            lock (_errors)
            {
                _errors.AppendLine(line.Data);
            }
        };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public static string Folder { get; } = FindFolder();

    public static bool IsInstalled => Directory.Exists(Path.Combine(Folder, "node_modules", "oidc-provider"));

    /// <summary>Skips the test where the programs are not there.</summary>
    public static void SkipUnlessInstalled() => Assert.SkipUnless(
        IsInstalled, "The programs that stand for Teams are not installed: tests/run does it (npm ci in Counterparts).");

    public static NodeProgram Start(IEnumerable<string> arguments, Dictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo("node", arguments)
        {
            WorkingDirectory = Folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var (name, value) in environment ?? [])
        {
            start.Environment[name] = value;
        }

        return new NodeProgram(Process.Start(start) ?? throw new InvalidOperationException("Node did not start."));
    }

    public async Task SendAsync(string line)
    {
        await _process.StandardInput.WriteLineAsync(line);
        await _process.StandardInput.FlushAsync();
    }

    public async Task<string> ReadAsync()
    {
        try
        {
            return await _lines.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(1));
        }
        catch (Exception failure) when (failure is ChannelClosedException or TimeoutException)
        {
            lock (_errors)
            {
                throw new InvalidOperationException($"The program said nothing more. {_errors}", failure);
            }
        }
    }

    /// <summary>The first line that begins so, without its beginning.</summary>
    public async Task<string> ReadAsync(string beginning)
    {
        while (true)
        {
            if (await ReadAsync() is { } line && line.StartsWith(beginning, StringComparison.Ordinal))
            {
                return line[beginning.Length..].Trim();
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private static string FindFolder()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "NextGpt.Chat.sln")))
        {
            folder = folder.Parent;
        }

        return Path.Combine(folder!.FullName, "tests", "NextGpt.Bots.Teams.Tests", "Counterparts");
    }
}
