namespace NextGpt.Server.Instance;

/// <summary>Held by the one process that changes keys and answers over HTTP on a data folder; ends with the process.</summary>
internal sealed class DataLock : IDisposable
{
    private readonly FileStream _file;

    private DataLock(FileStream file) => _file = file;

    /// <summary>Takes the lock.</summary>
    /// <exception cref="DataLockedException">Another process holds it.</exception>
    public static DataLock Take(string folder)
    {
        Settings.PrivateFile.MakeFolder(folder);
        var path = Path.Combine(folder, "server.lock");
        try
        {
            return new DataLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException) when (File.Exists(path))
        {
            var who = RunningServer.ProcessIn(folder) is { } process ? $"process {process}" : "another nextgpt";
            throw new DataLockedException(
                $"The data folder is in use by {who}; stop it, or name another folder with NextGpt:DataFolder.");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}

/// <summary>The data folder is in use (exit code 4).</summary>
/// <param name="message">What to do.</param>
internal sealed class DataLockedException(string message) : Exception(message);
