using System.Reflection;
using System.Runtime.Loader;
using System.Security.Cryptography;
using Microsoft.SemanticKernel;

namespace NextGpt.Host.Plugins;

/// <summary>What came of the plugins that settings name.</summary>
/// <param name="Plugins">Those that were loaded, each with the functions that settings name.</param>
/// <param name="Skipped">A sentence for each that was not, with its name.</param>
internal sealed record LoadedPlugins(IReadOnlyList<KernelPlugin> Plugins, IReadOnlyList<string> Skipped);

/// <summary>Loads plugins from a folder: listed assemblies with the recorded hash, and of their functions the named ones (SKP-4, THR-14).</summary>
/// <remarks>
/// The bytes that were hashed are the bytes that are loaded, so that nobody can exchange the file in between. A plugin is every
/// public class without parameters to its constructor that has kernel functions. One that fails is named and skipped.
/// </remarks>
internal static class PluginFolder
{
    private const int MaxBytes = 64 * 1024 * 1024;

    /// <summary>Loads what the options name.</summary>
    /// <param name="options">The options.</param>
    /// <param name="baseFolder">Where a relative folder begins.</param>
    public static LoadedPlugins Load(PluginOptions options, string baseFolder)
    {
        var plugins = new List<KernelPlugin>();
        var skipped = new List<string>();
        foreach (var entry in options.Load)
        {
            try
            {
                plugins.AddRange(LoadOne(entry, options.Folder, baseFolder));
            }
            catch (Exception failure)   // an edge (rule 21): whatever a stranger's assembly does, the others are loaded
            {
                skipped.Add($"The plugin {entry.Assembly ?? "without a name"} was skipped: {Sentence(failure)}");
            }
        }

        return new LoadedPlugins(plugins, skipped);
    }

    private static List<KernelPlugin> LoadOne(PluginEntry entry, string? folder, string baseFolder)
    {
        var name = entry.Assembly;
        if (string.IsNullOrWhiteSpace(name) || name != Path.GetFileName(name) || name is "." or "..")
        {
            throw new InvalidDataException("Assembly must be the name of a file in the folder, without a path.");
        }

        if (folder is null)
        {
            throw new InvalidDataException("set NextGpt:Plugins:Folder to the folder that has it.");
        }

        if (entry.Functions.Count == 0)
        {
            throw new InvalidDataException("no function of it is named; list in Functions what the model may call.");
        }

        var bytes = ReadChecked(Path.Combine(Path.GetFullPath(folder, baseFolder), name), entry.Sha256);
        using var stream = new MemoryStream(bytes, writable: false);
        // A context each; what an assembly refers to is the program's, so that kernel and contents are the same types.
        var assembly = new AssemblyLoadContext($"plugin {name}").LoadFromStream(stream);
        var left = entry.Functions.ToHashSet(StringComparer.Ordinal);
        var plugins = new List<KernelPlugin>();
        foreach (var type in assembly.GetExportedTypes().Where(HasFunctions))
        {
            var whole = KernelPluginFactory.CreateFromObject(NewOf(type), PluginName(type));
            var named = whole.Where(function => entry.Functions.Contains(function.Name)).ToList();
            left.ExceptWith(named.Select(function => function.Name));
            if (named.Count > 0)
            {
                plugins.Add(KernelPluginFactory.CreateFromFunctions(whole.Name, whole.Description, named));
            }
        }

        return left.Count == 0
            ? plugins
            : throw new InvalidDataException($"it has no function called {string.Join(", ", left.Order(StringComparer.Ordinal))}; correct Functions.");
    }

    private static byte[] ReadChecked(string path, string? recorded)
    {
        var file = new FileInfo(path);
        if (!file.Exists || file.LinkTarget is not null)
        {
            throw new InvalidDataException(file.Exists ? "it is a link; put the file itself there." : "the file is not in the folder.");
        }

        if (file.Length > MaxBytes)
        {
            throw new InvalidDataException("the file is larger than 64 MiB.");
        }

        var bytes = File.ReadAllBytes(path);
        var found = Convert.ToHexStringLower(SHA256.HashData(bytes));
        return string.Equals(found, recorded?.Trim(), StringComparison.OrdinalIgnoreCase)
            ? bytes
            : throw new InvalidDataException(
                string.IsNullOrWhiteSpace(recorded)
                    ? $"no hash is recorded; if you trust this file, set Sha256 to {found}."
                    : $"its SHA-256 is {found}, not the recorded one; the file was changed. Look at it, then record the new one.");
    }

    private static bool HasFunctions(Type type) =>
        type is { IsClass: true, IsAbstract: false, IsGenericTypeDefinition: false }
        && type.GetMethods().Any(method => method.GetCustomAttribute<KernelFunctionAttribute>() is not null);

    /// <summary>A constructor whose parameters all have defaults will do.</summary>
    private static object NewOf(Type type)
    {
        var maker = type.GetConstructors().FirstOrDefault(made => made.GetParameters().All(parameter => parameter.HasDefaultValue))
            ?? throw new InvalidDataException($"{type.Name} cannot be made without parameters.");
        return maker.Invoke([.. maker.GetParameters().Select(parameter => parameter.DefaultValue)]);
    }

    /// <summary>MediaPlugin becomes media: short names are read better by small models.</summary>
    private static string PluginName(Type type)
    {
        var name = type.Name.EndsWith("Plugin", StringComparison.Ordinal) && type.Name.Length > 6 ? type.Name[..^6] : type.Name;
        return name.ToLowerInvariant();
    }

    private static string Sentence(Exception failure) => failure switch
    {
        InvalidDataException known => known.Message,
        TargetInvocationException { InnerException: { } inner } => $"it failed when it was made ({inner.GetType().Name}).",
        BadImageFormatException => "it is no .NET assembly.",
        _ => $"it could not be loaded ({failure.GetType().Name}).",
    };
}
