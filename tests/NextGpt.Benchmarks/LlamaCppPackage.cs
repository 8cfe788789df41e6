using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using System.Runtime.InteropServices;

namespace NextGpt.Benchmarks;

/// <summary>llama.cpp as npm carries it prebuilt; fetched once into a folder of the user's, outside the repository.</summary>
internal static class LlamaCppPackage
{
    /// <summary>Name and version.</summary>
    public const string Id = "@node-llama-cpp/linux-x64@3.22.1";

    /// <summary>The folder with its libraries.</summary>
    /// <param name="cache">Where packages are kept.</param>
    /// <exception cref="PlatformNotSupportedException">There is no such package for this machine.</exception>
    /// <exception cref="InvalidOperationException">npm is missing or could not fetch it; the message says which.</exception>
    public static string Fetch(string cache)
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64)
        {
            throw new PlatformNotSupportedException($"{Id} runs on Linux x64 only.");
        }

        var folder = Path.Combine(cache, "llama-cpp-3.22.1");
        var libraries = Path.Combine(folder, "package", "bins", "linux-x64");
        if (Directory.Exists(libraries))
        {
            return libraries;
        }

        Console.WriteLine($"Fetching {Id} into {cache} ...");
        Directory.CreateDirectory(cache);
        Npm("pack", Id, "--pack-destination", cache, "--silent");
        var archive = Directory.EnumerateFiles(cache, "node-llama-cpp-linux-x64-3.22.1*.tgz").FirstOrDefault()
            ?? throw new InvalidOperationException($"npm said it fetched {Id}, but no archive is in {cache}.");
        var unpacked = folder + ".part";
        if (Directory.Exists(unpacked))
        {
            Directory.Delete(unpacked, recursive: true);
        }

        Directory.CreateDirectory(unpacked);
        using (var file = File.OpenRead(archive))
        using (var content = new GZipStream(file, CompressionMode.Decompress))
        {
            TarFile.ExtractToDirectory(content, unpacked, overwriteFiles: true);
        }

        Directory.Move(unpacked, folder);
        File.Delete(archive);
        return libraries;
    }

    private static void Npm(params string[] arguments)
    {
        var start = new ProcessStartInfo("npm", arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        try
        {
            using var npm = Process.Start(start) ?? throw new InvalidOperationException("npm did not start.");
            npm.StandardOutput.ReadToEndAsync();
            var complaints = npm.StandardError.ReadToEnd();
            npm.WaitForExit();
            if (npm.ExitCode != 0)
            {
                throw new InvalidOperationException($"npm could not fetch {Id} (exit code {npm.ExitCode}): {complaints.Trim()}");
            }
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            throw new InvalidOperationException($"npm is not installed, so {Id} cannot be fetched: {missing.Message}", missing);
        }
    }
}
