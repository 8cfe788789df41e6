using System.Net;
using System.Net.Http.Headers;

namespace NextGpt.Tuning.Tests.Data.World;

/// <summary>Serves files from memory, whole or from a place on, and remembers what it was asked.</summary>
internal sealed class PackagesServer(IReadOnlyDictionary<string, byte[]> files) : HttpMessageHandler
{
    internal List<(string Address, long? From)> Asked { get; } = [];

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var address = request.RequestUri!.ToString();
        var from = request.Headers.Range?.Ranges.First().From;
        Asked.Add((address, from));
        if (!files.TryGetValue(address, out var bytes))
        {
            return Task.FromResult(new HttpResponseMessage(HttpStatusCode.NotFound));
        }

        var response = new HttpResponseMessage(from is null ? HttpStatusCode.OK : HttpStatusCode.PartialContent)
        {
            Content = new ByteArrayContent(bytes[(int)(from ?? 0)..]),
        };
        response.Content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        return Task.FromResult(response);
    }
}
