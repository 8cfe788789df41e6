namespace NextGpt.Media.Ffmpeg;

/// <summary>Where ffmpeg and ffprobe are, if they are.</summary>
internal sealed class FfmpegPrograms
{
    private readonly Lazy<Task<IReadOnlySet<string>>> _encoders;

    private FfmpegPrograms(string? ffmpeg, string? ffprobe)
    {
        Ffmpeg = ffmpeg;
        Ffprobe = ffprobe;
        _encoders = new Lazy<Task<IReadOnlySet<string>>>(() => Task.Run(ListEncoders));
    }

    /// <summary>File of ffmpeg, or null.</summary>
    public string? Ffmpeg { get; }

    /// <summary>File of ffprobe, or null.</summary>
    public string? Ffprobe { get; }

    /// <summary>Whether both are there.</summary>
    public bool AreThere => Ffmpeg is not null && Ffprobe is not null;

    /// <param name="ffmpeg">The setting: a file, or null for the first on the PATH.</param>
    public static FfmpegPrograms Find(string? ffmpeg)
    {
        var ending = OperatingSystem.IsWindows() ? ".exe" : "";
        var file = ffmpeg ?? (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Where(folder => folder.Length > 0)
            .Select(folder => Path.Combine(folder, $"ffmpeg{ending}"))
            .FirstOrDefault(File.Exists);
        if (!File.Exists(file))
        {
            return new FfmpegPrograms(null, null);
        }

        var probe = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file)) ?? "", $"ffprobe{ending}");
        return new FfmpegPrograms(Path.GetFullPath(file), File.Exists(probe) ? probe : null);
    }

    /// <summary>The names of its encoders, asked for once; none where it does not answer.</summary>
    public Task<IReadOnlySet<string>> EncodersAsync() => _encoders.Value;

    private IReadOnlySet<string> ListEncoders()
    {
        var names = new HashSet<string>();
        if (Ffmpeg is null)
        {
            return names;
        }

        try
        {
            using var run = FfmpegRun.Start(Ffmpeg, ["-v", "error", "-hide_banner", "-encoders"], static _ => { });
            using var answer = new StreamReader(run.Output);
            while (answer.ReadLine() is { } line)
            {
                if (line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, var name, ..])
                {
                    names.Add(name);
                }
            }
        }
        catch (InvalidOperationException)
        {
            // It does not start; clips become animated WebP.
        }

        return names;
    }
}
