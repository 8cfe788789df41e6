using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;

namespace NextGpt.Server.Web;

/// <summary>
/// Addresses of media that work for one person and for a while (WEB-4). The key lives as long as the process: after a
/// restart the page asks for fresh ones.
/// </summary>
internal sealed class MediaLinks(IOptions<WebOptions> options, TimeProvider time)
{
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);

    /// <summary>The address for a person; the same for a quarter of its life, so that a page made again shows what is there.</summary>
    public string Make(string person, string mediaId)
    {
        var life = options.Value.MediaLinkLifetime;
        var step = Math.Max(1, (long)life.TotalSeconds / 4);
        var until = ((time.GetUtcNow().ToUnixTimeSeconds() / step) + 1) * step + (long)life.TotalSeconds;
        return string.Create(
            CultureInfo.InvariantCulture, $"/media/{mediaId}?until={until}&mark={Mark(person, mediaId, until)}");
    }

    /// <summary>Whether an address is this person's and not expired.</summary>
    public bool IsGood(string person, string mediaId, long until, string mark) =>
        until > time.GetUtcNow().ToUnixTimeSeconds()
        && CryptographicOperations.FixedTimeEquals(
            Encoding.ASCII.GetBytes(Mark(person, mediaId, until)), Encoding.ASCII.GetBytes(mark));

    private string Mark(string person, string mediaId, long until) => Convert.ToHexStringLower(HMACSHA256.HashData(
        _key, Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{person}\n{mediaId}\n{until}"))))[..32];
}
