using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace NextGpt.Media.Ffmpeg;

/// <summary>One run of ffmpeg or ffprobe that reads its input from a pipe and answers into one; it sees no file and no network.</summary>
internal sealed class FfmpegRun : IDisposable
{
    private const int LongestComplaint = 4_000;
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(10);   // a machine under load is slow to notice an end

    private readonly Process _process;
    private readonly StringBuilder _complaint = new();
    private readonly Task _feeding;

    private FfmpegRun(Process process, Action<Stream> feed)
    {
        _process = process;
        process.ErrorDataReceived += (_, line) =>
        {
            lock (_complaint)
            {
                if (line.Data is { } text && _complaint.Length < LongestComplaint)
                {
                    _complaint.AppendLine(text);
                }
            }
        };
        process.BeginErrorReadLine();
        _feeding = Task.Factory.StartNew(
            () => Feed(feed), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>What it writes.</summary>
    public Stream Output => _process.StandardOutput.BaseStream;

    /// <summary>What it complained of, so far.</summary>
    public string Complaint
    {
        get
        {
            lock (_complaint)
            {
                return _complaint.ToString();
            }
        }
    }

    /// <summary>Starts it.</summary>
    /// <param name="program">Its file.</param>
    /// <param name="arguments">What it is to do.</param>
    /// <param name="feed">Writes its input; the pipe is closed afterwards.</param>
    /// <exception cref="InvalidOperationException">It cannot be started.</exception>
    public static FfmpegRun Start(string program, IEnumerable<string> arguments, Action<Stream> feed)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            CreateNoWindow = true,
        };
        start.Environment.Remove("FFREPORT");   // it would write a log file
        try
        {
            return new FfmpegRun(
                Process.Start(start) ?? throw new InvalidOperationException("ffmpeg did not start."), feed);
        }
        catch (Win32Exception missing)
        {
            throw new InvalidOperationException($"ffmpeg cannot be started: {missing.Message}", missing);
        }
    }

    /// <summary>Waits for its end, after its output was read.</summary>
    /// <returns>Whether it was content.</returns>
    public bool Finish()
    {
        if (!_process.WaitForExit(Farewell))
        {
            return false;
        }

        _process.WaitForExit();   // and until its complaints are here
        return _process.ExitCode == 0;
    }

    /// <summary>Stops it.</summary>
    public void Kill()
    {
        try
        {
            _process.Kill(entireProcessTree: true);
        }
        catch (Exception gone) when (gone is InvalidOperationException or Win32Exception)
        {
            // It is gone already.
        }
    }

    public void Dispose()
    {
        Kill();
        _feeding.Wait(Farewell);
        _process.Dispose();
    }

    private void Feed(Action<Stream> feed)
    {
        try
        {
            using var input = _process.StandardInput.BaseStream;
            feed(input);
        }
        catch (Exception enough) when (enough is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // It has read what it wants, or is gone.
        }
    }
}
