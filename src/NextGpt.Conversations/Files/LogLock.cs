using System.Globalization;

namespace NextGpt.Conversations.Files;

/// <summary>
/// The lock of a log folder, held for life (LOG-2). The system releases it when the process dies, so a lock left by a
/// killed process is taken over; a second file beside it names the owner, because a locked file cannot be read.
/// </summary>
internal sealed class LogLock : IDisposable
{
    private const string LockName = "log.lock";
    private const string OwnerName = "log.owner";
    private readonly FileStream _lock;
    private readonly string _owner;

    private LogLock(FileStream locked, string owner) => (_lock, _owner) = (locked, owner);

    /// <summary>Takes the lock.</summary>
    /// <exception cref="LogLockedException">Somebody else holds it.</exception>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public static LogLock Take(string folder)
    {
        Directory.CreateDirectory(folder);
        var owner = Path.Combine(folder, OwnerName);
        FileStream locked;
        try
        {
            var options = new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = FileShare.None,
                BufferSize = 0,
            };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            locked = new FileStream(Path.Combine(folder, LockName), options);
        }
        catch (IOException failure) when (IsSharingViolation(failure))
        {
            throw new LogLockedException(Sentence(owner));
        }

        try
        {
            File.WriteAllText(owner, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        }
        catch (Exception failure) when (StorageFailure.Is(failure))
        {
            locked.Dispose();
            throw;
        }

        return new LogLock(locked, owner);
    }

    public void Dispose()
    {
        try
        {
            File.Delete(_owner);
        }
        catch (Exception failure) when (StorageFailure.Is(failure))
        {
            // Only a note; the lock itself is what counts.
        }

        _lock.Dispose();
    }

    private static bool IsSharingViolation(IOException failure)
    {
        const int windowsSharingViolation = unchecked((int)0x80070020);
        const int wouldBlockLinux = 11;
        const int wouldBlockMac = 35;
        return failure.HResult is windowsSharingViolation or wouldBlockLinux or wouldBlockMac;
    }

    private static string Sentence(string owner)
    {
        try
        {
            if (int.TryParse(File.ReadAllText(owner), CultureInfo.InvariantCulture, out var process))
            {
                return string.Create(
                    CultureInfo.InvariantCulture, $"The log is in use by process {process}; stop it or use its API.");
            }
        }
        catch (Exception failure) when (StorageFailure.Is(failure))
        {
            // The owner is starting or stopping: the sentence without a number is still true.
        }

        return "The log is in use by another process; stop it or use its API.";
    }
}
