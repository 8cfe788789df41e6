using System.Reflection;
using System.Runtime.InteropServices;

namespace NextGpt.Model;

/// <summary>Makes the native network library loadable; must be called before the first tensor of a process is made.</summary>
/// <remarks>
/// A build leaves libtorch (0.5 GB) in the package folder and records the place; a publish carries it in
/// <c>libtorch/</c> beside the program; an operator may name the libtorch of an existing installation instead
/// (<see cref="ModelOptions.Libtorch"/>), for example <c>torch/lib</c> of a Python environment with CUDA.
/// Loading is process-wide by nature, happens once, and is thread-safe.
/// </remarks>
public static class TorchRuntime
{
    private static readonly Lock Gate = new();
    private static string? _loadedFrom;

    /// <summary>The folder libtorch was loaded from, or null while nothing is loaded.</summary>
    public static string? LoadedFrom => _loadedFrom;

    /// <summary>Loads libtorch from the given folder, else from beside the program, else from the package folder.</summary>
    /// <param name="folder">A folder with <c>libtorch_cpu</c>, or null for the one that came with the program.</param>
    /// <exception cref="InvalidOperationException">The folder is not a usable libtorch, with what to do.</exception>
    public static void Load(string? folder = null)
    {
        lock (Gate)
        {
            if (_loadedFrom is not null)
            {
                return;
            }

            _loadedFrom = LoadFrom(folder ?? OwnFolder());
        }
    }

    private static string OwnFolder()
    {
        var beside = Path.Combine(AppContext.BaseDirectory, "libtorch");
        if (Directory.Exists(beside))
        {
            return beside;
        }

        var recorded = typeof(TorchRuntime).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .FirstOrDefault(attribute => attribute.Key == "LibtorchFolder")?.Value;
        return recorded is not null && Directory.Exists(recorded) ? recorded : AppContext.BaseDirectory;
    }

    private static string LoadFrom(string folder)
    {
        var library = Path.Combine(folder, LibraryName("torch_cpu"));
        if (!File.Exists(library))
        {
            throw new InvalidOperationException(
                $"No libtorch was found in {folder} ({LibraryName("torch_cpu")} is missing); set NextGpt:Model:Libtorch "
                + "to a folder that holds it, or leave the setting out to use the one that comes with the program.");
        }

        // CUDA first where it is: its hooks must be registered before the shim asks for a device.
        foreach (var name in new[] { "c10", "torch_cpu", "c10_cuda", "torch_cuda", "torch" })
        {
            var path = Path.Combine(folder, LibraryName(name));
            if (File.Exists(path))
            {
                LoadLibrary(path, folder);
            }
        }

        return folder;
    }

    private static void LoadLibrary(string path, string folder)
    {
        try
        {
            NativeLibrary.Load(path);
        }
        catch (Exception failure) when (failure is DllNotFoundException or BadImageFormatException)
        {
            throw new InvalidOperationException(
                $"libtorch in {folder} cannot be loaded ({Path.GetFileName(path)}: {failure.Message.ReplaceLineEndings(" ")}); "
                + "this program needs libtorch 2.10 or 2.11 for this platform.",
                failure);
        }
    }

    private static string LibraryName(string name) =>
        OperatingSystem.IsWindows() ? $"{name}.dll"
        : OperatingSystem.IsMacOS() ? $"lib{name}.dylib"
        : $"lib{name}.so";
}
