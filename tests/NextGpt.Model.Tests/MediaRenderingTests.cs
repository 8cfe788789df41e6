using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using NextGpt.Media;
using NextGpt.Model.Decoders;
using NextGpt.Model.Language;
using NextGpt.Model.Packages;
using NextGpt.Model.Projections;
using NextGpt.Model.Tests.Language;
using NextGpt.Model.Weights;
using static TorchSharp.torch;

namespace NextGpt.Model.Tests;

/// <summary>What happens around decoders: failing, stopping, telling, resting.</summary>
public sealed class MediaRenderingTests
{
    private static readonly ITokenizer Tokenizer = TokenizerGolden.ByteBpe("smollm2");
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task TRN_4_a_decoder_that_fails_loses_its_medium_and_the_reply_goes_on()
    {
        var (thread, picture, sound) = Both();
        await using var owner = thread;
        picture.BeforeStep = _ => throw new InvalidDataException("/secret/path is damaged");

        var events = await Ask(thread, Everything);

        var failed = events.OfType<MediaFailed>().Single();
        Assert.Equal((0, MediaKind.Image), (failed.Index, failed.Kind));
        Assert.Equal("The picture could not be made; the log says why.", failed.Reason);
        Assert.Equal(1, events.OfType<MediaGenerated>().Single().Index);
        Assert.IsType<GenerationFinished>(events[^1]);
        Assert.Equal(4, ((GenerationFinished)events[^1]).Media!.DenoisingSteps);
    }

    [Fact]
    public async Task Cancelling_stops_within_one_denoising_step_and_the_thread_serves_the_next_request()
    {
        var (thread, picture, _) = Both();
        await using var owner = thread;
        using var stop = new CancellationTokenSource();
        picture.BeforeStep = step =>
        {
            if (step == 1)
            {
                stop.Cancel();
            }
        };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Ask(thread, Everything, stop.Token));
        await Ask(thread, Everything with { Media = new() { Forbidden = [MediaKind.Image, MediaKind.Audio] } });

        Assert.Equal(2, picture.Steps);   // the one in which it was cancelled is the last
    }

    [Fact]
    public async Task Progress_is_told_at_most_twice_a_second()
    {
        var (thread, picture, _) = Both();
        await using var owner = thread;
        picture.BeforeStep = _ => _time.Advance(TimeSpan.FromMilliseconds(200));

        var events = await Ask(thread, Everything with { Media = new() { Required = [MediaKind.Image], ImageSteps = 20, Forbidden = [MediaKind.Audio] } });

        var shares = events.OfType<MediaProgressed>().Select(progress => progress.Share).ToList();
        Assert.Equal(6, shares.Count);   // 4 seconds, every third step of 200 ms, the last step not
        Assert.Equal(shares.Order(), shares);
    }

    [Fact]
    public async Task A_decoder_rests_and_is_let_go_after_a_while()
    {
        var (thread, picture, sound) = Both();
        await using var owner = thread;
        await Ask(thread, Everything);
        Assert.True(picture.IsLoaded && sound.IsLoaded);

        _time.Advance(TimeSpan.FromMinutes(9));
        await Ask(thread, Everything with { Media = new() { Required = [MediaKind.Audio], Forbidden = [MediaKind.Image] } });
        _time.Advance(TimeSpan.FromMinutes(2));
        await thread.LoadAsync(cancellationToken: TestContext.Current.CancellationToken);   // behind whatever the timer queued

        Assert.False(picture.IsLoaded);
        Assert.True(sound.IsLoaded);
        _time.Advance(TimeSpan.FromMinutes(11));
        await thread.LoadAsync(cancellationToken: TestContext.Current.CancellationToken);
        Assert.False(sound.IsLoaded);
    }

    [Fact]
    public async Task Where_memory_is_short_another_decoder_makes_room()
    {
        var (thread, picture, sound) = Both(freeBytes: 500);
        await using var owner = thread;

        await Ask(thread, Everything);

        Assert.False(picture.IsLoaded);
        Assert.True(sound.IsLoaded);
    }

    [Fact]
    public async Task A_decoder_that_runs_out_of_memory_tries_once_more_alone_and_then_says_so()
    {
        var (thread, picture, sound) = Both();
        await using var owner = thread;
        var tries = 0;
        sound.BeforeStep = _ => _ = ++tries == 1 ? throw new InsufficientMemoryException() : 0;

        var first = await Ask(thread, Everything);
        sound.BeforeStep = _ => throw new InsufficientMemoryException();
        var second = await Ask(thread, Everything);

        Assert.Equal(2, first.OfType<MediaGenerated>().Count());
        Assert.Equal("The sound did not fit into memory; try a smaller one, or later.", second.OfType<MediaFailed>().Single().Reason);
    }

    private static GenerationRequest Everything => new()
    {
        Messages = [PromptMessage.Of(PromptRole.User, "hi")],
        Media = new() { Required = [MediaKind.Image, MediaKind.Audio] },
        MaxTokens = 40,
        Seed = 3,
    };

    private (ModelThread Thread, FakeDecoder Picture, FakeDecoder Sound) Both(long freeBytes = long.MaxValue)
    {
        var tokens = new TokenPart
        {
            Added = ["~p0~", "~p1~", "~s0~"],
            Signals = new Dictionary<MediaKind, IReadOnlyList<string>> { [MediaKind.Image] = ["~p0~", "~p1~"], [MediaKind.Audio] = ["~s0~"] },
        };
        var picture = new FakeDecoder(MediaKind.Image);
        var sound = new FakeDecoder(MediaKind.Audio);
        var engine = new ToyEngine(Tokenizer.VocabularySize + 3, read => read.Count % 5 == 0 ? 2 : 30);
        MediaOutput Output(FakeDecoder decoder) => new(
            new OutputPart { Kind = decoder.Kind, Decoder = "d", Projection = "p", Steps = 4, GuidanceScale = 2 },
            decoder,
            () => new OutputProjection(new OutputProjectionConfig { InputSize = engine.HiddenSize, OutputSize = 8, Queries = 1, HiddenSize = 8, IntermediateSize = 8, Heads = 2 }),
            sizeBytes: 1_000);
        var thread = new ModelThread(
            "toy", "the toy box", new ModelOptions(), (_, _) => new LoadedModel
            {
                Engine = engine,
                Tokenizer = Tokenizer,
                Template = new ChatMlTemplate(),
                ContextTokens = 512,
                Defaults = new ModelDefaults(new SamplingOptions { Temperature = 0 }, ""),
                Media = new NextGptModel(
                    SignalTokens.Resolve(tokens, Tokenizer, Tokenizer.VocabularySize), null, [Output(picture), Output(sound)], false, _time,
                    () => freeBytes),
            },
            _time, NullLogger<ModelThread>.Instance);
        return (thread, picture, sound);
    }

    private static async Task<List<GenerationEvent>> Ask(ModelThread thread, GenerationRequest request, CancellationToken cancellationToken = default)
    {
        var events = new List<GenerationEvent>();
        await foreach (var generationEvent in thread.GenerateAsync(request, cancellationToken))
        {
            events.Add(generationEvent);
        }

        return events;
    }

    /// <summary>Takes steps and gives an empty medium; stands for seconds of denoising.</summary>
    private sealed class FakeDecoder(MediaKind kind) : IDiffusionDecoder
    {
        public MediaKind Kind => kind;

        public IReadOnlyList<long> ConditioningShape => kind == MediaKind.Audio ? [8] : [1, 8];

        public RenderDefaults Defaults { get; } = new();

        public Device Device => CPU;

        public bool IsLoaded { get; private set; }

        public bool ReadsText => true;

        public int Steps { get; private set; }

        public Action<int> BeforeStep { get; set; } = _ => { };

        public Tensor Encode(IReadOnlyList<string> prompts) => throw new InvalidOperationException("Nobody asks for words here.");

        public IReadOnlyList<Medium> Render(
            Tensor conditioning, Tensor? negative, RenderOptions options, IProgress<double>? progress = null,
            CancellationToken cancellationToken = default)
        {
            LoadNetworks();
            Assert.Equal([1, .. ConditioningShape], conditioning.shape);
            for (var step = 0; step < options.Steps; step++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                Steps++;
                BeforeStep(step);
                progress?.Report((step + 1.0) / options.Steps.Value);
            }

            return kind == MediaKind.Audio
                ? [new AudioClip { Channels = [new float[16]], SampleRateHz = 16_000 }]
                : [new Picture(1, 1, new byte[3])];
        }

        public void LoadNetworks() => IsLoaded = true;

        public void OffLoad() => IsLoaded = false;

        public void Save(string folder, SafetensorsType type = SafetensorsType.F16)
        {
            // It has nothing to write.
        }

        public void Dispose() => OffLoad();
    }
}
