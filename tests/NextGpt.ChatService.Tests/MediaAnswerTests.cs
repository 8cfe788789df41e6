using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.ChatCompletion;
using NextGpt.Media;
using NextGpt.Model;
using AIText = Microsoft.Extensions.AI.TextContent;
using KernelText = Microsoft.SemanticKernel.TextContent;

namespace NextGpt.ChatService.Tests;

/// <summary>Media in the whole answer: cases 28 and 31 to 35 of the connector contract.</summary>
public sealed class MediaAnswerTests
{
    private const string AllText = "Look here and here and here.";

    [Fact]
    public async Task Case_31_picture_sound_and_clip_become_contents_with_type_bytes_and_metadata()
    {
        using var chat = new ToyChat(ScriptedArtist.Create());

        var answer = await chat.AskAsync(Question(), new NextGptPromptExecutionSettings { Seed = 5 });

        Assert.Equal(4, answer.Items.Count);
        var image = Assert.IsType<ImageContent>(answer.Items[1]);
        Assert.Equal("image/png", image.MimeType);
        Assert.Equal(TestMedia.PictureOf(16, 16, 5).Pixels, ((Picture)await DecodeAsync(image)).Pixels);
        AssertMetadata(
            image, ("MediaKind", "image"), ("MediaIndex", 0), ("Caption", ScriptedArtist.Caption), ("Seed", 5L),
            ("Steps", 20), ("GuidanceScale", 7.5), ("Width", 16), ("Height", 16), ("TextOffset", 4));

        var audio = Assert.IsType<AudioContent>(answer.Items[2]);
        Assert.Equal("audio/wav", audio.MimeType);
        Assert.Equal(8_000, ((AudioClip)await DecodeAsync(audio)).Length);
        AssertMetadata(
            audio, ("MediaKind", "audio"), ("MediaIndex", 1), ("Caption", ScriptedArtist.Caption), ("Seed", 5L),
            ("Steps", 10), ("GuidanceScale", 2.5), ("DurationSeconds", 0.5), ("TextOffset", 13));

        var video = Assert.IsType<BinaryContent>(answer.Items[3]);
        Assert.Equal("video/mp4", video.MimeType);
        Assert.Equal(4, ((VideoClip)await DecodeAsync(video)).Frames.Count);
        AssertMetadata(
            video, ("MediaKind", "video"), ("MediaIndex", 2), ("Caption", ScriptedArtist.Caption), ("Seed", 5L),
            ("Steps", 30), ("GuidanceScale", 2.5), ("Width", 16), ("Height", 24), ("DurationSeconds", 0.5),
            ("FramesPerSecond", 8.0), ("TextOffset", 22));
        Assert.All(answer.Items, item => Assert.Equal("toy-1b", item.ModelId));
    }

    [Fact]
    public async Task Case_31_the_response_holds_the_same_files_under_names()
    {
        using var chat = new ToyChat(ScriptedArtist.Create());

        var response = await chat.AskAsync([new ChatMessage(ChatRole.User, "Hello")]);

        var message = Assert.Single(response.Messages);
        Assert.Equal(AllText, Assert.IsType<AIText>(message.Contents[0]).Text);
        Assert.Equal(
            [("image-1.png", "image/png"), ("audio-1.wav", "audio/wav"), ("video-1.mp4", "video/mp4")],
            message.Contents.Skip(1).Cast<DataContent>().Select(content => (content.Name!, content.MediaType)));
        Assert.DoesNotContain(
            message.AdditionalProperties!.Keys, key => key.StartsWith("Media", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Case_31_AID_1_every_file_is_marked_with_model_and_day()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 11, 2, 14, 5, 0, TimeSpan.Zero));
        using var chat = new ToyChat(
            ScriptedArtist.Create(), builder => builder.Services.AddSingleton<TimeProvider>(time));

        var answer = await chat.AskAsync(Question(), new NextGptPromptExecutionSettings { Adapter = "warm" });

        var file = System.Text.Encoding.Latin1.GetString(((ImageContent)answer.Items[1]).Data!.Value.Span);
        Assert.Contains("toy-1b+warm 2026-11-02T00:00:00", file, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Case_31_a_clip_in_a_pictures_format_is_still_a_clip()
    {
        using var chat = new ToyChat(
            ScriptedArtist.Create(), builder => builder.Services.AddSingleton<IMediaWriter>(new AnimatedWebP()));

        var answer = await chat.AskAsync(Question(), Only("video"));

        var clip = answer.Items[1];
        Assert.Equal(typeof(BinaryContent), clip.GetType());
        Assert.Equal("image/webp", ((BinaryContent)clip).MimeType);
    }

    [Fact]
    public async Task Case_32_all_text_comes_first_then_the_media_in_order_each_with_its_place_in_the_text()
    {
        using var chat = new ToyChat(ScriptedArtist.Create());

        var answer = await chat.AskAsync(Question());

        Assert.Equal(AllText, Assert.IsType<KernelText>(answer.Items[0]).Text);
        Assert.Equal(AllText, answer.Content);
        Assert.Equal(AllText, answer.ToString());
        Assert.Equal(
            ["Look", "Look here and", "Look here and here and"],
            answer.Items.Skip(1).Select(item => AllText[..(int)item.Metadata!["TextOffset"]!]));
    }

    [Fact]
    public async Task Case_32_media_without_words_stand_beside_an_empty_text()
    {
        using var chat = new ToyChat(ScriptedArtist.Create());

        var answer = await chat.AskAsync(Question(), new NextGptPromptExecutionSettings { Modalities = ["image"] });

        Assert.Equal("", answer.Content);
        Assert.Equal(2, answer.Items.Count);
        Assert.Equal(0, answer.Items[1].Metadata!["TextOffset"]);
    }

    [Theory]
    [InlineData("image", MediaKind.Image)]
    [InlineData("audio", MediaKind.Audio)]
    [InlineData("video", MediaKind.Video)]
    public async Task Case_33_modalities_force_what_they_name_and_forbid_what_they_do_not(string modality, MediaKind kind)
    {
        using var chat = new ToyChat(ScriptedArtist.Create());
        MediaKind[] others = [.. Enum.GetValues<MediaKind>().Where(other => other != kind)];

        await chat.AskAsync(Question(), Only("text", modality));
        var media = chat.Model.Asked.Media!;
        Assert.Equal([kind], media.Required);
        Assert.Equal(others, media.Forbidden);
        Assert.True(media.Text);

        var alone = await chat.AskAsync(Question(), Only(modality));
        Assert.Equal("", alone.Content);
        Assert.Equal(modality, alone.Items[1].Metadata!["MediaKind"]);
        Assert.False(chat.Model.Asked.Media!.Text);

        await chat.AskAsync(Question(), new NextGptPromptExecutionSettings { ForbiddenModalities = [modality] });
        Assert.Equal([kind], chat.Model.Asked.Media!.Forbidden);
        Assert.Empty(chat.Model.Asked.Media!.Required);

        var text = await chat.AskAsync(Question(), Only("text"));
        Assert.Single(text.Items);
        Assert.Equal(Enum.GetValues<MediaKind>(), chat.Model.Asked.Media!.Forbidden);

        await chat.AskAsync(Question());
        Assert.Null(chat.Model.Asked.Media);
    }

    [Fact]
    public async Task Case_33_several_are_made_in_the_order_they_are_named()
    {
        using var chat = new ToyChat(ScriptedArtist.Create());

        var answer = await chat.AskAsync(Question(), Only("video", "TEXT", "Image"));

        Assert.Equal(["video", "image"], answer.Items.Skip(1).Select(item => item.Metadata!["MediaKind"]));
    }

    [Theory]
    [InlineData("image")]
    [InlineData("audio")]
    [InlineData("video")]
    [InlineData("smell")]
    public async Task Case_33_text_alone_may_be_asked_for_and_what_the_model_does_not_make_throws(string modality)
    {
        using var chat = ToyChat.Saying("Hi.");

        var answer = await chat.AskAsync(Question(), Only("text"));
        Assert.Equal("Hi.", answer.Content);
        Assert.Null(chat.Model.Asked.Media);
        foreach (string[] modalities in new string[][] { [modality], ["text", modality] })
        {
            var thrown = await Assert.ThrowsAsync<NotSupportedException>(() => chat.AskAsync(Question(), Only(modalities)));
            Assert.Equal(
                $"modalities asks for \"{modality}\", which this model does not make; ask for \"text\".", thrown.Message);
        }

        await Assert.ThrowsAsync<ArgumentException>(() => chat.AskAsync(Question(), Only()));
    }

    [Theory]
    [InlineData("image_steps", 0, "image_steps is 0, it must lie between 1 and 1,000.")]
    [InlineData("image_steps", 1_001, "image_steps is 1001, it must lie between 1 and 1,000.")]
    [InlineData("image_guidance", 0.5, "image_guidance is 0.5, it must lie between 1 and 30.")]
    [InlineData("image_width", 1_024, "image_width is 1024, it must lie between 8 and 768.")]
    [InlineData("image_height", -8, "image_height is -8, it must lie between 8 and 768.")]
    [InlineData("audio_steps", 0, "audio_steps is 0, it must lie between 1 and 1,000.")]
    [InlineData("audio_seconds", 60, "audio_seconds is 60, it must lie between 0.1 and 10.")]
    [InlineData("video_steps", 0, "video_steps is 0, it must lie between 1 and 1,000.")]
    [InlineData("video_frames", 25, "video_frames is 25, it must lie between 1 and 24.")]
    public async Task Case_33_a_setting_out_of_its_range_is_refused_in_a_sentence(
        string name, object value, string sentence)
    {
        using var chat = new ToyChat(ScriptedArtist.Create());
        var settings = new PromptExecutionSettings { ExtensionData = new Dictionary<string, object> { [name] = value } };

        foreach (var streaming in new[] { false, true })
        {
            var thrown = await Assert.ThrowsAsync<ArgumentException>(
                () => chat.AskAsync(Question(), settings, streaming));
            Assert.Equal(sentence, thrown.Message);
        }

        Assert.Empty(chat.Model.Requests);
    }

    [Fact]
    public async Task Case_33_settings_that_contradict_each_other_are_refused()
    {
        using var chat = new ToyChat(ScriptedArtist.Create());

        foreach (var (settings, word) in new (NextGptPromptExecutionSettings, string)[]
        {
            (new() { Modalities = ["text"], ImageWidth = 64 }, "image_width"),
            (new() { ForbiddenModalities = ["video"], VideoFrames = 8 }, "video_frames"),
            (new() { ForbiddenModalities = ["video"], Modalities = ["video"] }, "forbidden_modalities"),
            (new() { ForbiddenModalities = ["text"] }, "forbidden_modalities"),
        })
        {
            var thrown = await Assert.ThrowsAsync<ArgumentException>(() => chat.AskAsync(Question(), settings));
            Assert.Contains(word, thrown.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Case_28_usage_tells_words_and_media_apart(bool streaming)
    {
        using var chat = new ToyChat(ScriptedArtist.Create());
        ChatMessage[] messages =
        [
            new(ChatRole.User,
            [
                new AIText("Two words"), new DataContent(TestMedia.Png(), "image/png"),
                new DataContent(TestMedia.Wav(), "audio/wav"), new DataContent(TestMedia.Mp4(), "video/mp4"),
            ]),
        ];

        var answer = await chat.AskAsync(messages, streaming: streaming);

        var usage = answer.Usage!;
        Assert.Equal(5, usage.InputTokenCount);
        Assert.Equal(2, usage.InputTextTokenCount);
        Assert.Equal(1, usage.InputAudioTokenCount);
        Assert.Equal(7 + 12, usage.OutputTokenCount);
        Assert.Equal(7, usage.OutputTextTokenCount);
        Assert.Equal(4, usage.OutputAudioTokenCount);
        Assert.Equal(24, usage.TotalTokenCount);
        var bytes = answer.Messages[0].Contents.OfType<DataContent>().Sum(content => (long)content.Data.Length);
        Assert.Equal(
            new Dictionary<string, long>
            {
                ["input_image_tokens"] = 1,
                ["input_video_tokens"] = 1,
                ["output_image_signals"] = 4,
                ["output_video_signals"] = 4,
                ["denoising_steps"] = 60,
                ["media_bytes"] = bytes,
            },
            usage.AdditionalCounts!.OrderBy(count => count.Key).ToDictionary());
    }

    [Fact]
    public async Task Case_35_a_kernel_gives_the_media_in_message_and_response()
    {
        using var chat = new ToyChat(ScriptedArtist.Create());

        var result = await chat.Kernel.InvokePromptAsync("Show me", new KernelArguments(Only("text", "image")));

        Assert.Equal("Look here.", result.GetValue<string>());
        var image = result.GetValue<ChatMessageContent>()!.Items.OfType<ImageContent>().Single();
        var data = result.GetValue<ChatResponse>()!.Messages[0].Contents.OfType<DataContent>().Single();
        Assert.Equal(image.Data!.Value.ToArray(), data.Data.ToArray());
    }

    [Fact]
    public async Task Case_31_without_a_writer_the_missing_call_is_named()
    {
        var services = new ServiceCollection();
        services.AddSingleton<IGenerator>(ScriptedArtist.Create());
        services.AddNextGptChatClient("toy");
        await using var provider = services.BuildServiceProvider();

        var thrown = await Assert.ThrowsAsync<InvalidOperationException>(
            () => provider.GetRequiredService<IChatClient>().GetResponseAsync("Hello"));
        Assert.Contains("AddNextGptMedia", thrown.Message, StringComparison.Ordinal);
    }

    private static ChatHistory Question() => new("Show me an apple", AuthorRole.User);

    private static NextGptPromptExecutionSettings Only(params string[] modalities) => new() { Modalities = modalities };

    private static async Task<Medium> DecodeAsync(BinaryContent content) =>
        (await new TestMedia().ReadAsync(content.Data!.Value)).Medium;

    private static void AssertMetadata(KernelContent content, params (string Key, object? Value)[] expected) =>
        Assert.Equal(
            expected.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => (entry.Key, entry.Value)),
            content.Metadata!.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => (entry.Key, entry.Value)));

    private sealed class AnimatedWebP : IMediaWriter
    {
        public Task<MediaFile> WriteAsync(Medium medium, GenerationMark? mark, CancellationToken cancellationToken = default) =>
            Task.FromResult(new MediaFile(new byte[] { 1, 2, 3 }, MediaFormat.WebP) { Kind = MediaKind.Video });
    }
}
