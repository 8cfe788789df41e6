using System.ComponentModel.DataAnnotations;

namespace NextGpt.Tuning.Data.World;

/// <summary>Where the packages of the training world come from.</summary>
/// <remarks>Every package is pinned by its hash, so a mirror can only be slow or lack one, never change it.</remarks>
public sealed class WorldOptions
{
    /// <summary>Name of the settings' section.</summary>
    public const string SectionName = "NextGpt:World";

    /// <summary>An npm registry. Default: the public one.</summary>
    [Required]
    [Url]
    public string NpmRegistry { get; init; } = "https://registry.npmjs.org/";

    /// <summary>A Debian mirror. Default: the public one.</summary>
    [Required]
    [Url]
    public string DebianMirror { get; init; } = "https://deb.debian.org/debian/";

    /// <summary>Asked where the mirror no longer holds a version. Default: a day of the public archive of old packages.</summary>
    [Required]
    [Url]
    public string DebianArchive { get; init; } = "https://snapshot.debian.org/archive/debian/20261120T000000Z/";
}
