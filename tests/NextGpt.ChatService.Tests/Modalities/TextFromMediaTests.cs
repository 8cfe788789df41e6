using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.AudioToText;
using Microsoft.SemanticKernel.ImageToText;
using NextGpt.Media;
using NextGpt.Model;

namespace NextGpt.ChatService.Tests.Modalities;

/// <summary>Words from pictures and sounds: case 61 of the connector contract.</summary>
public sealed class TextFromMediaTests
{
    [Theory]
    [InlineData("image", false)]
    [InlineData("image", true)]
    [InlineData("audio", false)]
    [InlineData("audio", true)]
    public async Task Case_61_a_description_comes_from_bytes_and_from_a_data_uri(string kind, bool asUri)
    {
        using var chat = Describer();

        var text = await DescribeAsync(chat, kind, kind == "image" ? TestMedia.Png() : TestMedia.Wav(), asUri);

        Assert.Equal("A red apple.", text.Text);
        Assert.Equal("toy-1b", text.ModelId);
        Assert.Equal("stop", text.Metadata!["FinishReason"]);
        Assert.IsType<UsageDetails>(text.Metadata["Usage"]);
        Assert.IsType<ChatResponse>(text.InnerContent);
        var parts = Assert.Single(chat.Model.Asked.Messages).Parts;
        Assert.Equal(
            kind == "image" ? MediaKind.Image : MediaKind.Audio, Assert.IsType<MediaPart>(parts[0]).Medium.Kind);
        Assert.EndsWith("?", Assert.IsType<TextPart>(parts[1]).Text, StringComparison.Ordinal);
        Assert.Equal(Enum.GetValues<MediaKind>(), chat.Model.Asked.Media!.Forbidden);
    }

    [Theory]
    [InlineData("image")]
    [InlineData("audio")]
    public async Task Case_61_unreadable_content_throws_before_the_model_is_asked(string kind)
    {
        using var chat = Describer();
        byte[] other = kind == "image" ? TestMedia.Wav() : TestMedia.Png();

        var wrongKind = await Assert.ThrowsAsync<MediaRefusedException>(() => DescribeAsync(chat, kind, other, asUri: false));
        Assert.Equal("unsupported_media", wrongKind.Code);
        Assert.EndsWith(
            kind == "image" ? "send PNG, JPEG, WebP or GIF." : "send WAV, MP3, OGG, FLAC or M4A.", wrongKind.Message,
            StringComparison.Ordinal);
        await Assert.ThrowsAsync<MediaRefusedException>(() => DescribeAsync(chat, kind, [1, 2, 3], asUri: false));
        await Assert.ThrowsAsync<MediaRefusedException>(() => DescribeAddressAsync(chat, kind));
        await Assert.ThrowsAsync<ArgumentException>(() => DescribeNothingAsync(chat, kind));
        await Assert.ThrowsAsync<ArgumentNullException>("content", () => kind == "image"
            ? chat.Services.GetRequiredService<IImageToTextService>().GetTextContentsAsync(null!)
            : chat.Services.GetRequiredService<IAudioToTextService>().GetTextContentsAsync(null!));
        Assert.Empty(chat.Model.Requests);
    }

    [Fact]
    public async Task Case_61_settings_reach_the_model_and_tools_do_not()
    {
        using var chat = Describer();
        var settings = new NextGptPromptExecutionSettings
        {
            ChatSystemPrompt = "Answer in one word.",
            MaxTokens = 3,
            FunctionChoiceBehavior = FunctionChoiceBehavior.Auto(),
        };

        await chat.Services.GetRequiredService<IImageToTextService>()
            .GetTextContentsAsync(new ImageContent(TestMedia.Png(), "image/png"), settings, chat.Kernel);

        Assert.Equal(3, chat.Model.Asked.MaxTokens);
        Assert.Equal("Answer in one word.", ScriptedGenerator.Text(chat.Model.Asked.Messages[0]));
    }

    private static ToyChat Describer() => new(
        new ScriptedGenerator((request, _) => ScriptedGenerator.Speak(request, ["A ", "red ", "apple."]))
        {
            Abilities = ModelAbilities.AnyToAny,
        });

    private static async Task<Microsoft.SemanticKernel.TextContent> DescribeAsync(
        ToyChat chat, string kind, byte[] bytes, bool asUri)
    {
        if (kind == "image")
        {
            var image = asUri
                ? new ImageContent($"data:image/png;base64,{Convert.ToBase64String(bytes)}")
                : new ImageContent(bytes, mimeType: null);
            return Assert.Single(await chat.Services.GetRequiredService<IImageToTextService>().GetTextContentsAsync(image));
        }

        var audio = asUri
            ? new AudioContent($"data:audio/wav;base64,{Convert.ToBase64String(bytes)}")
            : new AudioContent(bytes, mimeType: null);
        return Assert.Single(await chat.Services.GetRequiredService<IAudioToTextService>().GetTextContentsAsync(audio));
    }

    private static Task<IReadOnlyList<Microsoft.SemanticKernel.TextContent>> DescribeAddressAsync(ToyChat chat, string kind)
    {
        var address = new Uri("https://example.org/file");
        return kind == "image"
            ? chat.Services.GetRequiredService<IImageToTextService>().GetTextContentsAsync(new ImageContent(address))
            : chat.Services.GetRequiredService<IAudioToTextService>().GetTextContentsAsync(new AudioContent(address));
    }

    private static Task<IReadOnlyList<Microsoft.SemanticKernel.TextContent>> DescribeNothingAsync(
        ToyChat chat, string kind) => kind == "image"
        ? chat.Services.GetRequiredService<IImageToTextService>().GetTextContentsAsync(new ImageContent())
        : chat.Services.GetRequiredService<IAudioToTextService>().GetTextContentsAsync(new AudioContent());
}
