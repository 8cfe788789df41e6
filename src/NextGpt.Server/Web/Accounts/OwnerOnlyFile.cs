namespace NextGpt.Server.Web.Accounts;

/// <summary>Files that only the owner of the process may read (mode 0600).</summary>
internal static class OwnerOnlyFile
{
    /// <summary>A new file of no lasting name that is gone once it is closed.</summary>
    public static FileStream OpenTemporary()
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Options = FileOptions.DeleteOnClose | FileOptions.Asynchronous,
        };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return new FileStream(Path.Combine(Path.GetTempPath(), Path.GetRandomFileName()), options);
    }

    /// <summary>Why others can read the file, as a sentence, or null.</summary>
    public static string? Complaint(string path)
    {
        const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead
            | UnixFileMode.OtherWrite;
        return !OperatingSystem.IsWindows() && File.Exists(path) && (File.GetUnixFileMode(path) & Others) != 0
            ? $"{Path.GetFileName(path)} can be read or written by others; set its mode to 0600 (chmod 600)."
            : null;
    }
}
