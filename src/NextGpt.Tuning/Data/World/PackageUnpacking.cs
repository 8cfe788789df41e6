using System.Formats.Tar;
using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace NextGpt.Tuning.Data.World;

/// <summary>Unpacks packages without installing them: no script of a package is ever run.</summary>
internal static class PackageUnpacking
{
    private const int ArHeader = 60;

    /// <summary>Unpacks into a fresh folder; the folder appears only when everything is in it.</summary>
    /// <param name="source">What kind of package.</param>
    /// <param name="file">The package.</param>
    /// <param name="folder">Where to; replaced where it exists.</param>
    /// <param name="tools">Runs <c>tar</c> where .NET cannot unpack (xz, zstd).</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="InvalidDataException">The package is damaged or would write outside the folder.</exception>
    internal static async Task UnpackAsync(
        WorldSource source, string file, string folder, ToolRunner tools, CancellationToken cancellationToken)
    {
        var fresh = folder + ".new";
        Remove(fresh);
        Directory.CreateDirectory(fresh);
        if (source.Kind == WorldSourceKind.Npm)
        {
            await using var stream = File.OpenRead(file);
            await using var plain = new GZipStream(stream, CompressionMode.Decompress);
            await UntarAsync(plain, fresh, skipped: 1, cancellationToken);
        }
        else
        {
            await UnpackDebianAsync(file, fresh, tools, cancellationToken);
        }

        Remove(folder);
        Directory.Move(fresh, folder);
    }

    private static void Remove(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // An ar archive: a mark, then members with a header of 60 bytes each, at even places (deb(5)).
    private static async Task UnpackDebianAsync(string file, string folder, ToolRunner tools, CancellationToken cancellationToken)
    {
        await using var stream = File.OpenRead(file);
        var header = new byte[ArHeader];
        await stream.ReadExactlyAsync(header.AsMemory(0, 8), cancellationToken);
        if (!header.AsSpan(0, 8).SequenceEqual("!<arch>\n"u8))
        {
            throw new InvalidDataException($"{file} is not a Debian package.");
        }

        while (await stream.ReadAtLeastAsync(header, ArHeader, throwOnEndOfStream: false, cancellationToken) == ArHeader)
        {
            var name = Encoding.ASCII.GetString(header, 0, 16).Trim().TrimEnd('/');
            if (!long.TryParse(Encoding.ASCII.GetString(header, 48, 10), NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var size))
            {
                throw new InvalidDataException($"{file} is damaged: the size of its member {name} is no number.");
            }

            if (!name.StartsWith("data.tar", StringComparison.Ordinal))
            {
                stream.Seek(size + (size % 2), SeekOrigin.Current);
                continue;
            }

            var data = Path.Combine(folder, name);
            await using (var target = File.Create(data))
            {
                await CopyAsync(stream, target, size, cancellationToken);
            }

            if (name == "data.tar.gz")
            {
                await using var packed = File.OpenRead(data);
                await using var plain = new GZipStream(packed, CompressionMode.Decompress);
                await UntarAsync(plain, folder, skipped: 0, cancellationToken);
            }
            else
            {
                await tools.RunAsync("tar", ["-xf", data, "-C", folder, "--no-same-owner"], folder, null, cancellationToken);
            }

            File.Delete(data);
            return;
        }

        throw new InvalidDataException($"{file} is damaged: it has no member data.tar.");
    }

    private static async Task CopyAsync(Stream from, Stream to, long count, CancellationToken cancellationToken)
    {
        var buffer = new byte[1 << 17];
        while (count > 0)
        {
            var read = await from.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, count)), cancellationToken);
            if (read == 0)
            {
                throw new InvalidDataException("A package ends before its own contents do.");
            }

            await to.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            count -= read;
        }
    }

    private static async Task UntarAsync(Stream tar, string folder, int skipped, CancellationToken cancellationToken)
    {
        await using var reader = new TarReader(tar);
        var root = Path.GetFullPath(folder) + Path.DirectorySeparatorChar;
        while (await reader.GetNextEntryAsync(cancellationToken: cancellationToken) is { } entry)
        {
            if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile))
            {
                continue;
            }

            var path = string.Join('/', entry.Name.Split('/').Skip(skipped));
            var target = Path.GetFullPath(Path.Combine(root, path));
            if (!target.StartsWith(root, StringComparison.Ordinal))
            {
                throw new InvalidDataException($"The package has an entry that leads out of its folder: {entry.Name}");
            }

            Directory.CreateDirectory(Path.GetDirectoryName(target) ?? root);
            await entry.ExtractToFileAsync(target, overwrite: true, cancellationToken);
        }
    }
}
