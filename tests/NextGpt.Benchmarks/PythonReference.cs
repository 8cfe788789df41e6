using System.Diagnostics;
using System.Globalization;

namespace NextGpt.Benchmarks;

/// <summary>The reference libraries in a Python of their own, timed on the same rows; idle between two measurements.</summary>
internal sealed class PythonReference : IDisposable
{
    private readonly Process _process;

    /// <summary>Starts it.</summary>
    /// <param name="python">A Python with PyTorch, and for most rows diffusers and transformers.</param>
    /// <param name="threads">Threads it computes with.</param>
    /// <exception cref="InvalidOperationException">It does not start; with what to do.</exception>
    public PythonReference(string python, int threads)
    {
        var script = Path.Combine(AppContext.BaseDirectory, "networks_reference.py");
        var start = new ProcessStartInfo(python)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            ArgumentList = { script, NetworkRow.File, threads.ToString(CultureInfo.InvariantCulture) },
        };
        try
        {
            _process = Process.Start(start) ?? throw new InvalidOperationException($"{python} did not start.");
        }
        catch (System.ComponentModel.Win32Exception problem)
        {
            throw new InvalidOperationException($"{python} cannot be started ({problem.Message}); name a Python with PyTorch.", problem);
        }

        Name = _process.StandardOutput.ReadLine()
            ?? throw new InvalidOperationException($"{python} ended at once; its message above says why. It needs PyTorch.");
    }

    /// <summary>What it is.</summary>
    public string Name { get; }

    /// <summary>Milliseconds of one call of a row; null where it lacks the library for it.</summary>
    public double? Measure(int row, int repeats)
    {
        _process.StandardInput.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{row} {repeats}"));
        _process.StandardInput.Flush();
        var answer = _process.StandardOutput.ReadLine()
            ?? throw new InvalidOperationException("The reference ended before it answered; its message above says why.");
        return double.TryParse(answer, CultureInfo.InvariantCulture, out var milliseconds) ? milliseconds : null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _process.StandardInput.Close();
        if (!_process.WaitForExit(5_000))
        {
            _process.Kill();
        }

        _process.Dispose();
    }
}
