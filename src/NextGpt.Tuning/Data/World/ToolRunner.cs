using System.ComponentModel;
using System.Diagnostics;

namespace NextGpt.Tuning.Data.World;

/// <summary>Runs a program of the machine; replaced in tests.</summary>
internal class ToolRunner
{
    /// <summary>Runs to the end.</summary>
    /// <param name="program">Its name.</param>
    /// <param name="arguments">Passed as they are, never through a shell.</param>
    /// <param name="folder">Where it runs.</param>
    /// <param name="output">Hears its lines; null is nobody.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="InvalidOperationException">It is missing or failed; the message says which and what to do.</exception>
    internal virtual async Task RunAsync(
        string program, IReadOnlyList<string> arguments, string folder, Action<string>? output, CancellationToken cancellationToken)
    {
        using var process = new Process
        {
            StartInfo = new ProcessStartInfo(program, arguments)
            {
                WorkingDirectory = folder,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            },
        };
        var last = new Queue<string>();
        void Hear(string? line)
        {
            if (line is null)
            {
                return;
            }

            lock (last)
            {
                last.Enqueue(line);
                while (last.Count > 5)
                {
                    last.Dequeue();
                }
            }

            output?.Invoke(line);
        }

        process.OutputDataReceived += (_, data) => Hear(data.Data);
        process.ErrorDataReceived += (_, data) => Hear(data.Data);
        try
        {
            process.Start();
        }
        catch (Win32Exception failure)
        {
            throw new InvalidOperationException(
                $"The program '{program}' is needed and was not found; install it (see the README, training data) and run the command again.", failure);
        }

        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            await process.WaitForExitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"'{program}' failed with {process.ExitCode}: {string.Join(' ', last)}");
        }
    }
}
