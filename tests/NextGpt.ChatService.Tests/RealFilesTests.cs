using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.ChatCompletion;
using NextGpt.Media;
using NextGpt.Model;

namespace NextGpt.ChatService.Tests;

/// <summary>The reader and writer of files that the registration brings: cases 22, 31 and 39 with real files.</summary>
public sealed class RealFilesTests
{
    [Fact]
    public async Task Case_22_and_31_what_the_model_makes_is_a_file_that_the_model_reads_again()
    {
        await using var provider = Provide();
        var model = (ScriptedGenerator)provider.GetRequiredService<IGenerator>();
        var chat = provider.GetRequiredService<IChatCompletionService>();
        var settings = new NextGptPromptExecutionSettings { Seed = 3, ImageWidth = 32, ImageHeight = 32 };

        var answer = await chat.GetChatMessageContentAsync("Show me an apple", settings);
        ChatHistory history = [new ChatMessageContent(AuthorRole.User, [.. answer.Items.Skip(1)])];
        await chat.GetChatMessageContentAsync(history);

        Assert.Equal("image/png", Assert.IsType<ImageContent>(answer.Items[1]).MimeType);
        Assert.Equal("audio/wav", Assert.IsType<AudioContent>(answer.Items[2]).MimeType);
        Assert.Contains(((BinaryContent)answer.Items[3]).MimeType, new[] { "video/mp4", "image/webp" });   // with ffmpeg, without
        Assert.Equal(typeof(BinaryContent), answer.Items[3].GetType());
        var seen = model.Asked.Messages[0].Parts.Cast<MediaPart>().Select(part => part.Medium).ToList();
        Assert.Equal(TestMedia.PictureOf(32, 32, 3).Pixels, Assert.IsType<Picture>(seen[0]).Pixels);
        Assert.Equal(8_000, Assert.IsType<AudioClip>(seen[1]).Length);
        Assert.Equal(4, Assert.IsType<VideoClip>(seen[2]).Frames.Count);
    }

    [Fact]
    public async Task Case_39_TRN_8_the_same_request_gives_the_same_files_streamed_or_whole()
    {
        await using var provider = Provide();
        var client = provider.GetRequiredService<IChatClient>();
        var options = new ChatOptions { Seed = 9 };

        var whole = await client.GetResponseAsync("Show me an apple", options);
        var streamed = await client.GetStreamingResponseAsync("Show me an apple", options).ToChatResponseAsync();

        Assert.Equal(FilesOf(whole), FilesOf(streamed));
        Assert.Equal(3, FilesOf(whole).Count);

        static List<string> FilesOf(ChatResponse response) =>
            [.. response.Messages[0].Contents.OfType<DataContent>().Select(content => Convert.ToBase64String(content.Data.Span))];
    }

    [Fact]
    public async Task Case_22_a_damaged_file_is_refused_in_the_readers_words_under_the_name_it_came_with()
    {
        await using var provider = Provide();
        var client = provider.GetRequiredService<IChatClient>();

        var refused = await Assert.ThrowsAsync<MediaRefusedException>(() => client.GetResponseAsync(
            [new ChatMessage(ChatRole.User, [new DataContent(TestMedia.Png(64, 64).AsMemory(0, 1_000), "image/png") { Name = "sky.png" }])]));

        Assert.Equal("corrupt_media", refused.Code);
        Assert.StartsWith("sky.png ", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Case_22_an_animated_picture_is_a_clip_for_a_model_that_reads_clips_alone()
    {
        var model = ScriptedArtist.Create(new ModelAbilities { Reads = [MediaKind.Video] });
        await using var provider = Provide(model);
        var client = provider.GetRequiredService<IChatClient>();

        await client.GetResponseAsync([new ChatMessage(ChatRole.User, [new DataContent(AnimatedGif(), "image/gif")])],
            new ChatOptions { AdditionalProperties = new() { ["modalities"] = "text" } });
        Assert.Equal(2, Assert.IsType<VideoClip>(((MediaPart)model.Asked.Messages[0].Parts[0]).Medium).Frames.Count);

        // A still one is not.
        var refused = await Assert.ThrowsAsync<MediaRefusedException>(() => client.GetResponseAsync(
            [new ChatMessage(ChatRole.User, [new DataContent(TestMedia.Png(), "image/png")])]));
        Assert.Equal("image/png is not supported; send WebP, GIF, MP4 or WebM.", refused.Message);
    }

    /// <summary>Two frames of 16 x 16 pixels, one red, one green, as a GIF (GIF89a, section 18 ff.).</summary>
    private static byte[] AnimatedGif()
    {
        // A code size of 2 bits and a clear code after every two pixels keep each code 3 bits wide, so no table is needed.
        List<byte> file =
        [
            .. "GIF89a"u8, 16, 0, 16, 0, 0b1000_0001, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255,
            0x21, 0xFF, 11, .. "NETSCAPE2.0"u8, 3, 1, 0, 0, 0,
        ];
        for (var colour = 0; colour < 2; colour++)
        {
            file.AddRange([0x21, 0xF9, 4, 4, 10, 0, 0, 0, 0x2C, 0, 0, 0, 0, 16, 0, 16, 0, 0, 2]);
            List<int> codes = [];
            for (var pixel = 0; pixel < 256; pixel += 2)
            {
                codes.AddRange([4, colour, colour]);   // clear, pixel, pixel
            }

            codes.Add(5);   // end
            var bits = new byte[((codes.Count * 3) + 7) / 8];
            for (var i = 0; i < codes.Count * 3; i++)
            {
                bits[i / 8] |= (byte)(((codes[i / 3] >> (i % 3)) & 1) << (i % 8));
            }

            file.Add((byte)bits.Length);
            file.AddRange(bits);
            file.Add(0);
        }

        file.Add(0x3B);
        return [.. file];
    }

    private static ServiceProvider Provide(ScriptedGenerator? model = null)
    {
        var services = new ServiceCollection();
        services.AddSingleton<IGenerator>(model ?? ScriptedArtist.Create());
        services.AddNextGpt("toy");
        return services.BuildServiceProvider();
    }
}
