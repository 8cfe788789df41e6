using Microsoft.Extensions.AI;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.ChatCompletion;
using NextGpt.Media;
using NextGpt.Model;
using AIText = Microsoft.Extensions.AI.TextContent;
using KernelText = Microsoft.SemanticKernel.TextContent;

namespace NextGpt.ChatService.Tests;

/// <summary>Media in the question: cases 22, 26 and 38 of the connector contract, THR-8 and THR-9.</summary>
public sealed class MediaInputTests
{
    private static readonly byte[] Gif = [.. "GIF89a"u8, .. new byte[20]];

    public static TheoryData<string, MediaKind> Forms => new()
    {
        { "image bytes", MediaKind.Image }, { "image bytes without type", MediaKind.Image },
        { "image data uri", MediaKind.Image },
        { "audio bytes", MediaKind.Audio }, { "audio data uri", MediaKind.Audio },
        { "video bytes", MediaKind.Video }, { "video data uri", MediaKind.Video },
    };

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task Case_22_a_medium_as_bytes_or_data_uri_reaches_the_model_decoded_at_its_place(
        string form, MediaKind kind)
    {
        using var chat = new ToyChat(ScriptedArtist.Create());
        ChatHistory history =
        [
            new ChatMessageContent(AuthorRole.User, [new KernelText("Before"), Item(form), new KernelText("after")]),
        ];

        foreach (var streaming in new[] { false, true })
        {
            await chat.AskAsync(history, streaming: streaming);

            var parts = Assert.Single(chat.Model.Asked.Messages).Parts;
            Assert.Equal(3, parts.Count);
            Assert.Equal(new TextPart("Before"), parts[0]);
            Assert.Equal(new TextPart("after"), parts[2]);
            AssertSame(kind, Assert.IsType<MediaPart>(parts[1]).Medium);
        }
    }

    [Fact]
    public async Task Case_22_a_data_address_in_an_address_content_is_read()
    {
        using var chat = new ToyChat(ScriptedArtist.Create());

        await chat.AskAsync([new ChatMessage(ChatRole.User,
            [new UriContent(new Uri(DataUri("image/png", TestMedia.Png())), "image/png")])]);

        AssertSame(MediaKind.Image, ((MediaPart)chat.Model.Asked.Messages[0].Parts[0]).Medium);
    }

    [Fact]
    public async Task Case_22_several_media_of_a_message_keep_their_order_among_the_words()
    {
        using var chat = new ToyChat(ScriptedArtist.Create());

        await chat.AskAsync([new ChatMessage(ChatRole.User,
        [
            new DataContent(TestMedia.Png(), "image/png"), new AIText("sounds like"),
            new DataContent(TestMedia.Wav(), "audio/x-wav"), new DataContent(TestMedia.Mp4(), "video/mp4"),
            new AIText("?"),
        ])]);

        Assert.Equal(
            ["Image", "sounds like", "Audio", "Video", "?"],
            chat.Model.Asked.Messages[0].Parts.Select(part =>
                part is MediaPart media ? media.Medium.Kind.ToString() : ((TextPart)part).Text));
    }

    [Theory]
    [InlineData("https://example.org/cat.png")]
    [InlineData("http://169.254.169.254/latest/meta-data")]
    [InlineData("file:///etc/passwd")]
    public async Task Case_22_THR_9_an_address_is_never_fetched(string address)
    {
        using var chat = new ToyChat(ScriptedArtist.Create());
        var image = new ImageContent(new Uri(address)) { MimeType = "image/png" };

        foreach (var ask in new Func<Task>[]
        {
            () => chat.AskAsync([new ChatMessageContent(AuthorRole.User, [image])]),
            () => chat.AskAsync([new ChatMessageContent(AuthorRole.User, [image])], streaming: true),
            () => chat.AskAsync([new ChatMessage(ChatRole.User, [new UriContent(address, "image/png")])]),
        })
        {
            var refused = await Assert.ThrowsAsync<MediaRefusedException>(ask);
            Assert.Equal("url_not_allowed", refused.Code);
            Assert.Equal(
                "Files are read only from uploads and data: URLs; this address was not fetched.", refused.Message);
        }

        Assert.Empty(chat.Model.Requests);
        Assert.Equal(0, chat.Files.Reads);
    }

    [Theory]
    [InlineData("image/png", "text", new MediaKind[0])]
    [InlineData("audio/wav", "PNG, JPEG, WebP or GIF", new[] { MediaKind.Image })]
    [InlineData("image/png", "WebP, GIF, WAV, MP3, OGG, FLAC, M4A, MP4 or WebM", new[] { MediaKind.Audio, MediaKind.Video })]
    public async Task Case_22_a_kind_that_the_model_cannot_read_is_refused_with_the_sentence_of_the_catalogue(
        string type, string readable, MediaKind[] reads)
    {
        using var chat = new ToyChat(ScriptedArtist.Create(new ModelAbilities { Reads = reads }));
        var bytes = type == "image/png" ? TestMedia.Png() : TestMedia.Wav();

        var refused = await Assert.ThrowsAsync<MediaRefusedException>(
            () => chat.AskAsync([new ChatMessage(ChatRole.User, [new DataContent(bytes, type)])]));

        Assert.Equal("unsupported_media", refused.Code);
        Assert.Equal($"{type} is not supported; send {readable}.", refused.Message);
        Assert.Empty(chat.Model.Requests);
    }

    [Fact]
    public async Task Case_22_empty_bytes_and_contents_without_any_throw()
    {
        using var chat = new ToyChat(ScriptedArtist.Create());

        foreach (var item in new KernelContent[] { new ImageContent(), new AudioContent(), new BinaryContent() })
        {
            var thrown = await Assert.ThrowsAsync<ArgumentException>(
                () => chat.AskAsync([new ChatMessageContent(AuthorRole.User, [item])]));
            Assert.Contains("attach its bytes", thrown.Message, StringComparison.Ordinal);
        }

        var empty = await Assert.ThrowsAsync<ArgumentException>(() => chat.AskAsync(
            [new ChatMessage(ChatRole.User, [new DataContent(ReadOnlyMemory<byte>.Empty, "image/png")])]));
        Assert.Contains("attach its bytes", empty.Message, StringComparison.Ordinal);
        Assert.Empty(chat.Model.Requests);
    }

    [Theory]
    [InlineData("audio/wav", "media_mismatch", "photo says WAV but its bytes are PNG; send the real sound.")]
    [InlineData("video/mp4", "media_mismatch", "photo says MP4 but its bytes are PNG; send the real clip.")]
    [InlineData("text/html", "media_mismatch", "photo says text/html but its bytes are PNG; send the real file.")]
    [InlineData("image/png", null, null)]
    [InlineData("IMAGE/PNG", null, null)]
    [InlineData("image/jpeg", null, null)]
    [InlineData("image/*", null, null)]
    [InlineData("application/octet-stream", null, null)]
    public async Task Case_22_THR_8_a_declared_type_is_a_hint_and_a_kind_that_the_bytes_contradict_is_refused(
        string declared, string? code, string? sentence)
    {
        using var chat = new ToyChat(ScriptedArtist.Create());
        ChatMessage[] messages = [new(ChatRole.User, [new DataContent(TestMedia.Png(), declared) { Name = "photo" }])];

        if (code is null)
        {
            await chat.AskAsync(messages);
            AssertSame(MediaKind.Image, ((MediaPart)chat.Model.Asked.Messages[0].Parts[0]).Medium);
            return;
        }

        var refused = await Assert.ThrowsAsync<MediaRefusedException>(() => chat.AskAsync(messages));
        Assert.Equal(code, refused.Code);
        Assert.Equal(sentence, refused.Message);
        Assert.Equal(0, chat.Files.Reads);
    }

    [Theory]
    [InlineData("image/tiff", "unsupported_media", "image/tiff is not supported; send PNG, JPEG,")]
    [InlineData("application/octet-stream", "unsupported_media", "image/tiff is not supported; send PNG, JPEG,")]
    [InlineData("image/png", "media_mismatch", "The file says PNG but its bytes are image/tiff; send the real image.")]
    public async Task Case_22_bytes_that_nobody_knows_are_refused(string declared, string code, string beginning)
    {
        using var chat = new ToyChat(ScriptedArtist.Create());
        byte[] strange = [0x49, 0x49, 0x2A, 0x00, 8, 0, 0, 0, 1, 2, 3, 4];

        var refused = await Assert.ThrowsAsync<MediaRefusedException>(
            () => chat.AskAsync([new ChatMessage(ChatRole.User, [new DataContent(strange, declared)])]));

        Assert.Equal(code, refused.Code);
        Assert.StartsWith(beginning, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Case_22_what_the_reader_of_media_says_is_what_the_person_reads()
    {
        using var chat = new ToyChat(ScriptedArtist.Create());

        foreach (var (bytes, code, sentence) in new[]
        {
            (TestMedia.Png()[..20], "corrupt_media", "ends before its header"),
            (HugePng(), "image_too_large", "30000 x 20000 px"),
            (TestMedia.Wav(0.1), "media_too_long", "lasts 0.1 s"),
            (TestMedia.Wav(121), "media_too_long", "lasts 121 s"),
            (Gif, "unsupported_media", "image/gif is not supported"),
        })
        {
            var refused = await Assert.ThrowsAsync<MediaRefusedException>(() => chat.AskAsync(
                [new ChatMessage(ChatRole.User, [new DataContent(bytes, "application/octet-stream")])]));
            Assert.Equal(code, refused.Code);
            Assert.Contains(sentence, refused.Message, StringComparison.Ordinal);
        }

        Assert.Empty(chat.Model.Requests);
    }

    [Fact]
    public async Task Case_22_a_damaged_data_address_is_refused()
    {
        using var chat = new ToyChat(ScriptedArtist.Create());

        var refused = await Assert.ThrowsAsync<MediaRefusedException>(() => chat.AskAsync(
            [new ChatMessage(ChatRole.User, [new UriContent(new Uri("data:image/png;base64,###"), "image/png")])]));
        Assert.Equal("corrupt_media", refused.Code);
    }

    [Fact]
    public async Task Case_22_a_file_that_the_caller_has_decoded_is_not_decoded_again()
    {
        using var chat = new ToyChat(ScriptedArtist.Create());
        var picture = TestMedia.PictureOf(4, 4, 3);

        await chat.AskAsync([new ChatMessage(ChatRole.User,
            [new DataContent(TestMedia.Png(), "image/png") { RawRepresentation = picture }])]);

        Assert.Same(picture, ((MediaPart)chat.Model.Asked.Messages[0].Parts[0]).Medium);
        Assert.Equal(0, chat.Files.Reads);
    }

    [Fact]
    public async Task Case_22_without_a_reader_a_file_is_refused_and_the_missing_call_named()
    {
        var services = new ServiceCollection();
        services.AddSingleton<IGenerator>(ScriptedArtist.Create());
        services.AddNextGptChatClient("toy");
        await using var provider = services.BuildServiceProvider();

        var thrown = await Assert.ThrowsAsync<InvalidOperationException>(
            () => provider.GetRequiredService<IChatClient>().GetResponseAsync(
                [new ChatMessage(ChatRole.User, [new DataContent(TestMedia.Png(), "image/png")])]));
        Assert.Contains("AddNextGptMedia", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Case_26_more_files_than_allowed_and_larger_ones_are_refused_before_any_is_decoded()
    {
        using var chat = new ToyChat(ScriptedArtist.Create());
        var image = new DataContent(TestMedia.Png(), "image/png");

        var many = await Assert.ThrowsAsync<MediaRefusedException>(() => chat.AskAsync(
        [
            new ChatMessage(ChatRole.User, [image]),
            new ChatMessage(ChatRole.User, [.. Enumerable.Repeat(image, 17), new AIText("Which is best?")]),
        ]));
        Assert.Equal("too_many_files", many.Code);
        Assert.Equal("17 files came, 16 are allowed; send the others in a second message.", many.Message);

        var bytes = new byte[26_314_400];
        TestMedia.Png().CopyTo(bytes, 0);
        var large = await Assert.ThrowsAsync<MediaRefusedException>(() => chat.AskAsync(
            [new ChatMessage(ChatRole.User, [new DataContent(bytes, "image/png") { Name = "sky.png" }])]));
        Assert.Equal("file_too_large", large.Code);
        Assert.Equal("sky.png has 25.1 MiB, the limit is 25; send a smaller one.", large.Message);
        Assert.Equal(0, chat.Files.Reads);
        Assert.Empty(chat.Model.Requests);
    }

    [Fact]
    public async Task Case_26_the_limits_are_settings()
    {
        var settings = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["NextGpt:Attachments:MaxFilesPerMessage"] = "1",
            ["NextGpt:Media:MaxFileMegabytes"] = "1",
        }).Build();
        using var chat = new ToyChat(
            ScriptedArtist.Create(), builder => builder.Services.AddSingleton<IConfiguration>(settings));
        var image = new DataContent(TestMedia.Png(), "image/png");
        var large = new DataContent(TestMedia.Wav(40), "audio/wav");

        Assert.Equal("too_many_files", (await Assert.ThrowsAsync<MediaRefusedException>(
            () => chat.AskAsync([new ChatMessage(ChatRole.User, [image, image])]))).Code);
        Assert.Equal("file_too_large", (await Assert.ThrowsAsync<MediaRefusedException>(
            () => chat.AskAsync([new ChatMessage(ChatRole.User, [large])]))).Code);
        await chat.AskAsync([new ChatMessage(ChatRole.User, [image])]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Case_26_a_file_of_which_not_all_was_taken_is_reported(bool streaming)
    {
        using var chat = new ToyChat(ScriptedArtist.Create());

        var answer = await chat.AskAsync(
            [new ChatMessage(ChatRole.User, [new DataContent(TestMedia.Mp4(frames: 30), "video/mp4") { Name = "run.mp4" }])],
            streaming: streaming);

        var notices = (IReadOnlyList<string>)answer.Messages[0].AdditionalProperties![AnswerMetadata.AttachmentNotices]!;
        Assert.Equal(["The first 20 of 30 frames of run.mp4 were used."], notices);
    }

    [Fact]
    public async Task Case_26_an_xml_prompt_brings_image_audio_and_binary()
    {
        using var chat = new ToyChat(ScriptedArtist.Create());

        await chat.Kernel.InvokePromptAsync(
            $"""
            <message role="system">Be brief.</message>
            <message role="user">
              <text>Look</text>
              <image>data:image/png;base64,{Convert.ToBase64String(TestMedia.Png())}</image>
              <audio>data:audio/wav;base64,{Convert.ToBase64String(TestMedia.Wav())}</audio>
              <binary>data:video/mp4;base64,{Convert.ToBase64String(TestMedia.Mp4())}</binary>
            </message>
            """);

        Assert.Equal(2, chat.Model.Asked.Messages.Count);
        Assert.Equal(
            ["Look", "Image", "Audio", "Video"],
            chat.Model.Asked.Messages[1].Parts.Select(part =>
                part is MediaPart media ? media.Medium.Kind.ToString() : ((TextPart)part).Text));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Case_38_an_answer_with_media_continues_the_dialogue(bool readsThem)
    {
        using var chat = new ToyChat(ScriptedArtist.Create(
            readsThem ? ModelAbilities.AnyToAny : ModelAbilities.AnyToAny with { Reads = [] }));
        List<ChatMessage> dialogue = [new(ChatRole.User, "Show me an apple")];
        var updates = await ToyChat.CollectAsync(chat.Client.GetStreamingResponseAsync(dialogue));
        dialogue.AddMessages(updates);
        dialogue.Add(new ChatMessage(ChatRole.User, "And a pear?"));

        await chat.AskAsync(dialogue);

        var earlier = chat.Model.Asked.Messages[1];
        Assert.Equal("Look here and here and here.", ScriptedGenerator.Text(earlier));
        Assert.Equal(
            readsThem ? [MediaKind.Image, MediaKind.Audio, MediaKind.Video] : Array.Empty<MediaKind>(),
            earlier.Parts.OfType<MediaPart>().Select(part => part.Medium.Kind));

        // A history of the kernel's messages does the same.
        var history = new ChatHistory("Show me an apple", AuthorRole.User);
        history.Add(await chat.AskAsync(history));
        history.AddUserMessage("And a pear?");
        await chat.AskAsync(history);
        Assert.Equal(readsThem ? 3 : 0, chat.Model.Asked.Messages[1].Parts.OfType<MediaPart>().Count());
    }

    private static BinaryContent Item(string form) => form switch
    {
        "image bytes" => new ImageContent(TestMedia.Png(), "image/png"),
        "image bytes without type" => new ImageContent(TestMedia.Png(), mimeType: null),
        "image data uri" => new ImageContent(DataUri("image/png", TestMedia.Png())),
        "audio bytes" => new AudioContent(TestMedia.Wav(), "audio/wav"),
        "audio data uri" => new AudioContent(DataUri("audio/wav", TestMedia.Wav())),
        "video bytes" => new BinaryContent(TestMedia.Mp4(), "video/mp4"),
        _ => new BinaryContent(DataUri("video/mp4", TestMedia.Mp4())),
    };

    private static string DataUri(string type, byte[] bytes) => $"data:{type};base64,{Convert.ToBase64String(bytes)}";

    private static byte[] HugePng()
    {
        var file = TestMedia.Png();
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(16), 30_000);
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(20), 20_000);
        return file;
    }

    private static void AssertSame(MediaKind kind, Medium medium)
    {
        switch (kind)
        {
            case MediaKind.Image:
                Assert.Equal(TestMedia.PictureOf(16, 16, 1).Pixels, Assert.IsType<Picture>(medium).Pixels);
                break;
            case MediaKind.Audio:
                Assert.Equal(8_000, Assert.IsType<AudioClip>(medium).Length);
                break;
            default:
                Assert.Equal(
                    TestMedia.ClipOf(16, 16, 3, 1).Frames.Select(frame => frame.Pixels),
                    Assert.IsType<VideoClip>(medium).Frames.Select(frame => frame.Pixels));
                break;
        }
    }
}
