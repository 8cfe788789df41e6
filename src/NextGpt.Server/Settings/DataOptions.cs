namespace NextGpt.Server.Settings;

/// <summary>Where the program keeps what it must remember.</summary>
internal sealed class DataOptions
{
    /// <summary>The configuration section.</summary>
    public const string SectionName = "NextGpt";

    /// <summary>The data folder; null (default) is <c>nextgpt</c> in the user's local data folder.</summary>
    public string? DataFolder { get; init; }

    /// <summary>The folder in use, created on demand.</summary>
    public string Folder => Path.GetFullPath(DataFolder ?? Path.Combine(
        Environment.GetFolderPath(
            Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify),
        "nextgpt"));
}
