using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.ChatCompletion;
using NextGpt.Model;

namespace NextGpt.ChatService.Tests;

/// <summary>Streaming: cases 36 to 45 of the connector contract, as far as text goes.</summary>
public sealed class StreamingTests
{
    private static readonly string[] Pieces = ["Grü", "ße, ", "👩‍👩‍👧", " und ", "Ж."];

    [Fact]
    public async Task Case_36_every_chunk_has_role_model_and_inner_content_and_the_text_is_the_whole_answers()
    {
        using var chat = ToyChat.Saying(Pieces);

        var chunks = await ToyChat.CollectAsync(chat.Service.GetStreamingChatMessageContentsAsync(Question()));

        Assert.Equal(Pieces.Length + 1, chunks.Count);
        Assert.All(chunks, chunk =>
        {
            Assert.Equal(AuthorRole.Assistant, chunk.Role);
            Assert.Equal("toy-1b", chunk.ModelId);
            Assert.Equal(0, chunk.ChoiceIndex);
            Assert.IsType<ChatResponseUpdate>(chunk.InnerContent);
            Assert.NotEmpty(Assert.IsType<string>(chunk.Metadata!["Id"]));
        });
        Assert.Equal(Pieces, chunks.SkipLast(1).Select(
            chunk => Assert.IsType<StreamingTextContent>(Assert.Single(chunk.Items)).Text));
        Assert.Equal((await chat.AskAsync(Question())).Content, string.Concat(chunks));
        Assert.Empty(chunks[^1].Items);
    }

    [Fact]
    public async Task Case_37_exactly_one_chunk_has_finish_reason_and_usage_and_it_is_the_last()
    {
        using var chat = ToyChat.Saying(Pieces);

        var chunks = await ToyChat.CollectAsync(chat.Service.GetStreamingChatMessageContentsAsync(Question()));
        Assert.Same(chunks[^1], Assert.Single(chunks, chunk => chunk.Metadata!.ContainsKey("FinishReason")));
        Assert.Same(chunks[^1], Assert.Single(chunks, chunk => chunk.Metadata!.ContainsKey("Usage")));
        Assert.Equal("stop", chunks[^1].Metadata!["FinishReason"]);
        Assert.Equal(Pieces.Length, Assert.IsType<UsageDetails>(chunks[^1].Metadata!["Usage"]).OutputTokenCount);

        var updates = await ToyChat.CollectAsync(chat.Client.GetStreamingResponseAsync(Messages()));
        Assert.Same(updates[^1], Assert.Single(updates, update => update.FinishReason is not null));
        Assert.Same(updates[^1], Assert.Single(updates, update => update.Contents.OfType<UsageContent>().Any()));
        Assert.Single(updates
            .Select(update => (update.ResponseId, update.MessageId, update.Role, update.ModelId)).Distinct());
        Assert.NotNull(updates[0].ResponseId);
        Assert.NotNull(updates[0].MessageId);
    }

    [Fact]
    public async Task Case_37_the_first_chunk_already_says_seed_and_adapter()
    {
        using var chat = ToyChat.Saying(Pieces);
        var settings = new NextGptPromptExecutionSettings { Seed = 3, Adapter = "warm" };

        var chunks = await ToyChat.CollectAsync(
            chat.Service.GetStreamingChatMessageContentsAsync(Question(), settings));

        foreach (var chunk in new[] { chunks[0], chunks[^1] })
        {
            Assert.Equal(3L, chunk.Metadata![AnswerMetadata.Seed]);
            Assert.Equal("warm", chunk.Metadata![AnswerMetadata.Adapter]);
            Assert.Equal("toy-1b+warm", chunk.ModelId);
        }
    }

    [Fact]
    public async Task Case_38_the_joined_stream_equals_the_whole_answer_and_continues_the_dialogue()
    {
        using var chat = ToyChat.Saying(Pieces);

        var whole = await chat.AskAsync(Messages());
        var updates = await ToyChat.CollectAsync(chat.Client.GetStreamingResponseAsync(Messages()));
        var joined = updates.ToChatResponse();

        Assert.Equal(whole.Text, joined.Text);
        Assert.Equal(whole.Messages[0].Contents.Count, joined.Messages[0].Contents.Count);
        Assert.Equal(whole.FinishReason, joined.FinishReason);
        Assert.Equal(whole.ModelId, joined.ModelId);
        Assert.Equal(whole.Usage!.TotalTokenCount, joined.Usage!.TotalTokenCount);
        Assert.Equal(
            whole.Messages[0].AdditionalProperties!.OrderBy(property => property.Key),
            joined.Messages[0].AdditionalProperties!.OrderBy(property => property.Key));

        List<ChatMessage> dialogue = [.. Messages()];
        dialogue.AddMessages(updates);
        dialogue.Add(new ChatMessage(ChatRole.User, "And then?"));
        await chat.AskAsync(dialogue);
        Assert.Equal(
            ["Hello", string.Concat(Pieces), "And then?"], chat.Model.Asked.Messages.Select(ScriptedGenerator.Text));
    }

    [Fact]
    public async Task Case_39_a_medium_that_a_client_streams_arrives_whole_as_a_chunk_of_its_own()
    {
        byte[] picture = [0x89, 0x50, 0x4E, 0x47, 1, 2, 3];
        var services = new ServiceCollection();
        services.AddNextGptChatCompletion("painter", new PaintingClient(picture));
        await using var provider = services.BuildServiceProvider();
        var service = provider.GetRequiredService<IChatCompletionService>();

        var chunks = await ToyChat.CollectAsync(service.GetStreamingChatMessageContentsAsync(Question()));
        var media = Assert.IsType<StreamingMediaContent>(Assert.Single(chunks[1].Items));
        Assert.Equal(picture, media.ToByteArray());
        Assert.Equal("", media.ToString());
        Assert.Equal("image/png", Assert.IsType<ImageContent>(media.Media).MimeType);
        Assert.Equal("Look:", string.Concat(chunks));

        var whole = await service.GetChatMessageContentAsync(Question());
        Assert.Equal("Look:", whole.Content);
        Assert.Equal(picture, Assert.IsType<ImageContent>(whole.Items[1]).Data!.Value.ToArray());
        Assert.Throws<ArgumentNullException>("media", () => new StreamingMediaContent(null!));
    }

    [Fact]
    public async Task Case_41_pieces_leave_as_they_came_so_that_no_character_is_torn()
    {
        using var chat = ToyChat.Saying(Pieces);

        var texts = (await ToyChat.CollectAsync(chat.Client.GetStreamingResponseAsync(Messages())))
            .Select(update => update.Text).Where(text => text.Length > 0).ToList();

        Assert.Equal(Pieces, texts);
        Assert.All(texts, text => Assert.DoesNotContain('\uFFFD', text));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Case_42_cancelled_before_the_start_the_model_is_not_asked(bool streaming)
    {
        using var chat = ToyChat.Saying("Hi.");
        var cancelled = new CancellationToken(canceled: true);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => AskAsync(chat, streaming, cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => AskKernelAsync(chat, streaming, cancelled));
        Assert.Empty(chat.Model.Requests);
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 0)]
    [InlineData(false, 2)]
    [InlineData(true, 2)]
    public async Task Case_42_cancelled_before_the_first_token_or_between_tokens_it_ends_and_the_model_is_free(
        bool streaming, int afterPieces)
    {
        using var cancellation = new CancellationTokenSource();
        using var chat = new ToyChat(new ScriptedGenerator(
            (request, token) => CancelAfterAsync(request, afterPieces, cancellation, token)));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => AskAsync(chat, streaming, cancellation.Token));
        Assert.Single(chat.Model.Requests);
        Assert.Equal(0, chat.Model.Running);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Case_42_a_model_that_ignores_the_token_is_left_at_its_next_event(bool streaming)
    {
        using var cancellation = new CancellationTokenSource();
        var spoken = 0;
        using var chat = new ToyChat(new ScriptedGenerator((request, _) => DeafAsync(request)));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => AskAsync(chat, streaming, cancellation.Token));
        Assert.Equal(3, spoken);
        Assert.Equal(0, chat.Model.Running);

        async IAsyncEnumerable<GenerationEvent> DeafAsync(GenerationRequest request)
        {
            yield return ScriptedGenerator.Started(request);
            while (spoken < 100)
            {
                await Task.Yield();
                if (++spoken == 3)
                {
                    await cancellation.CancelAsync();
                }

                yield return new TextGenerated("on and ");
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Case_43_a_reader_who_leaves_stops_the_work(int after)
    {
        var spoken = 0;
        using var chat = new ToyChat(new ScriptedGenerator((request, _) => EndlessAsync(request)));

        var seen = 0;
        await foreach (var update in chat.Client.GetStreamingResponseAsync(Messages()))
        {
            if (++seen == after)
            {
                break;
            }
        }

        Assert.Equal(after, spoken);
        Assert.Equal(0, chat.Model.Running);

        seen = spoken = 0;
        await foreach (var chunk in chat.Kernel.InvokePromptStreamingAsync("Hello"))
        {
            if (++seen == after)
            {
                break;
            }
        }

        Assert.Equal(after, spoken);
        Assert.Equal(0, chat.Model.Running);

        async IAsyncEnumerable<GenerationEvent> EndlessAsync(GenerationRequest request)
        {
            yield return ScriptedGenerator.Started(request);
            while (true)
            {
                await Task.Yield();
                spoken++;
                yield return new TextGenerated("on ");
            }
        }
    }

    [Fact]
    public async Task Case_44_an_error_before_the_first_chunk_is_thrown_there_and_one_later_after_what_was_sent()
    {
        var before = 0;
        using var chat = new ToyChat(new ScriptedGenerator((request, _) => FailAsync(request, before)));
        foreach (var pieces in new[] { 0, 2 })
        {
            before = pieces;
            List<string> kept = [];
            var thrown = await Assert.ThrowsAsync<IOException>(async () =>
            {
                await foreach (var chunk in chat.Service.GetStreamingChatMessageContentsAsync(Question()))
                {
                    kept.Add(chunk.Content!);
                }
            });
            Assert.Equal("The weights went away.", thrown.Message);
            Assert.Equal(Enumerable.Repeat("word ", pieces), kept);
            await Assert.ThrowsAsync<IOException>(() => chat.AskAsync(Question()));
            Assert.Equal(0, chat.Model.Running);
        }

        static async IAsyncEnumerable<GenerationEvent> FailAsync(GenerationRequest request, int after)
        {
            await Task.Yield();
            yield return ScriptedGenerator.Started(request);
            for (var i = 0; i < after; i++)
            {
                yield return new TextGenerated("word ");
            }

            throw new IOException("The weights went away.");
        }
    }

    [Fact]
    public async Task Case_44_a_model_that_ends_without_an_end_is_an_error_not_half_an_answer()
    {
        using var chat = new ToyChat(new ScriptedGenerator((request, _) => BreakOffAsync(request)));

        await Assert.ThrowsAsync<InvalidOperationException>(() => chat.AskAsync(Messages()));
        await Assert.ThrowsAsync<InvalidOperationException>(() => chat.AskAsync(Messages(), streaming: true));

        static async IAsyncEnumerable<GenerationEvent> BreakOffAsync(GenerationRequest request)
        {
            await Task.Yield();
            yield return ScriptedGenerator.Started(request);
            yield return new TextGenerated("Well");
        }
    }

    [Fact]
    public async Task Case_45_a_kernel_streams_strings_chunks_and_updates()
    {
        using var chat = ToyChat.Saying(Pieces);

        var strings = await ToyChat.CollectAsync(chat.Kernel.InvokePromptStreamingAsync<string>("Hello"));
        Assert.Equal([.. Pieces, ""], strings);

        var chunks = await ToyChat.CollectAsync(
            chat.Kernel.InvokePromptStreamingAsync<StreamingChatMessageContent>("Hello"));
        Assert.Equal([.. Pieces, null], chunks.Select(chunk => chunk.Content));
        Assert.Equal("stop", chunks[^1].Metadata!["FinishReason"]);

        var updates = await ToyChat.CollectAsync(chat.Kernel.InvokePromptStreamingAsync<ChatResponseUpdate>("Hello"));
        Assert.Equal(string.Concat(Pieces), updates.ToChatResponse().Text);
        Assert.Equal(ChatFinishReason.Stop, updates[^1].FinishReason);
    }

    private static ChatHistory Question() => new("Hello", AuthorRole.User);

    private static ChatMessage[] Messages() => [new(ChatRole.User, "Hello")];

    private static Task AskAsync(ToyChat chat, bool streaming, CancellationToken cancellationToken) =>
        streaming
            ? ToyChat.CollectAsync(chat.Client.GetStreamingResponseAsync(Messages(), null, cancellationToken))
            : chat.Client.GetResponseAsync(Messages(), null, cancellationToken);

    private static Task AskKernelAsync(ToyChat chat, bool streaming, CancellationToken cancellationToken) =>
        streaming
            ? ToyChat.CollectAsync(
                chat.Service.GetStreamingChatMessageContentsAsync(Question(), null, chat.Kernel, cancellationToken))
            : chat.Service.GetChatMessageContentsAsync(Question(), null, chat.Kernel, cancellationToken);

    private static async IAsyncEnumerable<GenerationEvent> CancelAfterAsync(
        GenerationRequest request, int pieces, CancellationTokenSource cancellation,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.Yield();
        yield return ScriptedGenerator.Started(request);
        for (var i = 0; i < pieces; i++)
        {
            yield return new TextGenerated("word ");
        }

        await cancellation.CancelAsync();
        await Task.Delay(Timeout.Infinite, cancellationToken);   // ends only because the token reached the model
    }

    private sealed class PaintingClient(byte[] picture) : IChatClient
    {
        public Task<ChatResponse> GetResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null,
            CancellationToken cancellationToken = default) =>
            GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

        public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null,
            [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            await Task.Yield();
            yield return new ChatResponseUpdate(ChatRole.Assistant, "Look:");
            yield return new ChatResponseUpdate(ChatRole.Assistant, [new DataContent(picture, "image/png")]);
            yield return new ChatResponseUpdate(ChatRole.Assistant, []) { FinishReason = ChatFinishReason.Stop };
        }

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }
}
