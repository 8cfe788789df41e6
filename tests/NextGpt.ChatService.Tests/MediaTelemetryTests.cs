using System.Diagnostics;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.ChatCompletion;
using NextGpt.Media;
using NextGpt.Model;
using AIText = Microsoft.Extensions.AI.TextContent;

namespace NextGpt.ChatService.Tests;

/// <summary>What telemetry, logs and memory keep of media: cases 64, 65 and 67 of the connector contract.</summary>
public sealed class MediaTelemetryTests
{
    [Fact]
    public async Task Case_64_media_are_counted_and_timed_by_kind()
    {
        var model = "toy-" + Guid.NewGuid().ToString("N");
        var time = new FakeTimeProvider();
        using var instruments = new Instruments(model, name => name == "NextGpt.Model");
        using var chat = new ToyChat(
            new ScriptedGenerator((request, _) => DrawAsync(request)) { ModelId = model, Abilities = ModelAbilities.AnyToAny },
            builder => builder.Services.AddSingleton<TimeProvider>(time));

        await chat.Client.GetResponseAsync("Draw");

        Assert.Equal([1.0, 1.0], Values("nextgpt.media.rendered"));
        Assert.Equal([3.0, 5.0], Values("nextgpt.media.duration").Order());
        Assert.Equal(["audio", "image"], instruments.Measured
            .Where(measured => measured.Name == "nextgpt.media.rendered")
            .Select(measured => measured.Tags["nextgpt.media.kind"]).Order());

        IEnumerable<double> Values(string name) =>
            instruments.Measured.Where(measured => measured.Name == name).Select(measured => measured.Value);

        async IAsyncEnumerable<GenerationEvent> DrawAsync(GenerationRequest request)
        {
            await Task.Yield();
            yield return ScriptedGenerator.Started(request);
            yield return new MediaBegun(0, MediaKind.Image);
            time.Advance(TimeSpan.FromSeconds(2));
            yield return new MediaBegun(1, MediaKind.Audio);
            time.Advance(TimeSpan.FromSeconds(3));
            yield return ScriptedArtist.Make(MediaKind.Image, 0, new MediaOptions(), 1);
            yield return ScriptedArtist.Make(MediaKind.Audio, 1, new MediaOptions(), 1);
            yield return new MediaBegun(2, MediaKind.Video);
            yield return new MediaFailed(2, MediaKind.Video, "No room.");   // not made, not counted
            yield return ScriptedGenerator.Finished(request, GenerationFinishReason.Stop, 12);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Case_65_no_byte_of_a_medium_reaches_a_span_or_a_log_line_even_where_content_is_asked_for(bool streaming)
    {
        var model = "toy-" + Guid.NewGuid().ToString("N");
        using var instruments = new Instruments(model, name => name is "NextGpt.Chat" or "Unguarded");
        using var logs = new RememberedLogs(LogLevel.Trace);
        using var chat = new ToyChat(
            new ScriptedGenerator(ScriptedArtist.AnswerAsync) { ModelId = model, Abilities = ModelAbilities.AnyToAny },
            builder => builder.Services.AddSingleton<ILoggerFactory>(logs));
        var question = TestMedia.Png(seed: 99);
        ChatMessage[] messages =
            [new(ChatRole.User, [new AIText("What is this?"), new DataContent(question, "image/png")])];

        var answer = await chat.AskAsync(messages, streaming: streaming);
        var history = new ChatHistory();
        history.Add(new ChatMessageContent(AuthorRole.User, [new ImageContent(question, "image/png")]));
        await chat.AskAsync(history, streaming: streaming);

        List<string> planted =
        [
            Telltale(question), .. answer.Messages[0].Contents.OfType<DataContent>().Select(content => Telltale(content.Data.Span)),
        ];
        Assert.Equal(4, planted.Count);
        Assert.NotEmpty(instruments.Spans);
        Assert.DoesNotContain(instruments.Spans, Reveals);
        Assert.DoesNotContain(logs.Lines, line => planted.Any(bytes => line.Contains(bytes, StringComparison.Ordinal)));

        // At Trace a medium stands as type, size and hash (rule 26).
        Assert.Contains(logs.Lines, line => line.Contains($"image/png, {question.Length} bytes, sha256 ", StringComparison.Ordinal));

        // And the watch works: a client that leaves the choice to the environment does tell.
        using var unguarded = chat.Client.GetRequiredService<NextGptChatClient>()
            .AsBuilder().UseOpenTelemetry(sourceName: "Unguarded").Build();
        await unguarded.GetResponseAsync(messages);
        Assert.Contains(instruments.Spans, Reveals);

        bool Reveals(Activity span) =>
            span.TagObjects.Concat(span.Events.SelectMany(happened => happened.Tags))
                .Any(tag => planted.Any(bytes => tag.Value?.ToString()?.Contains(bytes, StringComparison.Ordinal) == true));
    }

    [Fact]
    public async Task Case_67_two_hundred_turns_with_media_leave_the_memory_flat()
    {
        using var chat = new ToyChat(ScriptedArtist.Create());
        var settings = new NextGptPromptExecutionSettings { Modalities = ["text", "image", "video"], ImageWidth = 256, ImageHeight = 256 };
        await TurnsAsync(20);
        var before = HeldBytes();

        await TurnsAsync(200);

        // One answer holds a picture of 200 kB; keeping any tenth of them would show.
        Assert.InRange(HeldBytes() - before, long.MinValue, 2_000_000);
        Assert.Equal(0, chat.Model.Running);

        async Task TurnsAsync(int count)
        {
            for (var i = 0; i < count; i++)
            {
                var history = new ChatHistory();
                history.Add(new ChatMessageContent(AuthorRole.User, [new ImageContent(TestMedia.Png(64, 64), "image/png")]));
                await chat.AskAsync(history, settings, streaming: i % 2 == 0);
                chat.Model.Requests.Clear();
                if (i % 10 == 0)
                {
                    await foreach (var update in chat.Client.GetStreamingResponseAsync("Draw"))
                    {
                        break;
                    }
                }
            }
        }

        static long HeldBytes()
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return GC.GetTotalMemory(forceFullCollection: true);
        }
    }

    /// <summary>A piece from the middle of a file's base64.</summary>
    private static string Telltale(ReadOnlySpan<byte> file) => Convert.ToBase64String(file)[120..180];
}
