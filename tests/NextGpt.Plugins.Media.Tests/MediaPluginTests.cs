using Microsoft.Extensions.DependencyInjection;
using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.ChatCompletion;
using NextGpt.ChatService.Tests;
using NextGpt.Media;
using NextGpt.Model;

namespace NextGpt.Plugins.Media.Tests;

/// <summary>The functions draw, sound, film and describe over the real services and a scripted model (SKP-3).</summary>
public sealed class MediaPluginTests
{
    private const string PluginName = "media";

    [Fact]
    public void SKP_3_every_function_and_parameter_says_what_it_is_for()
    {
        var plugin = Create(ScriptedArtist.Create()).Plugins[PluginName];

        Assert.Equal(["describe", "draw", "film", "sound"], plugin.Select(function => function.Name).Order());
        Assert.All(plugin, function =>
        {
            Assert.InRange(function.Description.Length, 60, 260);
            Assert.NotEmpty(function.Metadata.ReturnParameter.Description);
            Assert.All(function.Metadata.Parameters, parameter => Assert.InRange(parameter.Description.Length, 10, 150));
        });
        Assert.Equal(
            ["describe(file, question?)", "draw(description, seed?)", "film(description, seed?)", "sound(description, seed?)"],
            plugin.OrderBy(function => function.Name).Select(function =>
                $"{function.Name}({string.Join(", ", function.Metadata.Parameters.Select(
                    parameter => parameter.IsRequired ? parameter.Name : parameter.Name + "?"))})"));
    }

    [Fact]
    public void The_assembly_knows_Semantic_Kernels_abstractions_and_nothing_of_ours()
    {
        var references = typeof(MediaPlugin).Assembly.GetReferencedAssemblies().Select(assembly => assembly.Name!);

        Assert.Equal(
            ["Microsoft.SemanticKernel.Abstractions"],
            references.Where(name => !name.StartsWith("System", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("draw", MediaKind.Image, "image/png", typeof(ImageContent))]
    [InlineData("sound", MediaKind.Audio, "audio/wav", typeof(AudioContent))]
    [InlineData("film", MediaKind.Video, "video/mp4", typeof(BinaryContent))]
    public async Task SKP_3_a_medium_comes_back_as_content_with_its_file(
        string function, MediaKind kind, string type, Type content)
    {
        var model = ScriptedArtist.Create();
        var kernel = Create(model);

        var result = await kernel.InvokeAsync(
            PluginName, function, new() { ["description"] = "a red apple", ["seed"] = "12" });

        var medium = Assert.IsAssignableFrom<BinaryContent>(result.GetValue<object>());
        Assert.Equal(content, medium.GetType());
        Assert.Equal(type, medium.MimeType);
        Assert.Equal(kind, (await new TestMedia().ReadAsync(medium.Data!.Value)).Medium.Kind);
        Assert.Equal(12L, medium.Metadata!["Seed"]);
        Assert.Equal([kind], model.Asked.Media!.Required);
        Assert.False(model.Asked.Media.Text);
        Assert.Equal(12, model.Asked.Seed);
        Assert.Equal([new TextPart("a red apple")], Assert.Single(model.Asked.Messages).Parts);
    }

    [Theory]
    [InlineData("draw")]
    [InlineData("sound")]
    [InlineData("film")]
    public async Task A_blank_description_is_refused_before_the_model_is_asked(string function)
    {
        var model = ScriptedArtist.Create();

        var thrown = await Assert.ThrowsAsync<ArgumentException>(
            () => Create(model).InvokeAsync(PluginName, function, new() { ["description"] = " " }));
        Assert.StartsWith("The description is empty", thrown.Message, StringComparison.Ordinal);
        Assert.Empty(model.Requests);
    }

    [Theory]
    [InlineData("photo.png", null, MediaKind.Image, "What is in this picture?")]
    [InlineData("PHOTO.png ", "What colour is it?", MediaKind.Image, "What colour is it?")]
    [InlineData("bark.wav", "", MediaKind.Audio, "What do you hear?")]
    [InlineData("run.mp4", null, MediaKind.Video, "What happens in this clip?")]
    public async Task SKP_3_a_file_of_the_conversation_is_described_by_its_name(
        string file, string? question, MediaKind kind, string asked)
    {
        var model = Describer();
        var kernel = WithFiles(Create(model));

        var words = await kernel.InvokeAsync<string>(
            PluginName, "describe", new() { ["file"] = file, ["question"] = question });

        Assert.Equal("A red apple.", words);
        var parts = Assert.Single(model.Asked.Messages).Parts;
        Assert.Equal(kind, Assert.IsType<MediaPart>(parts[0]).Medium.Kind);
        Assert.Equal(new TextPart(asked), parts[1]);
        Assert.Equal(Enum.GetValues<MediaKind>(), model.Asked.Media!.Forbidden);
    }

    [Fact]
    public async Task A_file_that_is_not_there_is_answered_with_those_that_are()
    {
        var model = Describer();
        var kernel = Create(model);

        Assert.Equal(
            "No file is attached to this conversation; ask the person to attach one.", await DescribeAsync(kernel));
        Assert.Equal(
            "There is no file called \"cat.jpg\"; there are: photo.png, bark.wav, run.mp4.",
            await DescribeAsync(WithFiles(kernel)));
        Assert.Empty(model.Requests);

        static Task<string?> DescribeAsync(Kernel kernel) =>
            kernel.InvokeAsync<string>(PluginName, "describe", new() { ["file"] = "cat.jpg" });
    }

    [Fact]
    public void A_file_without_bytes_or_name_is_not_attached()
    {
        var kernel = new Kernel();

        Assert.Throws<ArgumentException>("name", () => AttachedFiles.Attach(kernel, " ", new ImageContent(TestMedia.Png(), "image/png")));
        Assert.Throws<ArgumentException>(
            "file", () => AttachedFiles.Attach(kernel, "cat.png", new ImageContent(new Uri("https://example.org/cat.png"))));
        Assert.Empty(AttachedFiles.Of(kernel));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task SKP_3_a_model_draws_by_calling_and_does_not_call_itself(bool streaming)
    {
        var model = Painter();
        var kernel = Create(model);
        var settings = new PromptExecutionSettings { FunctionChoiceBehavior = FunctionChoiceBehavior.Auto() };
        var history = new ChatHistory("Draw me an apple", AuthorRole.User);
        var chat = kernel.GetRequiredService<IChatCompletionService>();

        var text = streaming
            ? string.Concat(await chat.GetStreamingChatMessageContentsAsync(history, settings, kernel).ToListAsync())
            : (await chat.GetChatMessageContentAsync(history, settings, kernel)).Content;

        Assert.Equal("Here is your apple.", text);
        var requests = model.Requests.ToList();
        Assert.Equal(3, requests.Count);
        Assert.Contains("media_draw", ScriptedGenerator.Text(requests[0].Messages[0]), StringComparison.Ordinal);
        Assert.Equal("an apple", ScriptedGenerator.Text(Assert.Single(requests[1].Messages)));   // no tools in there
        var result = requests[2].Messages[^1];
        Assert.Equal(MediaKind.Image, Assert.Single(result.Parts.OfType<MediaPart>()).Medium.Kind);
        Assert.InRange(ScriptedGenerator.Text(result).Length, 20, 200);   // no base64

        // Whoever shows the answer finds the picture in the history.
        var shown = history.SelectMany(message => message.Items).OfType<FunctionResultContent>().Select(item => item.Result);
        Assert.IsType<ImageContent>(Assert.Single(shown));
    }

    [Fact]
    public async Task The_services_of_a_key_can_be_chosen()
    {
        var builder = Builder(ScriptedGenerator.Saying("never asked"));
        builder.Services.AddKeyedSingleton<IGenerator>("large", ScriptedArtist.Create());
        builder.AddNextGpt("large", "artist");
        builder.Plugins.AddFromObject(new MediaPlugin("artist"), PluginName);

        var image = await builder.Build().InvokeAsync<ImageContent>(PluginName, "draw", new() { ["description"] = "an apple" });
        Assert.NotNull(image!.Data);
    }

    [Fact]
    public async Task Cancelling_ends_the_work()
    {
        var model = ScriptedArtist.Create();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Create(model).InvokeAsync(
            PluginName, "film", new() { ["description"] = "a ball" }, new CancellationToken(canceled: true)));
        Assert.Equal(0, model.Running);
    }

    private static Kernel Create(ScriptedGenerator model)
    {
        var builder = Builder(model);
        builder.AddNextGpt("toy");
        builder.Plugins.AddFromType<MediaPlugin>(PluginName);
        return builder.Build();
    }

    private static IKernelBuilder Builder(ScriptedGenerator model)
    {
        var builder = Kernel.CreateBuilder();
        var files = new TestMedia();
        builder.Services.AddSingleton<IGenerator>(model).AddSingleton<IMediaReader>(files).AddSingleton<IMediaWriter>(files);
        return builder;
    }

    private static Kernel WithFiles(Kernel kernel)
    {
        AttachedFiles.Attach(kernel, "photo.png", new ImageContent(TestMedia.Png(), "image/png"));
        AttachedFiles.Attach(kernel, "bark.wav", new AudioContent(TestMedia.Wav(), "audio/wav"));
        AttachedFiles.Attach(kernel, "run.mp4", new BinaryContent(TestMedia.Mp4(), "video/mp4"));
        return kernel;
    }

    private static ScriptedGenerator Describer() => new(
        (request, _) => ScriptedGenerator.Speak(request, ["A red ", "apple."]))
    { Abilities = ModelAbilities.AnyToAny };

    private static ScriptedGenerator Painter()
    {
        var answers = new Queue<string>(
            ["""<tool_call>{"name": "media_draw", "arguments": {"description": "an apple"}}</tool_call>""", "Here is your apple."]);
        return new ScriptedGenerator((request, token) => request.Media?.Required.Count > 0
            ? ScriptedArtist.AnswerAsync(request, token)
            : ScriptedGenerator.Speak(request, [answers.Dequeue()]))
        {
            Abilities = ModelAbilities.AnyToAny,
        };
    }
}
