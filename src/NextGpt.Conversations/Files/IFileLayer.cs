namespace NextGpt.Conversations.Files;

/// <summary>How a file is opened.</summary>
internal enum FileUse
{
    /// <summary>An existing file, only read.</summary>
    Read,

    /// <summary>An existing file, read and written.</summary>
    ReadWrite,

    /// <summary>A file that must not exist yet, for the owner's eyes only.</summary>
    CreateNew,
}

/// <summary>
/// The few operations on files that durability rests on. There are two implementations: the disk, and one that loses,
/// tears and reorders what was not flushed (tests).
/// </summary>
/// <remarks>Fails with <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/>, nothing else.</remarks>
internal interface IFileLayer
{
    /// <summary>Opens a file; its name is durable only after <see cref="FlushFolder"/>.</summary>
    IOpenFile Open(string path, FileUse use);

    /// <summary>Whether the file exists.</summary>
    bool FileExists(string path);

    /// <summary>Whether the folder exists.</summary>
    bool FolderExists(string path);

    /// <summary>Whether nobody but the owner may read the file; true where the system has no such modes.</summary>
    bool IsOwnerOnly(string path);

    /// <summary>Full paths of the files in a folder, sorted by ordinal; empty if there is no such folder.</summary>
    IReadOnlyList<string> ListFiles(string folder);

    /// <summary>Full paths of the folders in a folder, sorted by ordinal; empty if there is no such folder.</summary>
    IReadOnlyList<string> ListFolders(string folder);

    /// <summary>Makes a folder and its parents, for the owner's eyes only.</summary>
    void CreateFolder(string folder);

    /// <summary>Renames a file, replacing the target in one step.</summary>
    void Rename(string from, string to);

    /// <summary>Renames a folder; the target must not exist.</summary>
    void RenameFolder(string from, string to);

    /// <summary>Removes a file; nothing happens if there is none.</summary>
    void Delete(string path);

    /// <summary>Removes a folder with all it holds; nothing happens if there is none.</summary>
    void DeleteFolder(string folder);

    /// <summary>Makes the names in a folder durable.</summary>
    void FlushFolder(string folder);
}

/// <summary>An open file with positioned access. Reads may run beside writes.</summary>
internal interface IOpenFile : IDisposable
{
    /// <summary>Bytes in the file.</summary>
    long Length { get; }

    /// <summary>Reads up to the span's length; fewer only at the end of the file.</summary>
    int Read(long offset, Span<byte> target);

    /// <summary>Writes all bytes; a failure may leave a part of them.</summary>
    void Write(long offset, ReadOnlySpan<byte> bytes);

    /// <summary>Cuts the file.</summary>
    void SetLength(long length);

    /// <summary>Returns once everything written is on the disk.</summary>
    void Flush();
}
