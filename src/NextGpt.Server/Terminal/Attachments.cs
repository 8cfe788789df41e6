using System.Globalization;
using NextGpt.Host;
using NextGpt.Media;

namespace NextGpt.Server.Terminal;

/// <summary>Files of the next question, named by their paths as people type them (CON-2).</summary>
/// <param name="home">What a tilde stands for.</param>
internal sealed class Attachments(string home)
{
    private const int MostBytes = 64 * 1024 * 1024;   // the router has the real limit; this only keeps memory whole

    private readonly List<IncomingFile> _files = [];

    /// <summary>How many wait.</summary>
    public int Count => _files.Count;

    /// <summary>Attachments with the home of whoever runs the process.</summary>
    public static Attachments OfProcess() =>
        new(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile));

    /// <summary>Adds the file that was typed; returns what to say.</summary>
    public async Task<string> AddAsync(string typed, CancellationToken cancellationToken = default)
    {
        var path = PathOf(typed);
        try
        {
            var file = new FileInfo(path);
            if (!file.Exists)
            {
                return Directory.Exists(path)
                    ? $"{typed} is a folder; name a file in it."
                    : $"There is no file {typed}; see whether the name is right.";
            }

            if (file.Length > MostBytes)
            {
                return string.Create(
                    CultureInfo.InvariantCulture, $"{file.Name} has {file.Length / 1048576.0:0.0} MiB, too much to be sent; send a smaller one.");
            }

            var bytes = await File.ReadAllBytesAsync(path, cancellationToken);
            _files.Add(new IncomingFile(file.Name, bytes));
            var kind = MediaFormat.Sniff(bytes) is { } format ? format.DisplayName : "unknown kind";
            return string.Create(
                CultureInfo.InvariantCulture, $"Attached {file.Name} ({kind}, {Size(bytes.Length)}); it goes with the next question.");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or ArgumentException
            or NotSupportedException)
        {
            return $"{typed} cannot be read: {failure.Message}";
        }
    }

    /// <summary>What waits, one line each.</summary>
    public IReadOnlyList<string> List() => _files.Count == 0
        ? ["Nothing is attached; /attach PATH attaches a file."]
        : [.. _files.Select((file, index) => string.Create(
            CultureInfo.InvariantCulture, $"{index + 1}  {file.Name}  {Size(file.Bytes.Length)}"))];

    /// <summary>Removes one by its number, or all; returns what to say.</summary>
    public string Remove(string typed)
    {
        if (_files.Count == 0)
        {
            return "Nothing is attached.";
        }

        if (typed.Length == 0)
        {
            _files.Clear();
            return "Nothing is attached any more.";
        }

        if (!int.TryParse(typed, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            || number < 1 || number > _files.Count)
        {
            return $"Name one of 1 to {_files.Count}, as /attach lists them.";
        }

        var name = _files[number - 1].Name;
        _files.RemoveAt(number - 1);
        return $"{name} is not attached any more.";
    }

    /// <summary>Hands them over; afterwards nothing is attached.</summary>
    public IReadOnlyList<IncomingFile> Take()
    {
        IReadOnlyList<IncomingFile> taken = [.. _files];
        _files.Clear();
        return taken;
    }

    /// <summary>The path that was meant: quotes taken off, escaped spaces and a leading tilde as in a shell.</summary>
    internal string PathOf(string typed)
    {
        var path = typed.Trim();
        path = path is ['"', .., '"'] or ['\'', .., '\''] ? path[1..^1]
            : OperatingSystem.IsWindows() ? path
            : path.Replace("\\ ", " ", StringComparison.Ordinal);
        return path == "~" ? home
            : path.StartsWith("~/", StringComparison.Ordinal) ? Path.Combine(home, path[2..])
            : path;
    }

    private static string Size(int bytes) => bytes < 1024 * 1024
        ? string.Create(CultureInfo.InvariantCulture, $"{Math.Max(1, bytes / 1024)} KiB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0.0} MiB");
}
