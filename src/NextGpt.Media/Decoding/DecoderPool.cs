using System.Collections.Concurrent;

namespace NextGpt.Media.Decoding;

/// <summary>A few warm decoding processes; each works on one file at a time and is replaced before it is old, or after any trouble.</summary>
internal sealed class DecoderPool(MediaChildCommand command, MediaFileOptions options) : IDisposable
{
    private readonly SemaphoreSlim _places = new(options.Decoders);
    private readonly ConcurrentStack<DecoderProcess> _idle = new();
    private volatile bool _isClosed;

    /// <summary>The number of a process that waits for work, or null.</summary>
    public int? Idle => _idle.TryPeek(out var process) ? process.Id : null;

    /// <summary>Has a file decoded.</summary>
    /// <exception cref="MediaException">It was refused, or its decoder died over it.</exception>
    public async Task<ReadMedium> DecodeAsync(
        DecodeTask task, ReadOnlyMemory<byte> file, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_isClosed, this);
        await _places.WaitAsync(cancellationToken);
        try
        {
            // Death while idle (an operator's kill, memory pressure) is not the file's fault: one more try with a fresh one.
            if (_idle.TryPop(out var warm))
            {
                if (await WorkAsync(warm, task, file, mayBeStale: true, cancellationToken) is { } medium)
                {
                    return medium;
                }
            }

            return await WorkAsync(DecoderProcess.Start(command, options), task, file, mayBeStale: false, cancellationToken)
                ?? throw Lost(task);
        }
        finally
        {
            _places.Release();
        }
    }

    /// <summary>Has a fresh decoder try what it must not be able to do.</summary>
    public async Task<string> ProbeAsync(CancellationToken cancellationToken)
    {
        using var process = DecoderProcess.Start(command, options);
        var task = new DecodeTask { Format = 0, Subject = "The probe", Limits = options, Probe = true };
        return await process.ProbeAsync(task, cancellationToken);
    }

    public void Dispose()
    {
        _isClosed = true;
        while (_idle.TryPop(out var process))
        {
            process.Dispose();
        }

        _places.Dispose();
    }

    private static MediaException Lost(DecodeTask task) => new(
        MediaProblem.Corrupt,
        $"{task.Subject} cannot be decoded: it is damaged, or it takes more memory than is allowed; send another file.");

    /// <returns>Null where the process was dead before it got the file.</returns>
    private async Task<ReadMedium?> WorkAsync(
        DecoderProcess process, DecodeTask task, ReadOnlyMemory<byte> file, bool mayBeStale, CancellationToken cancellationToken)
    {
        if (mayBeStale && process.IsDead)
        {
            process.Dispose();
            return null;
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(options.DecodeTimeout);
        var isGood = false;
        try
        {
            var medium = await process.DecodeAsync(task, file, limit.Token);
            isGood = true;
            return medium;
        }
        catch (RefusedException refused)
        {
            isGood = !refused.IsWorn;
            throw refused.ToMediaException();
        }
        catch (DecoderLostException)
        {
            throw limit.IsCancellationRequested ? TooSlow(task) : Lost(task);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw TooSlow(task);
        }
        finally
        {
            Return(process, isGood);
        }
    }

    private MediaException TooSlow(DecodeTask task) => new(
        MediaProblem.Corrupt,
        FormattableString.Invariant($"{task.Subject} could not be decoded within {options.DecodeTimeout.TotalSeconds:0.#} s; send a smaller or shorter one."));

    private void Return(DecoderProcess process, bool isGood)
    {
        if (isGood && !_isClosed && process.Files < options.FilesPerDecoder && process.ProcessorTime < Sandbox.CpuTime / 4)
        {
            _idle.Push(process);
            return;
        }

        process.Dispose();
        if (!_isClosed && _idle.IsEmpty)
        {
            Warm();
        }
    }

    /// <summary>Starts one ahead of its first file, so that the next person does not wait for a start.</summary>
    private void Warm()
    {
        try
        {
            _idle.Push(DecoderProcess.Start(command, options));
        }
        catch (MediaException)
        {
            // The next file will say so.
        }
    }
}
