using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;

namespace NextGpt.Tuning.Data.World;

/// <summary>Downloads a file, goes on where an earlier attempt broke off, and believes nothing but the hash.</summary>
/// <param name="client">Sends the requests.</param>
internal sealed class PackageDownload(HttpClient client)
{
    /// <summary>Downloads.</summary>
    /// <param name="source">What.</param>
    /// <param name="addresses">Where from, tried in order while one answers that it has no such file.</param>
    /// <param name="file">Path of the file; a part of it may lie at <c>file.part</c>.</param>
    /// <param name="progress">Hears the bytes there and the bytes in all, 0 where the sender does not tell.</param>
    /// <param name="cancellationToken">Stops; the part stays.</param>
    /// <exception cref="HttpRequestException">No address gave the file.</exception>
    /// <exception cref="InvalidDataException">The file is not the pinned one; it was removed.</exception>
    internal async Task FetchAsync(
        WorldSource source, IReadOnlyList<Uri> addresses, string file, Action<long, long>? progress, CancellationToken cancellationToken)
    {
        var part = file + ".part";
        Directory.CreateDirectory(Path.GetDirectoryName(file) ?? ".");
        HttpStatusCode? last = null;
        foreach (var address in addresses)
        {
            last = await FetchPartAsync(address, part, progress, cancellationToken);
            if (last is null)
            {
                break;
            }
        }

        if (last is not null)
        {
            throw new HttpRequestException(
                $"{source.Name} {source.Version} could not be had: {addresses[^1].Host} answered {(int)last}. Name another mirror in "
                + $"{WorldOptions.SectionName}, and run the command again; what is there already is kept.");
        }

        if (!await MatchesAsync(part, source.Hash, cancellationToken))
        {
            File.Delete(part);
            throw new InvalidDataException(
                $"{source.Name} {source.Version} is not the file this program was made with (its hash differs); it was removed. "
                + "Run the command again, or name another mirror.");
        }

        File.Move(part, file, overwrite: true);
    }

    /// <summary>Whether a file has a hash.</summary>
    /// <param name="file">Its path.</param>
    /// <param name="hash">See <see cref="WorldSource.Hash"/>.</param>
    /// <param name="cancellationToken">Stops.</param>
    internal static async Task<bool> MatchesAsync(string file, string hash, CancellationToken cancellationToken)
    {
        await using var stream = File.OpenRead(file);
        if (hash.StartsWith("sha256-hex-", StringComparison.Ordinal))
        {
            var found = Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellationToken));
            return hash.EndsWith(found, StringComparison.Ordinal);
        }

        return hash == "sha512-" + Convert.ToBase64String(await SHA512.HashDataAsync(stream, cancellationToken));
    }

    /// <returns>Null for success, else what the sender answered instead.</returns>
    private async Task<HttpStatusCode?> FetchPartAsync(
        Uri address, string part, Action<long, long>? progress, CancellationToken cancellationToken)
    {
        var there = File.Exists(part) ? new FileInfo(part).Length : 0;
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        if (there > 0)
        {
            request.Headers.Range = new RangeHeaderValue(there, null);
        }

        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            return null;   // the part is whole already; the hash will tell
        }

        if (!response.IsSuccessStatusCode)
        {
            return response.StatusCode;
        }

        var goesOn = response.StatusCode == HttpStatusCode.PartialContent;
        var done = goesOn ? there : 0;
        var total = response.Content.Headers.ContentLength is { } length ? done + length : 0;
        await using var target = new FileStream(part, goesOn ? FileMode.Append : FileMode.Create, FileAccess.Write);
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        var buffer = new byte[1 << 17];
        int read;
        while ((read = await body.ReadAsync(buffer, cancellationToken)) > 0)
        {
            await target.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            done += read;
            progress?.Invoke(done, total);
        }

        return null;
    }
}
