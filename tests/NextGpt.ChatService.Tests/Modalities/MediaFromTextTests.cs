using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.Services;
using Microsoft.SemanticKernel.TextToAudio;
using Microsoft.SemanticKernel.TextToImage;
using NextGpt.Media;
using NextGpt.Model;
using KernelText = Microsoft.SemanticKernel.TextContent;

namespace NextGpt.ChatService.Tests.Modalities;

/// <summary>Pictures and sounds from words: cases 58 to 60 of the connector contract.</summary>
public sealed class MediaFromTextTests
{
    [Fact]
    public async Task Case_58_a_picture_comes_in_the_size_that_the_settings_ask_for()
    {
        using var chat = new ToyChat(ScriptedArtist.Create());
        var service = chat.Services.GetRequiredService<ITextToImageService>();
        var settings = new NextGptPromptExecutionSettings
        {
            ImageWidth = 32,
            ImageHeight = 24,
            ImageSteps = 9,
            ImageGuidance = 3,
            Seed = 4,
            FunctionChoiceBehavior = FunctionChoiceBehavior.Auto(),
        };
        settings.Freeze();

        var images = await service.GetImageContentsAsync(new KernelText("a red apple"), settings, chat.Kernel);

        var image = Assert.Single(images);
        Assert.Equal("image/png", image.MimeType);
        var picture = Assert.IsType<Picture>((await chat.Files.ReadAsync(image.Data!.Value)).Medium);
        Assert.Equal((32, 24), (picture.Width, picture.Height));
        Assert.Equal(32, image.Metadata!["Width"]);
        Assert.Equal(24, image.Metadata["Height"]);
        Assert.Equal(4L, image.Metadata["Seed"]);
        Assert.Equal(9, image.Metadata["Steps"]);
        Assert.Equal(3.0, image.Metadata["GuidanceScale"]);
        Assert.Equal("toy", service.GetModelId());

        var asked = chat.Model.Asked;
        Assert.Equal([new TextPart("a red apple")], Assert.Single(asked.Messages).Parts);
        Assert.Equal([MediaKind.Image], asked.Media!.Required);
        Assert.False(asked.Media.Text);
    }

    [Fact]
    public async Task Case_58_null_and_blank_input_throw_and_so_do_settings_that_ask_for_something_else()
    {
        using var chat = new ToyChat(ScriptedArtist.Create());
        var service = chat.Services.GetRequiredService<ITextToImageService>();

        await Assert.ThrowsAsync<ArgumentNullException>("input", () => service.GetImageContentsAsync(null!));
        await Assert.ThrowsAsync<ArgumentNullException>(
            "input", () => service.GetImageContentsAsync(new KernelText(null)));
        await Assert.ThrowsAsync<ArgumentException>("input", () => service.GetImageContentsAsync(new KernelText("  ")));
        await Assert.ThrowsAsync<ArgumentException>(() => AskAsync(new() { Modalities = ["audio"] }));
        await Assert.ThrowsAsync<ArgumentException>(() => AskAsync(new() { ForbiddenModalities = ["image"] }));
        await Assert.ThrowsAsync<ArgumentException>(() => AskAsync(new() { ImageWidth = 100_000 }));
        await Assert.ThrowsAsync<NotSupportedException>(() => AskAsync(new() { ResponseFormat = "url" }));
        Assert.Empty(chat.Model.Requests);

        Assert.Single(await AskAsync(new() { Modalities = ["image"], ResponseFormat = "image/png" }));

        Task<IReadOnlyList<ImageContent>> AskAsync(NextGptPromptExecutionSettings settings) =>
            service.GetImageContentsAsync(new KernelText("a red apple"), settings);
    }

    [Fact]
    public async Task Case_58_a_picture_that_cannot_be_made_is_an_error_with_its_reason()
    {
        using var textOnly = ToyChat.Saying("Hi.");
        await Assert.ThrowsAsync<NotSupportedException>(() => textOnly.Services
            .GetRequiredService<ITextToImageService>().GetImageContentsAsync(new KernelText("a red apple")));

        using var chat = new ToyChat(ScriptedArtist.Create());
        chat.Files.WriteFailure = new MediaException(MediaProblem.Unsupported, "The disk is full.");
        var thrown = await Assert.ThrowsAsync<InvalidOperationException>(() => chat.Services
            .GetRequiredService<ITextToImageService>().GetImageContentsAsync(new KernelText("a red apple")));
        Assert.Equal("It could not be made: The disk is full.", thrown.Message);
    }

    [Fact]
    public async Task Case_59_one_picture_and_several_each_with_its_own_seed()
    {
        using var chat = new ToyChat(ScriptedArtist.Create());
        var generator = chat.Services.GetRequiredService<IImageGenerator>();

        var one = await generator.GenerateImagesAsync("a red apple");
        var picture = Assert.IsType<DataContent>(Assert.Single(one.Contents));
        Assert.Equal("image/png", picture.MediaType);
        Assert.IsType<Picture>((await chat.Files.ReadAsync(picture.Data)).Medium);
        Assert.Equal(ScriptedArtist.Signals, one.Usage!.OutputTokenCount);

        var three = await generator.GenerateImagesAsync("a red apple", new ImageGenerationOptions
        {
            Count = 3,
            ImageSize = new System.Drawing.Size(24, 40),
            MediaType = "image/png",
            ResponseFormat = ImageGenerationResponseFormat.Data,
            AdditionalProperties = new() { ["seed"] = 20, ["image_steps"] = "6" },
        });
        Assert.Equal([20L, 21L, 22L], chat.Model.Requests.TakeLast(3).Select(request => request.Seed));
        Assert.Equal(3, three.Contents.Cast<DataContent>().Select(content => Convert.ToBase64String(content.Data.Span)).Distinct().Count());
        Assert.All(three.Contents, content => Assert.Equal(
            (24, 40, 6),
            (content.AdditionalProperties!["Width"], content.AdditionalProperties["Height"], content.AdditionalProperties["Steps"])));
        Assert.Equal(3 * ScriptedArtist.Signals, three.Usage!.OutputTokenCount);
    }

    [Fact]
    public async Task Case_59_a_picture_is_edited_by_showing_it_before_the_words()
    {
        using var chat = new ToyChat(ScriptedArtist.Create());
        var generator = chat.Services.GetRequiredService<IImageGenerator>();

        var edited = await generator.EditImageAsync(new DataContent(TestMedia.Png(seed: 8), "image/png"), "make it green");

        Assert.Single(edited.Contents);
        var parts = Assert.Single(chat.Model.Asked.Messages).Parts;
        Assert.Equal(TestMedia.PictureOf(16, 16, 8).Pixels, ((Picture)((MediaPart)parts[0]).Medium).Pixels);
        Assert.Equal(new TextPart("make it green"), parts[1]);
    }

    [Fact]
    public async Task Case_59_what_is_not_offered_throws_and_names_itself()
    {
        using var chat = new ToyChat(ScriptedArtist.Create());
        var generator = chat.Services.GetRequiredService<IImageGenerator>();

        foreach (var (options, name) in new (ImageGenerationOptions, string)[]
        {
            (new() { MediaType = "image/jpeg" }, "image/jpeg"),
            (new() { ResponseFormat = ImageGenerationResponseFormat.Uri }, "Uri"),
            (new() { StreamingCount = 2 }, "StreamingCount"),
            (new() { ModelId = "dall-e" }, "dall-e"),
            (new() { AdditionalProperties = new() { ["quality"] = "hd" } }, "quality"),
            (new() { RawRepresentationFactory = _ => "something else" }, "RawRepresentationFactory"),
        })
        {
            var thrown = await Assert.ThrowsAsync<NotSupportedException>(
                () => generator.GenerateImagesAsync("a red apple", options));
            Assert.Contains(name, thrown.Message, StringComparison.Ordinal);
        }

        foreach (var count in new[] { 0, 5 })
        {
            await Assert.ThrowsAsync<ArgumentException>(
                () => generator.GenerateImagesAsync("a red apple", new() { Count = count }));
        }

        await Assert.ThrowsAsync<ArgumentException>(
            () => generator.GenerateImagesAsync("a red apple", new() { ImageSize = new System.Drawing.Size(5_000, 64) }));
        await Assert.ThrowsAsync<ArgumentException>(() => generator.GenerateAsync(new ImageGenerationRequest(" ")));
        await Assert.ThrowsAsync<ArgumentNullException>("request", () => generator.GenerateAsync(null!));
        Assert.Empty(chat.Model.Requests);
    }

    [Fact]
    public async Task Case_59_typed_settings_come_by_the_factory_and_services_reach_through()
    {
        using var chat = new ToyChat(ScriptedArtist.Create());
        var generator = chat.Services.GetRequiredService<IImageGenerator>();
        var settings = new NextGptPromptExecutionSettings { ImageGuidance = 2, Seed = 6 };
        settings.Freeze();

        await generator.GenerateImagesAsync("a red apple", new() { RawRepresentationFactory = _ => settings });

        Assert.Equal(2, chat.Model.Asked.Media!.ImageGuidance);
        Assert.Equal(6, chat.Model.Asked.Seed);
        var metadata = generator.GetRequiredService<ImageGeneratorMetadata>();
        Assert.Equal(("nextgpt", "toy-1b"), (metadata.ProviderName, metadata.DefaultModelId));
        Assert.Same(generator, generator.GetService<IImageGenerator>());
        Assert.NotNull(generator.GetService<NextGptChatClient>());
        Assert.Null(generator.GetService(typeof(IImageGenerator), "key"));
        Assert.Throws<ArgumentNullException>("serviceType", () => generator.GetService(null!));
    }

    [Fact]
    public async Task Case_60_a_sound_comes_as_wav_in_the_length_that_the_settings_ask_for()
    {
        using var chat = new ToyChat(ScriptedArtist.Create());
        var service = chat.Services.GetRequiredService<ITextToAudioService>();

        var sounds = await service.GetAudioContentsAsync(
            "a dog barks twice", new NextGptPromptExecutionSettings { AudioSeconds = 1.5, AudioSteps = 8, ResponseFormat = "wav" });

        var sound = Assert.Single(sounds);
        Assert.Equal("audio/wav", sound.MimeType);
        Assert.Equal("RIFF"u8.ToArray(), sound.Data!.Value[..4].ToArray());
        var clip = WaveFile.Read(sound.Data.Value.Span);
        Assert.Equal(16_000, clip.SampleRateHz);
        Assert.Equal(1.5, clip.Duration.TotalSeconds);
        Assert.Equal(1.5, sound.Metadata!["DurationSeconds"]);
        Assert.Equal(8, sound.Metadata["Steps"]);
        Assert.Equal([MediaKind.Audio], chat.Model.Asked.Media!.Required);
        Assert.False(chat.Model.Asked.Media.Text);
    }

    [Fact]
    public async Task Case_60_another_format_a_voice_and_blank_text_throw()
    {
        using var chat = new ToyChat(ScriptedArtist.Create());
        var service = chat.Services.GetRequiredService<ITextToAudioService>();

        foreach (var (name, value) in new[] { ("response_format", "mp3"), ("voice", "alloy"), ("speed", "2") })
        {
            var settings = new PromptExecutionSettings { ExtensionData = new Dictionary<string, object> { [name] = value } };
            var thrown = await Assert.ThrowsAsync<NotSupportedException>(
                () => service.GetAudioContentsAsync("a dog barks", settings));
            Assert.Contains(name, thrown.Message, StringComparison.Ordinal);
        }

        await Assert.ThrowsAsync<ArgumentException>("text", () => service.GetAudioContentsAsync(" "));
        await Assert.ThrowsAsync<ArgumentNullException>("text", () => service.GetAudioContentsAsync(null!));
        Assert.Empty(chat.Model.Requests);
    }

    [Fact]
    public async Task Case_59_a_chat_that_draws_by_a_tool_uses_the_generator()
    {
        // M.E.AI's own decorator turns its drawing tool into a function over an IImageGenerator.
        using var artist = new ToyChat(ScriptedArtist.Create());
        using var chat = new ToyChat(ScriptedGenerator.InTurn(
            """<tool_call>{"name": "GenerateImage", "arguments": {"prompt": "a red apple"}}</tool_call>""", "Here it is."));
        var generator = artist.Services.GetRequiredService<IImageGenerator>();
        using var client = chat.Client.AsBuilder().UseImageGeneration(generator).Build();

        var answer = await client.GetResponseAsync("Draw an apple", new ChatOptions { Tools = [new HostedImageGenerationTool()] });

        Assert.Equal([new TextPart("a red apple")], artist.Model.Asked.Messages[^1].Parts);
        Assert.Contains("Here it is.", answer.Text, StringComparison.Ordinal);
    }
}
