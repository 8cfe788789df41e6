namespace NextGpt.Host.Plugins;

/// <summary>Which plugins are loaded, from where. Nothing is loaded, and no function offered, that is not named here (SKP-4).</summary>
public sealed class PluginOptions
{
    /// <summary>The configuration section.</summary>
    public const string SectionName = "NextGpt:Plugins";

    /// <summary>The folder of the assemblies; null loads none. A relative one is taken from the program's folder.</summary>
    public string? Folder { get; init; }

    /// <summary>The assemblies to load; whatever else lies in the folder is left alone.</summary>
    public IReadOnlyList<PluginEntry> Load { get; init; } = [];
}

/// <summary>One assembly that may be loaded.</summary>
public sealed class PluginEntry
{
    /// <summary>The file in the folder, for example <c>NextGpt.Plugins.Media.dll</c>; no path.</summary>
    public string? Assembly { get; init; }

    /// <summary>SHA-256 of that file in hexadecimal digits; another file of the name is not loaded.</summary>
    public string? Sha256 { get; init; }

    /// <summary>The functions to offer, for example <c>describe</c>; others of the assembly stay absent.</summary>
    public IReadOnlyList<string> Functions { get; init; } = [];
}
