namespace NextGpt.Conversations.Files;

/// <summary>Tells failures of the disk from mistakes of the program, and puts them into a sentence.</summary>
internal static class StorageFailure
{
    private const int NoSpace = 28;
    private const int QuotaExceeded = 122;
    private const int ReadOnlyFileSystem = 30;
    private const int TooManyOpenFiles = 24;
    private const int TooManyOpenFilesInSystem = 23;
    private const int WindowsDiskFull = unchecked((int)0x80070070);

    /// <summary>Whether it is a failure of the disk, for which waiting and trying again is right.</summary>
    public static bool Is(Exception failure) => failure is IOException or UnauthorizedAccessException;

    /// <summary>The operator's sentence. It names no path: folders are in the settings.</summary>
    public static string Sentence(Exception failure) => failure switch
    {
        { HResult: NoSpace or QuotaExceeded or WindowsDiskFull } =>
            "Turns are not being kept: the log's disk is full; free 2 GB.",
        { HResult: ReadOnlyFileSystem } or UnauthorizedAccessException =>
            "Turns are not being kept: the log's folder cannot be written; make it writable for this account.",
        { HResult: TooManyOpenFiles or TooManyOpenFilesInSystem } =>
            "Turns are not being kept: the process has no file handles left; raise its limit (ulimit -n).",
        _ => "Turns are not being kept: the log's disk reports an error; check the disk and the system's messages.",
    };
}
