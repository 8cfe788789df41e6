using Microsoft.SemanticKernel;

namespace NextGpt.Plugins.Media;

/// <summary>The files of a conversation by name, so that a model, which cannot pass bytes, can name one to a function.</summary>
/// <remarks>They lie in <see cref="Kernel.Data"/>: one kernel per conversation keeps people's files apart.</remarks>
public static class AttachedFiles
{
    private const string Key = "NextGpt.Plugins.Media.AttachedFiles";

    /// <summary>Makes a file known under a name; a later one of the same name takes its place.</summary>
    /// <param name="kernel">The conversation's kernel.</param>
    /// <param name="name">For example <c>photo.png</c>; case does not matter.</param>
    /// <param name="file">A picture, sound or clip with its bytes.</param>
    /// <exception cref="ArgumentException">The name is blank or the file has no bytes.</exception>
    public static void Attach(Kernel kernel, string name, BinaryContent file)
    {
        ArgumentNullException.ThrowIfNull(kernel);
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(file);
        if (file.Data is not { IsEmpty: false })
        {
            throw new ArgumentException($"{name} has no bytes; attach the file itself, not its address.", nameof(file));
        }

        if (!kernel.Data.TryGetValue(Key, out var kept) || kept is not Dictionary<string, BinaryContent> files)
        {
            kernel.Data[Key] = files = new Dictionary<string, BinaryContent>(StringComparer.OrdinalIgnoreCase);
        }

        files[name.Trim()] = file;
    }

    /// <summary>The files by name.</summary>
    /// <param name="kernel">The conversation's kernel.</param>
    public static IReadOnlyDictionary<string, BinaryContent> Of(Kernel kernel)
    {
        ArgumentNullException.ThrowIfNull(kernel);
        return kernel.Data.TryGetValue(Key, out var kept) && kept is Dictionary<string, BinaryContent> files
            ? files
            : new Dictionary<string, BinaryContent>();
    }
}
