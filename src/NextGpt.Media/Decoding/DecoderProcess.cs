using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace NextGpt.Media.Decoding;

/// <summary>One decoding process, from outside. Works on one file at a time.</summary>
internal sealed class DecoderProcess : IDisposable
{
    private static readonly string[] PassedOn = ["PATH", "DOTNET_ROOT", "LD_LIBRARY_PATH", "SystemRoot", "windir", "TEMP", "TMP"];

    private readonly Process _process;
    private readonly Task<Confinement> _hello;
    private readonly int _megabytes;
    private int _isDisposed;

    private DecoderProcess(Process process, int megabytes)
    {
        _process = process;
        _megabytes = megabytes;
        _hello = HelloAsync();
        process.ErrorDataReceived += static (_, _) => { };   // a dying runtime's report; nobody reads it, nobody waits for it
        process.BeginErrorReadLine();
    }

    /// <summary>Files it has worked on.</summary>
    public int Files { get; private set; }

    /// <summary>What keeps it in; known once it has spoken.</summary>
    public Task<Confinement> Confinement => _hello;

    /// <summary>Its number, for tests.</summary>
    public int Id => _process.Id;

    /// <summary>Whether it has ended by itself.</summary>
    public bool IsDead => _process.HasExited;

    /// <summary>Processor time it has used.</summary>
    public TimeSpan ProcessorTime => _process.TotalProcessorTime;

    /// <summary>Starts one. It gets no secret of this process: only what a program needs to start.</summary>
    /// <exception cref="MediaException">It cannot be started.</exception>
    public static DecoderProcess Start(MediaChildCommand command, MediaFileOptions options)
    {
        var start = new ProcessStartInfo(command.Program, command.Arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            CreateNoWindow = true,
            WorkingDirectory = AppContext.BaseDirectory,
        };
        start.Environment.Clear();
        foreach (var name in PassedOn)
        {
            if (Environment.GetEnvironmentVariable(name) is { } value)
            {
                start.Environment[name] = value;
            }
        }

        var heap = options.DecoderMegabytes * 1024L * 1024 * 2 / 5;
        start.Environment["LANG"] = "C.UTF-8";
        start.Environment["MALLOC_ARENA_MAX"] = "2";
        start.Environment["DOTNET_GCHeapHardLimit"] = heap.ToString("X", CultureInfo.InvariantCulture);
        start.Environment["DOTNET_gcConcurrent"] = "0";
        start.Environment["DOTNET_gcServer"] = "0";
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        start.Environment["DOTNET_EnableWriteXorExecute"] = "0";   // it would write to a memory file, which is refused
        start.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        start.Environment["DOTNET_TieredPGO"] = "0";
        start.Environment["DOTNET_SYSTEM_GLOBALIZATION_INVARIANT"] = "1";
        start.Environment["DOTNET_Thread_DefaultStackSize"] = "100000";   // 1 MiB, in hexadecimal
        start.Environment[MediaChild.MegabytesVariable] = options.DecoderMegabytes.ToString(CultureInfo.InvariantCulture);
        try
        {
            var process = Process.Start(start) ?? throw CannotStart("the system started nothing");
            return new DecoderProcess(process, options.DecoderMegabytes);
        }
        catch (Exception failure) when (failure is Win32Exception or InvalidOperationException or FileNotFoundException)
        {
            throw CannotStart(failure.Message);
        }
    }

    /// <summary>Has one file decoded. After anything but a result or a refusal that says otherwise, throw this process away.</summary>
    /// <exception cref="MediaException">The file was refused.</exception>
    /// <exception cref="DecoderLostException">The process died, or spoke nonsense.</exception>
    public async Task<ReadMedium> DecodeAsync(
        DecodeTask task, ReadOnlyMemory<byte> file, CancellationToken cancellationToken)
    {
        Files++;
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await using var kill = over.Token.Register(Kill);   // reading a pipe is not interrupted by a token
        try
        {
            var confinement = await GreetedAsync(over.Token);
            var watch = confinement.Memory ? Task.CompletedTask : WatchMemoryAsync(over.Token);
            var input = _process.StandardInput.BaseStream;
            await Message.WriteAsync(input, MessageKind.Task, task.ToJson(), over.Token);
            await Message.WriteAsync(input, MessageKind.File, file, over.Token);
            var medium = await new DecodedReader(_process.StandardOutput.BaseStream, task).ReadAsync(over.Token);
            await kill.DisposeAsync();
            await over.CancelAsync();
            await watch;
            return medium;
        }
        catch (Exception lost) when (lost is IOException or InvalidDataException or ObjectDisposedException
            or InvalidOperationException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new DecoderLostException(lost);
        }
    }

    /// <summary>Has it try what it must not be able to do.</summary>
    public async Task<string> ProbeAsync(DecodeTask task, CancellationToken cancellationToken)
    {
        await _hello.WaitAsync(cancellationToken);
        var input = _process.StandardInput.BaseStream;
        await Message.WriteAsync(input, MessageKind.Task, task.ToJson(), cancellationToken);
        await Message.WriteAsync(input, MessageKind.File, ReadOnlyMemory<byte>.Empty, cancellationToken);
        var (_, length) = await Message.ReadHeadAsync(_process.StandardOutput.BaseStream, cancellationToken);
        var words = new byte[length];
        await _process.StandardOutput.BaseStream.ReadExactlyAsync(words, cancellationToken);
        return System.Text.Encoding.UTF8.GetString(words);
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            Kill();
            _process.Dispose();
        }
    }

    private static MediaException CannotStart(string why) => new(
        MediaProblem.Unsupported, $"Files cannot be read now: the decoding process does not start ({why}); tell the operator.");

    private async Task<Confinement> HelloAsync()
    {
        var output = _process.StandardOutput.BaseStream;
        var (kind, length) = await Message.ReadHeadAsync(output, CancellationToken.None);
        if (kind != MessageKind.Hello || length != 3)
        {
            throw new InvalidDataException("The program that was started is no decoder.");
        }

        var body = new byte[length];
        await output.ReadExactlyAsync(body);
        return Decoding.Confinement.FromBytes(body);
    }

    private async Task<Confinement> GreetedAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _hello.WaitAsync(cancellationToken);
        }
        catch (Exception silent) when (silent is IOException or InvalidDataException && !cancellationToken.IsCancellationRequested)
        {
            throw CannotStart("it ended before it said anything");
        }
    }

    // Where the system sets no limit. Another process's memory has no event to wait for.
    private async Task WatchMemoryAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), cancellationToken);
                _process.Refresh();
                if (_process.WorkingSet64 > _megabytes * 1024L * 1024)
                {
                    Kill();
                    return;
                }
            }
        }
        catch (Exception over) when (over is OperationCanceledException or InvalidOperationException)
        {
            // The file is done, or the process is.
        }
    }

    private void Kill()
    {
        try
        {
            _process.Kill(entireProcessTree: true);
        }
        catch (Exception gone) when (gone is InvalidOperationException or Win32Exception or NotSupportedException)
        {
            // It is gone already.
        }
    }
}

/// <summary>A decoding process died or spoke nonsense while it had a file.</summary>
internal sealed class DecoderLostException(Exception cause) : Exception("The decoding process was lost.", cause);
