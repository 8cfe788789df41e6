namespace NextGpt.Server.Settings;

/// <summary>Small files that only their owner may read, replaced as a whole or not at all.</summary>
internal static class PrivateFile
{
    /// <summary>Writes under a temporary name, flushes to disk, renames.</summary>
    public static void Write(string file, ReadOnlySpan<byte> bytes)
    {
        MakeFolder(Path.GetDirectoryName(file) ?? ".");
        var temporary = $"{file}.{Environment.ProcessId}.tmp";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using (var stream = new FileStream(temporary, options))
        {
            stream.Write(bytes);
            stream.Flush(flushToDisk: true);
        }

        File.Move(temporary, file, overwrite: true);
    }

    /// <summary>Makes a folder that only its owner may enter, if it is not there.</summary>
    public static void MakeFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else if (!Directory.Exists(folder))
        {
            Directory.CreateDirectory(
                folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }
}
