using System.Net;
using System.Text.Json;
using NextGpt.Bots.Discord.Questions;
using NextGpt.Bots.Discord.Tests.Simulator;
using NextGpt.Bots.Discord.Wire;
using NextGpt.Host.Tests;

namespace NextGpt.Bots.Discord.Tests.Questions;

public sealed class AttachmentTests
{
    [Fact]
    public async Task M6_a_picture_reaches_the_model_and_is_fetched_without_the_token()
    {
        await using var bench = (await BotBench.StartAsync()).Echoing();

        await bench.Simulator.SayAsync("what is this?", files: new SimulatedFile("cat.png", "image/png", ScriptedMedia.Png));
        await bench.AnsweredAsync("re: what is this?");

        Assert.Contains(bench.Model.Calls[0].Messages[^1].Contents, part => part is Microsoft.Extensions.AI.DataContent);
        var fetch = Assert.Single(bench.Simulator.RequestsTo("GET /attachments/"));
        Assert.False(fetch.Headers.ContainsKey("Authorization"));
        Assert.True(fetch.Headers.ContainsKey("User-Agent"));
    }

    [Fact]
    public async Task M6_a_file_that_is_not_what_it_says_is_refused_in_words()
    {
        await using var bench = (await BotBench.StartAsync()).Echoing();

        await bench.Simulator.SayAsync("see", files: new SimulatedFile("cat.png", "image/png", "PK\u0003\u0004 not a picture"u8.ToArray()));

        await DiscordSimulator.UntilAsync(() => bench.Answers().Count > 0, "an answer");
        Assert.Contains("cat.png", BotBench.Text(bench.Answers()[0]), StringComparison.Ordinal);
        Assert.Empty(bench.Model.Calls);
    }

    [Fact]
    public async Task M6_an_expired_link_is_refused_in_words()
    {
        await using var bench = (await BotBench.StartAsync()).Echoing();
        bench.Simulator.Fault = request => request.Path.StartsWith("/attachments/", StringComparison.Ordinal)
            ? new SimulatedAnswer(404) : null;

        await bench.Simulator.SayAsync("see", files: new SimulatedFile("cat.png", "image/png", ScriptedMedia.Png));

        await DiscordSimulator.UntilAsync(() => bench.Answers().Count > 0, "an answer");
        Assert.Contains("The link of cat.png has expired; attach the file again.", BotBench.Text(bench.Answers()[0]), StringComparison.Ordinal);
        Assert.Empty(bench.Model.Calls);
    }

    [Theory]
    [InlineData("https://example.org/cat.png", "read only from Discord's own servers")]
    [InlineData("https://cdn.discordapp.com.example.org/cat.png", "read only from Discord's own servers")]
    [InlineData("https://cdn.discordapp.com@example.org/cat.png", "read only from Discord's own servers")]
    [InlineData("https://someone@cdn.discordapp.com/cat.png", "read only from Discord's own servers")]
    [InlineData("http://cdn.discordapp.com/cat.png", "read only from Discord's own servers")]
    [InlineData("https://cdn.discordapp.com:444/cat.png", "read only from Discord's own servers")]
    [InlineData("file:///etc/passwd", "read only from Discord's own servers")]
    public async Task M6_THR_9_nothing_is_fetched_from_another_host(string url, string sentence)
    {
        var calls = 0;
        using var handler = new Answering(_ =>
        {
            calls++;
            return new HttpResponseMessage(HttpStatusCode.OK);
        });
        using var download = Download(handler);

        var refused = await Assert.ThrowsAsync<AttachmentException>(() => download.FetchAsync(Attachment(url, 10), default));

        Assert.Contains(sentence, refused.Message, StringComparison.Ordinal);
        Assert.Equal(0, calls);
    }

    [Fact]
    public async Task M6_THR_9_redirects_large_files_and_slow_ones_are_refused()
    {
        const string url = "https://cdn.discordapp.com/attachments/1/2/cat.png?ex=1";
        await RefusedAsync(_ => new HttpResponseMessage(HttpStatusCode.Found) { Headers = { Location = new Uri("http://169.254.169.254/") } }, 10, "leads elsewhere");
        await RefusedAsync(_ => throw new InvalidOperationException("must not be asked"), 2_000_000, "at most 1 are allowed");
        await RefusedAsync(_ => new HttpResponseMessage { Content = new ByteArrayContent(new byte[1_100_000]) }, 10, "at most 1 are allowed");
        await RefusedAsync(_ => new HttpResponseMessage { Content = new StreamContent(new Unending()) }, 10, "at most 1 are allowed");
        await RefusedAsync(_ => new HttpResponseMessage { Content = new StreamContent(new Silent()) }, 10, "could not be downloaded within");

        static async Task RefusedAsync(Func<HttpRequestMessage, HttpResponseMessage> answer, long size, string sentence)
        {
            using var handler = new Answering(answer);
            using var download = Download(handler);
            var refused = await Assert.ThrowsAsync<AttachmentException>(() => download.FetchAsync(Attachment(url, size), default));
            Assert.Contains(sentence, refused.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("10.0.0.1", false)]
    [InlineData("127.0.0.1", false)]
    [InlineData("169.254.169.254", false)]
    [InlineData("172.20.1.1", false)]
    [InlineData("192.168.1.1", false)]
    [InlineData("100.64.0.1", false)]
    [InlineData("0.0.0.0", false)]
    [InlineData("224.0.0.1", false)]
    [InlineData("::1", false)]
    [InlineData("fe80::1", false)]
    [InlineData("fd00::1", false)]
    [InlineData("::ffff:10.0.0.1", false)]
    [InlineData("162.159.130.233", true)]
    [InlineData("2606:4700::1", true)]
    public void THR_9_addresses_inside_networks_are_known(string address, bool isPublic) =>
        Assert.Equal(isPublic, AttachmentDownload.IsPublic(IPAddress.Parse(address)));

    private static AttachmentDownload Download(HttpMessageHandler handler) => new(
        new DiscordOptions().CdnOrigins, 1_048_576, TimeSpan.FromMilliseconds(300), "DiscordBot (x, 1)", TimeProvider.System, handler);

    private static WireObject Attachment(string url, long size) =>
        WireObject.Parse(JsonSerializer.SerializeToUtf8Bytes(new { filename = "cat.png", url, size, content_type = "image/png" }));

    private sealed class Answering(Func<HttpRequestMessage, HttpResponseMessage> answer) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(answer(request));
    }

    private class Unending : MemoryStream
    {
        public override bool CanSeek => false;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => new(buffer.Length);
    }

    private sealed class Silent : Unending
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return 0;
        }
    }
}
