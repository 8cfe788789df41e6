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

    private static ServiceProvider Provide()
    {
        var services = new ServiceCollection();
        services.AddSingleton<IGenerator>(ScriptedArtist.Create());
        services.AddNextGpt("toy");
        return services.BuildServiceProvider();
    }
}
