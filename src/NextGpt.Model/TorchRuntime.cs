using System.Reflection;
using System.Runtime.InteropServices;
using NextGpt.Model.Libtorch;
using TorchSharp;

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
    private const string ShimName = "LibTorchSharp";
    private static readonly Lock Gate = new();
    private static string? _loadedFrom;

    /// <summary>The folder libtorch was loaded from, or null while nothing is loaded.</summary>
    public static string? LoadedFrom => _loadedFrom;

    /// <summary>Loads libtorch from the given folder, else from beside the program, else from the package folder.</summary>
    /// <param name="folder">A folder with <c>libtorch_cpu</c>, or null for the one that came with the program.</param>
    /// <exception cref="InvalidOperationException">
    /// The folder is not a usable libtorch, the system is too old for it, or another one is loaded already; with what to do.
    /// </exception>
    public static void Load(string? folder = null)
    {
        lock (Gate)
        {
            if (_loadedFrom is not null)
            {
                if (folder is not null && Path.GetFullPath(folder) != Path.GetFullPath(_loadedFrom))
                {
                    throw new InvalidOperationException(
                        $"libtorch is loaded from {_loadedFrom} already; start the program anew to use {folder}.");
                }

                return;
            }

            var chosen = folder ?? OwnFolder();
            if (folder is not null || !LibtorchFolder.IsLikely(chosen))
            {
                LibtorchFolder.Check(chosen, Shim());
            }

            LibtorchFolder.Load(chosen);
            if (Shim() is { } shim)
            {
                LibtorchFolder.LoadShim(shim);
            }

            _loadedFrom = chosen;
        }
    }

    /// <summary>The device that a setting means on this machine; loads libtorch if it is not loaded.</summary>
    /// <param name="setting"><c>auto</c> (the first GPU if libtorch sees one, else the CPU), <c>cpu</c> or <c>cuda:N</c>.</param>
    /// <exception cref="InvalidOperationException">The setting is none of these, or the GPU is not there; with what to do.</exception>
    public static torch.Device ResolveDevice(string setting)
    {
        ArgumentNullException.ThrowIfNull(setting);
        Load();
        if (setting == "cpu")
        {
            return torch.CPU;
        }

        var count = CountGpus();
        if (setting == "auto")
        {
            return count > 0 ? new torch.Device(DeviceType.CUDA, 0) : torch.CPU;
        }

        if (!setting.StartsWith("cuda:", StringComparison.Ordinal)
            || !uint.TryParse(setting.AsSpan(5), System.Globalization.NumberStyles.None, null, out var index))
        {
            throw new InvalidOperationException(
                $"NextGpt:Model:Device is '{setting}'; it must be auto, cpu or cuda:N (for example cuda:0).");
        }

        if (index < count)
        {
            return new torch.Device(DeviceType.CUDA, (int)index);
        }

        throw new InvalidOperationException(
            $"NextGpt:Model:Device is {setting}, but "
            + (count > 0 ? $"there are {count} GPUs, cuda:0 to cuda:{count - 1}."
                : LibtorchFolder.HasCuda(_loadedFrom!) ? "no GPU answers (is its driver installed and visible to this process?)."
                : $"libtorch in {_loadedFrom} has no CUDA part; set NextGpt:Model:Libtorch to one that has.")
            + " Set Device to cpu or auto to go without.");
    }

    /// <summary>Asks only a libtorch that can know: the network library would go looking for a CUDA package otherwise.</summary>
    private static int CountGpus() =>
        LibtorchFolder.HasCuda(_loadedFrom!) && torch.cuda.is_available() ? torch.cuda.device_count() : 0;

    private static string OwnFolder()
    {
        var recorded = typeof(TorchRuntime).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .FirstOrDefault(attribute => attribute.Key == "LibtorchFolder")?.Value;
        string?[] places =
        [
            Path.Combine(AppContext.BaseDirectory, "libtorch"), recorded, NativeFolder(), AppContext.BaseDirectory,
        ];
        return places.OfType<string>().FirstOrDefault(LibtorchFolder.IsLikely) ?? AppContext.BaseDirectory;
    }

    /// <summary>Where the library lies that stands between the managed code and libtorch; null if it is not beside the program.</summary>
    private static string? Shim() => new[] { NativeFolder(), AppContext.BaseDirectory }
        .Select(folder => Path.Combine(folder, LibtorchFolder.LibraryName(ShimName)))
        .FirstOrDefault(File.Exists);

    private static string NativeFolder() =>
        Path.Combine(AppContext.BaseDirectory, "runtimes", RuntimeInformation.RuntimeIdentifier, "native");
}
