using Microsoft.Extensions.AI;
using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.ChatCompletion;
using NextGpt.Media;
using NextGpt.Model;

namespace NextGpt.ChatService.Tests.Tools;

/// <summary>Media from tools and around them: case 54 of the connector contract.</summary>
public sealed class MediaToolTests
{
    private const string CallCamera = """<tool_call>{"name": "camera_photo"}</tool_call>""";

    [Theory]
    [InlineData("photo", false)]
    [InlineData("photo", true)]
    [InlineData("data", false)]
    [InlineData("message", false)]
    [InlineData("several", false)]
    public async Task Case_54_a_picture_that_a_tool_returns_is_seen_and_not_spelled(string function, bool streaming)
    {
        using var chat = Chat($$"""<tool_call>{"name": "camera_{{function}}"}</tool_call>""", "Nice.");
        var history = Question();

        var answer = await chat.AskAsync(history, ToolTests.Auto(), streaming);

        Assert.Equal("Nice.", answer.Content);
        var result = chat.Model.Asked.Messages[^1];
        Assert.Equal(PromptRole.Tool, result.Role);
        var seen = result.Parts.OfType<MediaPart>().Select(part => ((Picture)part.Medium).Pixels);
        Assert.Equal(
            Enumerable.Range(1, function == "several" ? 2 : 1).Select(seed => TestMedia.PictureOf(16, 16, seed).Pixels), seen);
        Assert.InRange(ScriptedGenerator.Text(result).Length, 20, 200);   // no base64
        Assert.Contains("camera_" + function, ScriptedGenerator.Text(result), StringComparison.Ordinal);
        Assert.Contains(history, message => message.Role == AuthorRole.Tool);
    }

    [Fact]
    public async Task Case_54_a_picture_for_a_model_that_cannot_see_is_refused_by_name()
    {
        using var chat = new ToyChat(ScriptedGenerator.InTurn(CallCamera, "Nice."), AddCamera);

        var refused = await Assert.ThrowsAsync<MediaRefusedException>(() => chat.AskAsync(Question(), ToolTests.Auto()));
        Assert.Equal("image/png is not supported; send text.", refused.Message);
        Assert.Single(chat.Model.Requests);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Case_54_media_come_out_after_a_tool_round_with_their_place_in_that_rounds_words(bool streaming)
    {
        var round = 0;
        using var chat = new ToyChat(
            new ScriptedGenerator((request, token) => round++ == 0
                ? ScriptedGenerator.Speak(request, ["One moment. ", CallCamera])
                : ScriptedArtist.AnswerAsync(request, token))
            {
                Abilities = ModelAbilities.AnyToAny,
            },
            AddCamera);

        var media = await MediaOfAsync(chat, streaming);

        Assert.Equal(["image", "audio", "video"], media.Select(metadata => metadata["MediaKind"]));
        Assert.Equal([4, 13, 22], media.Select(metadata => metadata["TextOffset"]));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Case_54_a_medium_beside_a_call_keeps_its_place_in_the_words_that_are_left(bool streaming)
    {
        var round = 0;
        using var chat = new ToyChat(
            new ScriptedGenerator((request, _) => round++ == 0
                ? SketchAndCallAsync(request)
                : ScriptedGenerator.Speak(request, ["Nice."]))
            {
                Abilities = ModelAbilities.AnyToAny,
            },
            AddCamera);
        ChatMessage[] messages = [new(ChatRole.User, "Photograph the sky")];
        var options = new ChatOptions { Tools = [AIFunctionFactory.Create(() => "blue", "camera_photo")], ToolMode = ChatToolMode.Auto };

        // The caller who makes no calls itself sees words, calls and media of one round.
        var inner = chat.Client.GetRequiredService<FunctionInvokingChatClient>().GetService<NextGpt.ChatService.Tools.PromptedToolsChatClient>()!;
        var answer = streaming
            ? await inner.GetStreamingResponseAsync(messages, options).ToChatResponseAsync()
            : await inner.GetResponseAsync(messages, options);

        Assert.Equal("First this: and then the camera.", answer.Text);
        var contents = answer.Messages[0].Contents;
        Assert.Equal(2, contents.OfType<Microsoft.Extensions.AI.FunctionCallContent>().Count());
        Assert.Equal(
            ["First this:", "First this: and then the camera."],
            contents.OfType<DataContent>().Select(
                content => answer.Text[..(int)content.AdditionalProperties!["TextOffset"]!]));
        Assert.Equal(ChatFinishReason.ToolCalls, answer.FinishReason);
    }

    private static async IAsyncEnumerable<GenerationEvent> SketchAndCallAsync(GenerationRequest request)
    {
        await Task.Yield();
        yield return ScriptedGenerator.Started(request);
        yield return new TextGenerated("First this:");
        yield return new MediaBegun(0, MediaKind.Image);
        yield return ScriptedArtist.Make(MediaKind.Image, 0, new MediaOptions(), 1);
        yield return new TextGenerated(CallCamera);
        yield return new TextGenerated(" and then the camera.");
        yield return new MediaBegun(1, MediaKind.Image);
        yield return new TextGenerated(CallCamera);
        yield return ScriptedArtist.Make(MediaKind.Image, 1, new MediaOptions(), 2);
        yield return ScriptedGenerator.Finished(request, GenerationFinishReason.Stop, 20);
    }

    private static async Task<List<IReadOnlyDictionary<string, object?>>> MediaOfAsync(ToyChat chat, bool streaming)
    {
        if (!streaming)
        {
            var answer = await chat.AskAsync(Question(), ToolTests.Auto());
            return [.. answer.Items.OfType<BinaryContent>().Select(item => item.Metadata!)];
        }

        var chunks = await ToyChat.CollectAsync(
            chat.Service.GetStreamingChatMessageContentsAsync(Question(), ToolTests.Auto(), chat.Kernel));
        return [.. chunks.SelectMany(chunk => chunk.Items).OfType<StreamingMediaContent>().Select(item => item.Metadata!)];
    }

    private static ToyChat Chat(params string[] answers)
    {
        var turn = -1;
        return new ToyChat(
            new ScriptedGenerator((request, _) => ScriptedGenerator.Speak(
                request, [answers[Math.Min(Interlocked.Increment(ref turn), answers.Length - 1)]]))
            {
                Abilities = ModelAbilities.AnyToAny,
            },
            AddCamera);
    }

    private static ChatHistory Question() => new("Photograph the sky", AuthorRole.User);

    private static void AddCamera(IKernelBuilder builder) => builder.Plugins.AddFromFunctions("camera",
    [
        KernelFunctionFactory.CreateFromMethod(Photo, "photo"),
        KernelFunctionFactory.CreateFromMethod(() => new DataContent(TestMedia.Png(), "image/png"), "data"),
        KernelFunctionFactory.CreateFromMethod(
            () => new ChatMessageContent(AuthorRole.Assistant, [new Microsoft.SemanticKernel.TextContent("Here"), Photo()]),
            "message"),
        KernelFunctionFactory.CreateFromMethod(
            () => new List<KernelContent> { Photo(), new ImageContent(TestMedia.Png(seed: 2), "image/png") }, "several"),
    ]);

    private static ImageContent Photo() => new(TestMedia.Png(), "image/png");
}
