namespace NextGpt.Conversations.Files;

/// <summary>Files that are read and written whole: temporary name, flush, rename, folder flush.</summary>
internal static class WholeFile
{
    /// <summary>Ending of a file or folder that is not finished; such leftovers may be removed at any time.</summary>
    public const string Unfinished = ".tmp";

    /// <summary>Writes a file so that its name shows the old or the new content, never a mixture.</summary>
    public static void Write(this IFileLayer files, string path, ReadOnlySpan<byte> bytes)
    {
        var temporary = $"{path}.{Guid.NewGuid():N}{Unfinished}";
        try
        {
            using (var file = files.Open(temporary, FileUse.CreateNew))
            {
                file.Write(0, bytes);
                file.Flush();
            }

            files.Rename(temporary, path);
        }
        catch (Exception failure) when (StorageFailure.Is(failure))
        {
            try
            {
                files.Delete(temporary);
            }
            catch (Exception second) when (StorageFailure.Is(second))
            {
                // The first failure is the one to report; leftovers are swept at the next opening.
            }

            throw;
        }

        files.FlushFolder(Path.GetDirectoryName(path)!);   // callers pass full paths
    }

    /// <summary>Reads a whole file of at most <paramref name="mostBytes"/>.</summary>
    /// <exception cref="InvalidDataException">The file is longer.</exception>
    public static byte[] Read(this IFileLayer files, string path, long mostBytes = 512L * 1024 * 1024)
    {
        using var file = files.Open(path, FileUse.Read);
        var length = file.Length;
        if (length > mostBytes)
        {
            throw new InvalidDataException(
                $"{Path.GetFileName(path)} has {length:N0} bytes, at most {mostBytes:N0} are possible; it is not a file of this log.");
        }

        var bytes = new byte[length];
        var read = file.Read(0, bytes);
        return read == length ? bytes : bytes[..read];
    }
}
