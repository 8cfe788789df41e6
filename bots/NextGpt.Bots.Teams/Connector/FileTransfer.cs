using System.Globalization;
using System.Net.Http.Headers;
using NextGpt.Bots.Teams.Inbound;

namespace NextGpt.Bots.Teams.Connector;

/// <summary>A person's file could not be read; the message is for the person.</summary>
/// <param name="message">What was wrong, what to do.</param>
internal sealed class FileTransferException(string message) : Exception(message);

/// <summary>
/// Reads people's files and uploads ours: listed hosts only, limits on size and time, every redirect checked, the bot's
/// token to the service alone (TEA-6). Thread-safe.
/// </summary>
/// <param name="http">Follows no redirects by itself.</param>
/// <param name="tokens">The bot's token.</param>
/// <param name="options">Hosts and limits.</param>
/// <param name="time">The clock.</param>
internal sealed class FileTransfer(HttpClient http, ITokenSource tokens, TeamsOptions options, TimeProvider time)
{
    private const int MaxRedirects = 3;
    private const int PieceBytes = 10 * 320 * 1024;   // a multiple of 320 KiB, as the upload sessions want it

    private readonly HostList _services = new(options.ServiceHosts, options.LocalMode);
    private readonly HostList _files = new(options.FileHosts, options.LocalMode);

    /// <summary>The bytes of a file that a link of the channel names.</summary>
    /// <param name="address">The link.</param>
    /// <param name="withToken">Whether the service keeps it, which wants the bot's token; else the link itself is the key.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="FileTransferException">It was not read.</exception>
    public async Task<byte[]> ReadAsync(string? address, bool withToken, CancellationToken cancellationToken = default)
    {
        using var late = new CancellationTokenSource(options.DownloadTimeout, time);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            var hosts = withToken ? _services : _files;
            for (var hop = 0; hop <= MaxRedirects; hop++)
            {
                if (!hosts.Allows(address) || !Uri.TryCreate(address, UriKind.Absolute, out var target))
                {
                    throw new FileTransferException(
                        "The file lies at an address that is not read from; attach it to the message itself.");
                }

                using var request = new HttpRequestMessage(HttpMethod.Get, target);
                if (withToken && await tokens.GetAsync(fresh: false, any.Token) is { } token)
                {
                    request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
                }

                using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, any.Token);
                if ((int)response.StatusCode is 301 or 302 or 303 or 307 or 308 && response.Headers.Location is { } next)
                {
                    address = new Uri(target, next).AbsoluteUri;
                    continue;
                }

                if (!response.IsSuccessStatusCode)
                {
                    throw new FileTransferException("The link has expired; attach the file again.");
                }

                return await ReadAsync(response, any.Token);
            }

            throw new FileTransferException("The file's link leads elsewhere too often; attach the file again.");
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested)
        {
            throw new FileTransferException(string.Create(
                CultureInfo.InvariantCulture,
                $"The file did not arrive within {options.DownloadTimeout.TotalSeconds:0} s; attach a smaller one."));
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException or TokenUnavailableException)
        {
            throw new FileTransferException("The file could not be read; attach it again.");
        }
    }

    /// <summary>Uploads a file to the address that the person's consent gave, in pieces, without the bot's token.</summary>
    /// <returns>False if the address is not listed or the upload failed.</returns>
    public async Task<bool> WriteAsync(string? address, ReadOnlyMemory<byte> file, CancellationToken cancellationToken = default)
    {
        if (!_files.Allows(address) || !Uri.TryCreate(address, UriKind.Absolute, out var target))
        {
            return false;
        }

        for (var from = 0; from < file.Length; from += PieceBytes)
        {
            var piece = file[from..Math.Min(file.Length, from + PieceBytes)];
            if (!await WritePieceAsync(target, piece, from, file.Length, cancellationToken))
            {
                return false;
            }
        }

        return true;
    }

    private async Task<bool> WritePieceAsync(
        Uri address, ReadOnlyMemory<byte> piece, int from, int length, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(options.DownloadTimeout, time);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            using var content = new ReadOnlyMemoryContent(piece);
            content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
            content.Headers.ContentRange = new ContentRangeHeaderValue(from, from + piece.Length - 1, length);
            using var response = await http.PutAsync(address, content, any.Token);
            return response.IsSuccessStatusCode;
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException
            || (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return false;
        }
    }

    private async Task<byte[]> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var most = options.MaxFileMegabytes * 1024L * 1024;
        if (response.Content.Headers.ContentLength > most)
        {
            throw TooLarge();
        }

        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        using var whole = new MemoryStream();
        var piece = new byte[64 * 1024];
        while (await stream.ReadAsync(piece, cancellationToken) is > 0 and var count)
        {
            if (whole.Length + count > most)
            {
                throw TooLarge();
            }

            whole.Write(piece, 0, count);
        }

        return whole.ToArray();
    }

    private FileTransferException TooLarge() =>
        new($"The file is larger than {options.MaxFileMegabytes} MiB; attach a smaller one.");
}
