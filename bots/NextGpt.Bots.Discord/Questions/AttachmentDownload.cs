using System.Net;
using System.Net.Sockets;
using NextGpt.Bots.Discord.Wire;
using NextGpt.Host;

namespace NextGpt.Bots.Discord.Questions;

/// <summary>A file that was not fetched; the message is a sentence for the person.</summary>
internal sealed class AttachmentException(string message) : Exception(message);

/// <summary>
/// Fetches what people attached: from Discord's own hosts alone, without redirects and without the token, never from an
/// address inside a network, within size and time (THR-9).
/// </summary>
internal sealed class AttachmentDownload : IDisposable
{
    private readonly HttpClient _http;
    private readonly IReadOnlyList<Uri> _origins;
    private readonly long _mostBytes;
    private readonly TimeSpan _longest;
    private readonly TimeProvider _time;

    public AttachmentDownload(
        IReadOnlyList<Uri> origins, long mostBytes, TimeSpan longest, string userAgent, TimeProvider time, HttpMessageHandler? handler = null)
    {
        (_origins, _mostBytes, _longest, _time) = (origins, mostBytes, longest, time);
        _http = new HttpClient(handler ?? new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            Credentials = null,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            ConnectCallback = ConnectAsync,
        })
        { Timeout = Timeout.InfiniteTimeSpan };
        _http.DefaultRequestHeaders.UserAgent.ParseAdd(userAgent);
    }

    /// <summary>Fetches one attachment, as Discord describes it.</summary>
    /// <exception cref="AttachmentException">It was not fetched.</exception>
    public async Task<IncomingFile> FetchAsync(WireObject attachment, CancellationToken cancellationToken)
    {
        var name = attachment.Text("filename") ?? "file";
        if (!Uri.TryCreate(attachment.Text("url"), UriKind.Absolute, out var address) || !_origins.Any(origin => IsOf(address, origin)))
        {
            throw new AttachmentException($"{Shown(name)} was not fetched: files are read only from Discord's own servers; attach it to a message.");
        }

        if (attachment.Number("size") > _mostBytes)
        {
            throw TooLarge(name, attachment.Number("size") ?? 0);
        }

        using var late = new CancellationTokenSource(_longest, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            using var answer = await _http.GetAsync(address, HttpCompletionOption.ResponseHeadersRead, either.Token);
            if ((int)answer.StatusCode is >= 300 and < 400)
            {
                throw new AttachmentException($"{Shown(name)} was not fetched: its address leads elsewhere; attach the file again.");
            }

            if (!answer.IsSuccessStatusCode)
            {
                throw new AttachmentException($"The link of {Shown(name)} has expired; attach the file again.");
            }

            if (answer.Content.Headers.ContentLength > _mostBytes)
            {
                throw TooLarge(name, answer.Content.Headers.ContentLength.Value);
            }

            return new IncomingFile(name, await ReadAsync(answer, name, either.Token), TypeOf(attachment));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new AttachmentException(
                $"{Shown(name)} could not be downloaded within {_longest.TotalSeconds:0} s; attach it again, or a smaller one.");
        }
        catch (HttpRequestException)
        {
            throw new AttachmentException($"{Shown(name)} could not be downloaded; attach it again.");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    /// <summary>Same scheme, host and port, and no name or password in it.</summary>
    internal static bool IsOf(Uri address, Uri origin) => address.Scheme == origin.Scheme
        && string.Equals(address.IdnHost, origin.IdnHost, StringComparison.OrdinalIgnoreCase)
        && address.Port == origin.Port && address.UserInfo.Length == 0;

    /// <summary>Whether an address is one of the public internet.</summary>
    internal static bool IsPublic(IPAddress address)
    {
        var ip = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        if (IPAddress.IsLoopback(ip) || ip.IsIPv6LinkLocal || ip.IsIPv6SiteLocal || ip.IsIPv6UniqueLocal || ip.IsIPv6Multicast
            || ip.Equals(IPAddress.IPv6Any))
        {
            return false;
        }

        if (ip.AddressFamily != AddressFamily.InterNetwork)
        {
            return !ip.IsIPv6Teredo;
        }

        var bytes = ip.GetAddressBytes();
        return bytes switch
        {
            [0 or 10 or 127 or >= 224, ..] => false,
            [100, >= 64 and < 128, ..] => false,
            [169, 254, ..] => false,
            [172, >= 16 and < 32, ..] => false,
            [192, 168, ..] or [192, 0, 0, _] => false,
            [198, 18 or 19, ..] => false,
            _ => true,
        };
    }

    private async Task<byte[]> ReadAsync(HttpResponseMessage answer, string name, CancellationToken cancellationToken)
    {
        await using var from = await answer.Content.ReadAsStreamAsync(cancellationToken);
        using var to = new MemoryStream();
        var buffer = new byte[65_536];
        while (await from.ReadAsync(buffer, cancellationToken) is > 0 and var read)
        {
            to.Write(buffer, 0, read);
            if (to.Length > _mostBytes)
            {
                throw TooLarge(name, to.Length);
            }
        }

        return to.ToArray();
    }

    /// <summary>Resolves once, refuses addresses inside networks, connects to the one that was checked.</summary>
    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        // An origin that the operator named by number (a test on this machine) is meant.
        var addresses = IPAddress.TryParse(context.DnsEndPoint.Host, out var number)
            ? [number]
            : (await Dns.GetHostAddressesAsync(context.DnsEndPoint.Host, cancellationToken)).Where(IsPublic).ToArray();
        if (addresses.Length == 0)
        {
            throw new HttpRequestException("The host has no public address.");
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, context.DnsEndPoint.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private AttachmentException TooLarge(string name, long bytes) => new(string.Create(
        System.Globalization.CultureInfo.InvariantCulture,
        $"{Shown(name)} has {bytes / 1048576.0:0.0} MiB, at most {_mostBytes / 1048576.0:0.#} are allowed; send a smaller one."));

    /// <summary>The type without parameters: Discord adds a character set to some.</summary>
    private static string? TypeOf(WireObject attachment) => attachment.Text("content_type")?.Split(';')[0].Trim();

    private static string Shown(string name)
    {
        var clean = new string([.. name.Where(letter => !char.IsControl(letter) && letter is not ('`' or '@' or '<' or '>'))]);
        return clean.Length > 60 ? $"{clean[..60]}…" : clean.Length == 0 ? "The file" : clean;
    }
}
