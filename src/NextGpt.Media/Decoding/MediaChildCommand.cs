using System.Reflection;

namespace NextGpt.Media;

/// <summary>How a decoding process is started: a program that calls <see cref="MediaChild.RunAsync"/>.</summary>
/// <param name="Program">Its file.</param>
/// <param name="Arguments">What it is started with.</param>
public sealed record MediaChildCommand(string Program, IReadOnlyList<string> Arguments)
{
    /// <summary>A program of ours, started with the verb that makes it decode.</summary>
    /// <param name="program">The assembly whose <c>Main</c> knows <see cref="MediaChild.Verb"/>; usually the one that runs now.</param>
    /// <exception cref="InvalidOperationException">Its file cannot be found.</exception>
    public static MediaChildCommand Of(Assembly program)
    {
        ArgumentNullException.ThrowIfNull(program);
        var beside = Path.Combine(
            AppContext.BaseDirectory, program.GetName().Name + (OperatingSystem.IsWindows() ? ".exe" : ""));
        if (File.Exists(beside))
        {
            return new MediaChildCommand(beside, [MediaChild.Verb]);
        }

        // Without a start file of its own it is run by the one that runs .NET; in a single file there is no assembly to name.
        var library = Path.ChangeExtension(Path.Combine(AppContext.BaseDirectory, program.GetName().Name + ".x"), "dll");
        var runner = Environment.ProcessPath ?? throw new InvalidOperationException("The file of this program is not known.");
        var isMuxer = string.Equals(Path.GetFileNameWithoutExtension(runner), "dotnet", StringComparison.OrdinalIgnoreCase);
        return !File.Exists(library) ? new MediaChildCommand(runner, [MediaChild.Verb])
            : new MediaChildCommand(isMuxer ? runner : "dotnet", ["exec", library, MediaChild.Verb]);
    }
}
