using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using NextGpt.Host;
using NextGpt.Host.Tests;
using NextGpt.Media;
using NextGpt.Server.Instance;
using NextGpt.Server.Keys;
using NextGpt.Server.Terminal;

namespace NextGpt.Server.Tests.Endpoints;

/// <summary>Media over HTTP: parts of messages in, our extension out, links by key, the console through the server.</summary>
public sealed class MediaEndpointsTests
{
    private static readonly string PngUrl = $"data:image/png;base64,{Convert.ToBase64String(ScriptedMedia.Png)}";

    [Fact]
    public async Task API_5_pictures_and_sounds_of_messages_are_read_where_they_stand()
    {
        await using var bench = await ServerBench.StartAsync();

        var (status, _) = await ServerBench.ReadAsync(CompleteAsync(bench.Client, new JsonObject
        {
            ["messages"] = new JsonArray(
                Message("user", Text("What is this?"), Part("image_url", new JsonObject { ["url"] = PngUrl })),
                Message("assistant", Text("A dot.")),
                Message(
                    "user",
                    Part("input_audio", new JsonObject { ["data"] = Convert.ToBase64String(ScriptedMedia.Wav), ["format"] = "wav" }),
                    Part("video_url", new JsonObject { ["url"] = $"data:video/mp4;base64,{Convert.ToBase64String(ScriptedMedia.Mp4)}" }),
                    Text("And these?"))),
        }));

        Assert.Equal(200, status);
        var messages = Assert.Single(bench.Model.Calls).Messages;
        Assert.Equal(["image/png"], TypesOf(messages[0]));
        Assert.Empty(TypesOf(messages[1]));
        Assert.Equal(["audio/wav", "video/mp4"], TypesOf(messages[2]));
        Assert.Equal("And these?", messages[2].Text);

        static IEnumerable<string> TypesOf(ChatMessage message) => message.Contents.OfType<DataContent>().Select(content => content.MediaType);
    }

    [Theory]
    [InlineData("https://example.com/cat.png", 400, "url_not_allowed", "this address was not fetched")]
    [InlineData("http://169.254.169.254/latest/meta-data", 400, "url_not_allowed", "this address was not fetched")]
    [InlineData("file:///etc/passwd", 400, "url_not_allowed", "this address was not fetched")]
    [InlineData("data:image/png,rawbytes", 400, "invalid_request", "must be base64")]
    [InlineData("data:image/png;base64,%%%", 400, "invalid_request", "base64 of a file is damaged")]
    [InlineData("data:application/pdf;base64,JVBERi0xLjc=", 415, "unsupported_media", "application/pdf is not supported")]
    [InlineData("data:image/png;base64,UEsDBA==", 415, "media_mismatch", "says PNG but its bytes are a ZIP file")]
    public async Task THR_9_addresses_are_never_fetched_and_what_is_no_medium_is_refused(
        string url, int expected, string code, string sentence)
    {
        await using var bench = await ServerBench.StartAsync();

        var (status, found, message) = await ServerBench.ErrorAsync(CompleteAsync(bench.Client, new JsonObject
        {
            ["messages"] = new JsonArray(Message("user", Text("?"), Part("image_url", new JsonObject { ["url"] = url }))),
        }));

        Assert.Equal((expected, code), (status, found));
        Assert.Contains(sentence, message, StringComparison.Ordinal);
        Assert.Empty(bench.Model.Calls);
    }

    [Fact]
    public async Task API_5_media_of_an_answer_come_in_the_message_and_behind_a_link_for_the_same_key_alone()
    {
        await using var bench = await ServerBench.StartAsync();
        bench.Model.Rule = call => call.Say("A cat.").Media("started").Media("completed", file: ScriptedMedia.Png, caption: "a cat").End();
        using var owner = bench.ClientWith(Scope.Chat);
        using var other = bench.ClientWith(Scope.Chat);

        var (_, json) = await ServerBench.ReadAsync(CompleteAsync(owner, new JsonObject
        {
            ["messages"] = new JsonArray(Message("user", Text("Draw."))),
            ["modalities"] = new JsonArray("text", "image"),
            ["user"] = "mia",
        }));

        var medium = Assert.Single(Assert.IsType<JsonArray>(json["choices"]?[0]?["message"]?["media"]));
        Assert.Equal(
            ("image", "image/png", "a cat", 6),
            ((string?)medium?["type"], (string?)medium?["mime_type"], (string?)medium?["caption"], (int?)medium?["text_offset"]));
        Assert.Equal(ScriptedMedia.Png, Convert.FromBase64String((string?)medium?["b64_json"] ?? ""));
        var link = new Uri((string?)medium?["url"] ?? "", UriKind.Relative);
        using var file = await owner.GetAsync(link);
        Assert.Equal(ScriptedMedia.Png, await file.Content.ReadAsByteArrayAsync());
        Assert.Equal("nosniff", file.Headers.GetValues("X-Content-Type-Options").Single());
        using var refused = await other.GetAsync(link);
        Assert.Equal(HttpStatusCode.NotFound, refused.StatusCode);
        Assert.Equal(
            ["text", "image"],
            Assert.IsAssignableFrom<IEnumerable<string>>(bench.Model.Calls[0].Options.AdditionalProperties?["modalities"]));
    }

    [Fact]
    public async Task The_stream_tells_of_media_and_gives_them_whole()
    {
        await using var bench = await ServerBench.StartAsync();
        bench.Model.Rule = call => call.Say("A cat.").Media("started").Media("progress", progress: 0.5)
            .Media("completed", file: ScriptedMedia.Png).Media("failed", "audio", 1, error: "no").End();

        using var answer = await CompleteAsync(bench.Client, new JsonObject
        {
            ["messages"] = new JsonArray(Message("user", Text("Draw."))),
            ["stream"] = true,
        });
        var events = await ServerBench.EventsAsync(answer);
        var deltas = events.SkipLast(1).Select(line => JsonNode.Parse(line)?["choices"]?[0]?["delta"]).ToList();

        Assert.Equal("[DONE]", events[^1]);
        Assert.Equal(
            ["media_started", "media_progress", "media_started", "media_lost"],
            deltas.Select(delta => (string?)delta?["media_status"]?["type"]).Where(type => type is not null));
        Assert.Equal(
            Convert.ToBase64String(ScriptedMedia.Png),
            (string?)Assert.Single(deltas, delta => delta?["media"] is not null)?["media"]?[0]?["b64_json"]);
    }

    [Fact]
    public async Task CON_2_the_console_sends_and_gets_media_through_the_running_server()
    {
        await using var bench = await ServerBench.StartAsync();
        bench.Model.Rule = call => call.Say("So.").Media("started").Media("progress", progress: 0.5)
            .Media("completed", file: ScriptedMedia.Png, caption: "a dot").Media("failed", "audio", 1, error: "no").End();
        var token = (bench.App.Services.GetService(typeof(InstanceToken)) as InstanceToken)?.Text;
        await using var partner = await RemotePartner.ConnectAsync(
            new RunningServer(Environment.ProcessId, bench.Address, token ?? ""), TestContext.Current.CancellationToken);

        var parts = new List<ReplyPart>();
        await foreach (var part in partner.AskAsync(
            new Ask(ConversationId.New(), "What?", null, new TurnSettings { RequiredMedia = [MediaKind.Image] })
            {
                Files = [new IncomingFile("größer \"cat\".png", ScriptedMedia.Png)],
            },
            TestContext.Current.CancellationToken))
        {
            parts.Add(part);
        }

        var ready = Assert.Single(parts.OfType<MediaReady>());
        Assert.Equal((ScriptedMedia.Png.Length, "a dot", 3), (ready.File.Bytes.Length, ready.Caption, ready.TextOffset));
        Assert.Equal(0.5, Assert.Single(parts.OfType<MediaProgress>()).Share);
        Assert.Single(parts.OfType<MediaLost>());
        var call = Assert.Single(bench.Model.Calls);
        Assert.Single(call.Messages[^1].Contents.OfType<DataContent>());
        Assert.Equal(["text", "image"], Assert.IsAssignableFrom<IEnumerable<string>>(call.Options.AdditionalProperties?["modalities"]));
    }

    [Theory]
    [InlineData("no boundary", "multipart/form-data")]
    [InlineData("garbage", "multipart/form-data; boundary=x")]
    [InlineData("--x\r\nContent-Disposition: form-data; name=\"turn\"\r\n\r\n[1]\r\n--x--\r\n", "multipart/form-data; boundary=x")]
    [InlineData("--x\r\nContent-Disposition: form-data; name=\"turn\"\r\n\r\n{\r\n--x--\r\n", "multipart/form-data; boundary=x")]
    [InlineData("--x\r\n\r\nnameless\r\n--x--\r\n", "multipart/form-data; boundary=x")]
    public async Task A_malformed_form_gets_a_sentence(string body, string type)
    {
        await using var bench = await ServerBench.StartAsync();
        using var content = new StringContent(body);
        content.Headers.Remove("Content-Type");
        content.Headers.TryAddWithoutValidation("Content-Type", type);

        var (status, code, _) = await ServerBench.ErrorAsync(bench.Client.PostAsync("/api/turns", content));

        Assert.Equal((400, "invalid_request"), (status, code));
    }

    [Fact]
    public async Task Too_many_and_too_large_files_of_a_form_are_refused_and_the_server_goes_on()
    {
        await using var bench = await ServerBench.StartAsync(("NextGpt:Turns:MaxFileMegabytes", "1"));

        var (_, many, sentence) = await ServerBench.ErrorAsync(SendAsync([.. Enumerable.Repeat(ScriptedMedia.Png, 6)]));
        var (status, large, _) = await ServerBench.ErrorAsync(SendAsync([new byte[1_048_577]]));
        using var good = await SendAsync([ScriptedMedia.Png]);

        Assert.Equal("too_many_files", many);
        Assert.StartsWith("6 files came, 4 are allowed;", sentence, StringComparison.Ordinal);
        Assert.Equal((413, "file_too_large"), (status, large));
        Assert.Equal(HttpStatusCode.OK, good.StatusCode);

        async Task<HttpResponseMessage> SendAsync(byte[][] files)
        {
            using var form = new MultipartFormDataContent { { new StringContent("""{"text": "Look."}"""), "turn" } };
            foreach (var file in files)
            {
                form.Add(new ByteArrayContent(file), "file", "a.png");
            }

            return await bench.Client.PostAsync("/api/turns", form);
        }
    }

    [Fact]
    public async Task A_file_above_the_limit_of_the_reader_of_media_is_file_too_large_with_its_sentence_however_it_comes()
    {
        await using var bench = await ServerBench.StartAsync(
            services => services.RemoveAll<IMediaReader>().AddNextGptMedia(), ("NextGpt:Media:MaxFileMegabytes", "1"));
        byte[] large = [.. ScriptedMedia.Png, .. new byte[1_258_291]];

        var (status, code, sentence) = await ServerBench.ErrorAsync(CompleteAsync(bench.Client, new JsonObject
        {
            ["messages"] = new JsonArray(Message(
                "user", Text("?"), Part("image_url", new JsonObject { ["url"] = $"data:image/png;base64,{Convert.ToBase64String(large)}" }))),
        }));
        using var form = new MultipartFormDataContent
        {
            { new StringContent("""{"text": "Look."}"""), "turn" }, { new ByteArrayContent(large), "file", "a.png" },
        };
        using var upload = await bench.Client.PostAsync("/api/turns", form);
        var uploaded = await upload.Content.ReadAsStringAsync();

        Assert.Equal((413, "file_too_large"), (status, code));
        Assert.Contains("has 1.2 MiB, the limit is 1; send a smaller one.", sentence, StringComparison.Ordinal);
        Assert.Contains("file_too_large", uploaded, StringComparison.Ordinal);
        Assert.Contains("a.png has 1.2 MiB, the limit is 1; send a smaller one.", uploaded, StringComparison.Ordinal);
        Assert.Empty(bench.Model.Calls);
    }

    private static Task<HttpResponseMessage> CompleteAsync(HttpClient client, JsonObject body) =>
        client.PostAsync("/v1/chat/completions", ServerBench.Body(body));

    private static JsonObject Message(string role, params JsonNode[] parts) =>
        new() { ["role"] = role, ["content"] = new JsonArray([.. parts]) };

    private static JsonObject Text(string text) => new() { ["type"] = "text", ["text"] = text };

    private static JsonObject Part(string type, JsonObject content) => new() { ["type"] = type, [type] = content };
}
