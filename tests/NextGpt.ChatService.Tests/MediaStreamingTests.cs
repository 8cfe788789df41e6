using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.ChatCompletion;
using NextGpt.Media;
using NextGpt.Model;

namespace NextGpt.ChatService.Tests;

/// <summary>Media in a stream: cases 36 to 45 of the connector contract.</summary>
public sealed class MediaStreamingTests
{
    [Fact]
    public async Task Case_39_TRN_8_each_medium_is_one_chunk_with_its_whole_file_kind_and_index()
    {
        using var chat = new ToyChat(
            ScriptedArtist.Create(), builder => builder.Services.AddSingleton<TimeProvider>(new FakeTimeProvider()));
        var settings = new NextGptPromptExecutionSettings { Seed = 11 };

        var chunks = await ToyChat.CollectAsync(chat.Service.GetStreamingChatMessageContentsAsync(Question(), settings));
        var whole = await chat.AskAsync(Question(), settings);

        var media = chunks.SelectMany(chunk => chunk.Items).OfType<StreamingMediaContent>().ToList();
        Assert.Equal(
            [("image", 0), ("audio", 1), ("video", 2)],
            media.Select(item => ((string)item.Metadata!["MediaKind"]!, (int)item.Metadata["MediaIndex"]!)));
        Assert.All(media, item => Assert.Equal("completed", item.Metadata!["MediaStatus"]));
        Assert.Equal(
            [typeof(ImageContent), typeof(AudioContent), typeof(BinaryContent)], media.Select(item => item.Media.GetType()));
        Assert.Equal(
            whole.Items.Skip(1).Cast<BinaryContent>().Select(item => item.Data!.Value.ToArray()),
            media.Select(item => item.ToByteArray()));
        Assert.Equal(
            whole.Items.Skip(1).Select(item => item.Metadata!["TextOffset"]),
            media.Select(item => item.Metadata!["TextOffset"]));
        Assert.IsType<Picture>((await chat.Files.ReadAsync(media[0].ToByteArray())).Medium);
        Assert.Equal(whole.Content, string.Concat(chunks));
    }

    [Fact]
    public async Task Case_39_a_medium_is_told_from_start_to_end_around_words_that_do_not_wait_for_it()
    {
        using var chat = new ToyChat(ScriptedArtist.Create());

        var updates = await ToyChat.CollectAsync(chat.Client.GetStreamingResponseAsync(
            [new ChatMessage(ChatRole.User, "Hello")],
            new ChatOptions { AdditionalProperties = new() { ["modalities"] = new[] { "text", "image" } } }));

        Assert.Equal(
            ["Look", "started", " here", "progress", "completed", ".", "end"],
            updates.Select(update => update.FinishReason is not null ? "end"
                : update.Text.Length > 0 ? update.Text
                : update.AdditionalProperties!["MediaStatus"]));
        Assert.All(updates.Skip(1).Where(update => update.AdditionalProperties?.ContainsKey("MediaStatus") == true), update =>
        {
            Assert.Equal("image", update.AdditionalProperties!["MediaKind"]);
            Assert.Equal(0, update.AdditionalProperties["MediaIndex"]);
        });
        Assert.Equal(0.5, updates[3].AdditionalProperties!["MediaProgress"]);
        Assert.Empty(updates[1].Contents);
        Assert.Empty(updates[3].Contents);
        Assert.Single(updates.Select(update =>
            (update.ResponseId, update.MessageId, update.Role, update.ModelId)).Distinct());
    }

    [Fact]
    public async Task Case_39_an_answer_that_begins_with_a_medium_says_seed_and_adapter_at_once()
    {
        using var chat = new ToyChat(ScriptedArtist.Create());
        var settings = new NextGptPromptExecutionSettings { Seed = 3, Adapter = "warm", Modalities = ["image"] };

        var chunks = await ToyChat.CollectAsync(chat.Service.GetStreamingChatMessageContentsAsync(Question(), settings));

        Assert.Equal("started", chunks[0].Metadata!["MediaStatus"]);
        Assert.Equal(3L, chunks[0].Metadata!["Seed"]);
        Assert.Equal("warm", chunks[0].Metadata!["Adapter"]);
    }

    [Fact]
    public async Task Case_38_a_joined_stream_with_media_equals_the_whole_answer()
    {
        using var chat = new ToyChat(
            ScriptedArtist.Create(), builder => builder.Services.AddSingleton<TimeProvider>(new FakeTimeProvider()));
        ChatMessage[] messages = [new(ChatRole.User, "Hello")];

        var whole = await chat.AskAsync(messages);
        var joined = await chat.AskAsync(messages, streaming: true);

        Assert.Equal(whole.Text, joined.Text);
        Assert.Equal(
            Assert.Single(whole.Messages).Contents.OfType<DataContent>().Select(content => content.Data.ToArray()),
            Assert.Single(joined.Messages).Contents.OfType<DataContent>().Select(content => content.Data.ToArray()));
        Assert.Equal(whole.FinishReason, joined.FinishReason);
        Assert.Equal(whole.Usage!.TotalTokenCount, joined.Usage!.TotalTokenCount);
        Assert.Equal(whole.Usage.AdditionalCounts, joined.Usage.AdditionalCounts);
    }

    [Fact]
    public async Task Case_40_progress_is_told_at_most_twice_a_second_and_only_onwards()
    {
        var time = new FakeTimeProvider();
        using var chat = new ToyChat(
            new ScriptedGenerator((request, _) => DrawAsync(request, time)) { Abilities = ModelAbilities.AnyToAny },
            builder => builder.Services.AddSingleton<TimeProvider>(time));

        var shares = await chat.Client.GetStreamingResponseAsync("Draw")
            .Where(update => Equals(update.AdditionalProperties?.GetValueOrDefault("MediaStatus"), "progress"))
            .Select(update => (double)update.AdditionalProperties!["MediaProgress"]!).ToListAsync();

        // A hundred steps of 50 ms are five seconds.
        Assert.InRange(shares.Count, 8, 11);
        Assert.Equal(shares.Distinct().Order(), shares);
        Assert.All(shares, share => Assert.InRange(share, 0, 1));

        static async IAsyncEnumerable<GenerationEvent> DrawAsync(GenerationRequest request, FakeTimeProvider time)
        {
            await Task.Yield();
            yield return ScriptedGenerator.Started(request);
            yield return new MediaBegun(0, MediaKind.Image);
            for (var step = 1; step <= 100; step++)
            {
                time.Advance(TimeSpan.FromMilliseconds(50));
                yield return new MediaProgressed(0, MediaKind.Image, step == 70 ? 0.1 : step / 100.0);   // once it falls back
            }

            yield return ScriptedArtist.Make(MediaKind.Image, 0, new MediaOptions(), 1);
            yield return ScriptedGenerator.Finished(request, GenerationFinishReason.Stop, 4);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Case_40_TRN_4_a_medium_that_fails_does_not_end_the_stream(bool whileWriting)
    {
        const string Reason = "The sound did not fit into memory; ask for a shorter one.";
        using var chat = new ToyChat(
            new ScriptedGenerator((request, _) => TryAsync(request)) { Abilities = ModelAbilities.AnyToAny });
        if (whileWriting)
        {
            chat.Files.WriteFailure = new MediaException(MediaProblem.Unsupported, Reason);
        }

        var updates = await ToyChat.CollectAsync(chat.Client.GetStreamingResponseAsync("Sing"));

        Assert.Equal("Listen: there.", string.Concat(updates));
        var failed = Assert.Single(
            updates, update => Equals(update.AdditionalProperties?.GetValueOrDefault("MediaStatus"), "failed"));
        var error = Assert.IsType<ErrorContent>(Assert.Single(failed.Contents));
        Assert.Equal(Reason, error.Message);
        Assert.Equal("media_failed", error.ErrorCode);
        Assert.Equal("audio", error.Details);
        Assert.Equal(0, failed.AdditionalProperties!["MediaIndex"]);
        Assert.Equal(ChatFinishReason.Stop, updates[^1].FinishReason);

        var chunks = await ToyChat.CollectAsync(chat.Service.GetStreamingChatMessageContentsAsync(Question()));
        var chunk = Assert.Single(chunks, chunk => Equals(chunk.Metadata!.GetValueOrDefault("MediaStatus"), "failed"));
        Assert.Empty(chunk.Items);
        Assert.Equal(Reason, chunk.Metadata!["MediaError"]);
        Assert.Equal("stop", chunks[^1].Metadata!["FinishReason"]);

        var whole = await chat.AskAsync(Question());
        Assert.Equal("Listen: there.", whole.Content);
        Assert.Single(whole.Items);
        Assert.Single(((ChatResponse)whole.InnerContent!).Messages[0].Contents.OfType<ErrorContent>());

        // And the dialogue goes on from there.
        var history = Question();
        history.Add(whole);
        history.AddUserMessage("Again?");
        await chat.AskAsync(history);
        await chat.AskAsync([.. ((ChatResponse)whole.InnerContent!).Messages, new ChatMessage(ChatRole.User, "Again?")]);

        async IAsyncEnumerable<GenerationEvent> TryAsync(GenerationRequest request)
        {
            await Task.Yield();
            yield return ScriptedGenerator.Started(request);
            yield return new TextGenerated("Listen:");
            yield return new MediaBegun(0, MediaKind.Audio);
            yield return whileWriting
                ? ScriptedArtist.Make(MediaKind.Audio, 0, new MediaOptions(), 1)
                : new MediaFailed(0, MediaKind.Audio, Reason);
            yield return new TextGenerated(" there.");
            yield return ScriptedGenerator.Finished(request, GenerationFinishReason.Stop, 6);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Case_42_cancelled_while_denoising_it_ends_and_the_model_is_free(bool streaming)
    {
        using var cancellation = new CancellationTokenSource();
        using var chat = new ToyChat(
            new ScriptedGenerator((request, token) => DenoiseAsync(request, token)) { Abilities = ModelAbilities.AnyToAny });

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => streaming
            ? ToyChat.CollectAsync(chat.Client.GetStreamingResponseAsync("Draw", null, cancellation.Token))
            : chat.Client.GetResponseAsync("Draw", null, cancellation.Token));
        Assert.Single(chat.Model.Requests);
        Assert.Equal(0, chat.Model.Running);

        async IAsyncEnumerable<GenerationEvent> DenoiseAsync(
            GenerationRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await Task.Yield();
            yield return ScriptedGenerator.Started(request);
            yield return new MediaBegun(0, MediaKind.Image);
            yield return new MediaProgressed(0, MediaKind.Image, 0.1);
            await cancellation.CancelAsync();
            await Task.Delay(Timeout.Infinite, cancellationToken);   // ends only because the token reached the model
        }
    }

    [Fact]
    public async Task Case_42_cancelled_while_a_file_is_written_the_writing_ends_too()
    {
        using var cancellation = new CancellationTokenSource();
        var writer = new SlowWriter(cancellation);
        using var chat = new ToyChat(
            ScriptedArtist.Create(), builder => builder.Services.AddSingleton<IMediaWriter>(writer));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => chat.Client.GetResponseAsync("Draw", null, cancellation.Token));
        Assert.True(writer.Stopped);
        Assert.Equal(0, chat.Model.Running);
    }

    [Fact]
    public async Task Case_43_a_reader_who_leaves_at_the_first_news_of_a_medium_stops_the_work()
    {
        using var chat = new ToyChat(ScriptedArtist.Create());

        await foreach (var update in chat.Client.GetStreamingResponseAsync("Draw"))
        {
            if (update.AdditionalProperties?.ContainsKey(AnswerMetadata.MediaStatus) == true)
            {
                break;
            }
        }

        Assert.Equal(0, chat.Model.Running);
    }

    [Fact]
    public async Task Case_44_news_of_a_medium_that_was_never_begun_is_an_error_not_a_guess()
    {
        using var chat = new ToyChat(
            new ScriptedGenerator((request, _) => ConfusedAsync(request)) { Abilities = ModelAbilities.AnyToAny });

        var thrown = await Assert.ThrowsAsync<InvalidOperationException>(() => chat.Client.GetResponseAsync("Draw"));
        Assert.Contains("medium 3 (image)", thrown.Message, StringComparison.Ordinal);

        static async IAsyncEnumerable<GenerationEvent> ConfusedAsync(GenerationRequest request)
        {
            await Task.Yield();
            yield return ScriptedGenerator.Started(request);
            yield return new MediaProgressed(3, MediaKind.Image, 0.5);
        }
    }

    [Fact]
    public async Task Case_45_a_kernel_streams_media_in_chunks_and_updates_and_says_nothing_of_them_in_strings()
    {
        using var chat = new ToyChat(ScriptedArtist.Create());

        var text = string.Concat(await ToyChat.CollectAsync(chat.Kernel.InvokePromptStreamingAsync<string>("Hello")));
        Assert.Equal("Look here and here and here.", text);

        var chunks = await ToyChat.CollectAsync(
            chat.Kernel.InvokePromptStreamingAsync<StreamingChatMessageContent>("Hello"));
        Assert.Equal(3, chunks.SelectMany(chunk => chunk.Items).OfType<StreamingMediaContent>().Count());

        var updates = await ToyChat.CollectAsync(chat.Kernel.InvokePromptStreamingAsync<ChatResponseUpdate>("Hello"));
        Assert.Equal(3, updates.SelectMany(update => update.Contents).OfType<DataContent>().Count());
    }

    private static ChatHistory Question() => new("Show me an apple", AuthorRole.User);

    private sealed class SlowWriter(CancellationTokenSource leave) : IMediaWriter
    {
        public bool Stopped { get; private set; }

        public async Task<MediaFile> WriteAsync(
            Medium medium, GenerationMark? mark, CancellationToken cancellationToken = default)
        {
            await leave.CancelAsync();
            try
            {
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }
            finally
            {
                Stopped = true;
            }

            throw new InvalidOperationException();
        }
    }
}
