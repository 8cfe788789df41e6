using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

namespace NextGpt.Model.Libtorch;

/// <summary>A folder with libtorch: whether it fits this program, and how its libraries are loaded.</summary>
/// <remarks>
/// A Python wheel of PyTorch keeps libtorch in <c>torch/lib</c> and what its CUDA part needs in <c>nvidia/*/lib</c> beside
/// <c>torch</c>; both are searched, so that neither has to stand in a search path of the system.
/// </remarks>
internal sealed partial class LibtorchFolder
{
    private static readonly string[] Required = ["c10", "torch_cpu", "torch"];

    // The CUDA part before the shim: its hooks must be registered when the first device is asked for.
    private static readonly string[] LoadOrder = ["c10", "torch_cpu", "c10_cuda", "torch_cuda", "torch"];

    private readonly string _folder;
    private readonly string[] _searched;
    private readonly HashSet<string> _loaded = new(StringComparer.Ordinal);

    private LibtorchFolder(string folder)
    {
        _folder = folder;
        _searched = [folder, .. WheelFolders(folder)];
    }

    /// <summary>Whether a folder has the CPU part of libtorch, and so may be one.</summary>
    public static bool IsLikely(string folder) => File.Exists(Path.Combine(folder, LibraryName("torch_cpu")));

    /// <summary>Whether a folder has the CUDA part.</summary>
    public static bool HasCuda(string folder) => File.Exists(Path.Combine(folder, LibraryName("torch_cuda")));

    /// <summary>Checks a folder that the operator named, without loading anything.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="shim">The library that will call into libtorch; null leaves the functions unchecked.</param>
    /// <exception cref="InvalidOperationException">What does not fit, and what to do.</exception>
    public static void Check(string folder, string? shim)
    {
        if (!Directory.Exists(folder))
        {
            throw Refused(folder, "the folder does not exist");
        }

        foreach (var name in Required)
        {
            if (!File.Exists(Path.Combine(folder, LibraryName(name))))
            {
                var below = Path.Combine(folder, "lib");
                throw Refused(
                    folder,
                    $"{LibraryName(name)} is missing" + (IsLikely(below) ? $"; {below} has libtorch, is it meant?" : ""));
            }
        }

        if (OperatingSystem.IsLinux())
        {
            CheckFunctions(folder, shim);
        }
    }

    /// <summary>Loads every library of a folder, each after those it needs.</summary>
    /// <exception cref="InvalidOperationException">A library cannot be loaded, with the system's reason.</exception>
    public static void Load(string folder)
    {
        var libraries = new LibtorchFolder(folder);
        foreach (var name in LoadOrder)
        {
            var path = Path.Combine(folder, LibraryName(name));
            if (File.Exists(path))
            {
                libraries.LoadWithNeeded(path);
            }
        }
    }

    /// <summary>Loads what stands between the managed code and libtorch, before the network library looks for it in its own ways.</summary>
    /// <param name="shim">The library.</param>
    /// <exception cref="InvalidOperationException">It does not load: with the system's reason, and which systems it is for.</exception>
    public static void LoadShim(string shim)
    {
        try
        {
            NativeLibrary.Load(shim);
        }
        catch (Exception failure) when (failure is DllNotFoundException or BadImageFormatException)
        {
            throw new InvalidOperationException(
                $"{Path.GetFileName(shim)} does not load on this system ({ReasonOf(failure)}). On Linux it needs glibc 2.34 and "
                + "libstdc++ of GCC 12, as Debian 12 and Ubuntu 22.04 have them, or newer ones; on this system only the "
                + "language model runs, with NextGpt:Model:Device set to cpu.",
                failure);
        }
    }

    /// <summary>The file name of a library on this system.</summary>
    public static string LibraryName(string name) =>
        OperatingSystem.IsWindows() ? $"{name}.dll"
        : OperatingSystem.IsMacOS() ? $"lib{name}.dylib"
        : $"lib{name}.so";

    /// <summary>Folders of a Python environment that hold what the CUDA part needs; empty outside of one.</summary>
    internal static IReadOnlyList<string> WheelFolders(string folder)
    {
        var packages = Path.GetDirectoryName(Path.GetDirectoryName(Path.GetFullPath(folder).TrimEnd(Path.DirectorySeparatorChar)));
        var nvidia = packages is null ? null : Path.Combine(packages, "nvidia");
        return nvidia is null || !Directory.Exists(nvidia)
            ? []
            : [.. Directory.EnumerateDirectories(nvidia).Select(part => Path.Combine(part, "lib"))
                .Where(Directory.Exists).Order(StringComparer.Ordinal)];
    }

    private static void CheckFunctions(string folder, string? shim)
    {
        try
        {
            var missing = shim is null ? [] : ElfLibrary.Read(shim).WantedWithoutVersion();
            var wanted = missing.Count;
            foreach (var name in Required)
            {
                ElfLibrary.Read(Path.Combine(folder, LibraryName(name))).RemoveDefined(missing);
            }

            if (missing.Count > 0)
            {
                throw Refused(
                    folder,
                    $"it lacks {missing.Count} of the {wanted} functions that this program calls, "
                    + $"{missing.Order(StringComparer.Ordinal).First()} for one{VersionOf(folder)}");
            }
        }
        catch (Exception damaged) when (damaged is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw Refused(folder, damaged.Message.TrimEnd('.'), damaged);
        }
    }

    /// <summary>The version a Python environment states, for messages.</summary>
    private static string VersionOf(string folder)
    {
        var file = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(folder)) ?? folder, "version.py");
        var version = File.Exists(file) ? StatedVersion().Match(File.ReadAllText(file)) : Match.Empty;
        return version.Success ? $" (it is version {version.Groups[1].Value})" : "";
    }

    [GeneratedRegex("""__version__ = ['"]([0-9A-Za-z.+]{1,40})['"]""", RegexOptions.NonBacktracking)]
    private static partial Regex StatedVersion();

    private static InvalidOperationException Refused(string folder, string problem, Exception? cause = null) => new(
        $"libtorch in {folder} cannot be used: {problem}. This program needs libtorch 2.10 or 2.11 for this system: set "
        + "NextGpt:Model:Libtorch to its folder (torch/lib of a Python environment), or leave it out for the one that comes along.",
        cause);

    private static string ReasonOf(Exception failure) => failure.Message.ReplaceLineEndings(" ").Trim().TrimEnd('.');

    private void LoadWithNeeded(string path)
    {
        if (!_loaded.Add(Path.GetFileName(path)))
        {
            return;
        }

        // The CPU part finds its own few libraries beside it; only the CUDA part reaches into other folders.
        if (OperatingSystem.IsLinux() && HasCuda(_folder))
        {
            foreach (var needed in Needed(path))
            {
                var found = _searched.Select(place => Path.Combine(place, needed)).FirstOrDefault(File.Exists);
                if (found is not null)
                {
                    LoadWithNeeded(found);
                }
            }
        }

        try
        {
            NativeLibrary.Load(path);
        }
        catch (Exception failure) when (failure is DllNotFoundException or BadImageFormatException)
        {
            throw Refused(_folder, $"{Path.GetFileName(path)} does not load ({ReasonOf(failure)})", failure);
        }
    }

    /// <summary>A library that cannot be read is not judged here: the system's own words follow when it is loaded.</summary>
    private static IReadOnlyList<string> Needed(string path)
    {
        try
        {
            return ElfLibrary.Read(path).Needed();
        }
        catch (Exception unread) when (unread is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
