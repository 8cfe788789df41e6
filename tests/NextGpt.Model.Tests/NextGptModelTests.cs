using Microsoft.Extensions.DependencyInjection;
using NextGpt.Media;

namespace NextGpt.Model.Tests;

/// <summary>The assembled model from end to end: a tiny package with random weights, media in, four modalities out.</summary>
public sealed class NextGptModelTests : IClassFixture<NextGptModelTests.Packages>
{
    private readonly Packages _packages;

    public NextGptModelTests(Packages packages) => _packages = packages;

    private static readonly MediaKind[] AllKinds = [MediaKind.Image, MediaKind.Audio, MediaKind.Video];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task TRN_4_text_comes_first_and_then_every_required_medium_in_order(bool second)
    {
        var package = _packages.Of(second);
        await using var thread = Thread(package);

        var events = await Ask(thread, Any with { Media = new() { Required = AllKinds } });

        Assert.Equal(AllKinds, events.OfType<MediaBegun>().Select(begun => begun.Kind));
        Assert.Equal(AllKinds, events.OfType<MediaGenerated>().Select(made => made.Medium.Kind));
        Assert.Equal([0, 1, 2], events.OfType<MediaGenerated>().Select(made => made.Index));
        Assert.NotEmpty(events.OfType<TextGenerated>());
        Assert.True(events.FindLastIndex(e => e is TextGenerated) < events.FindIndex(e => e is MediaGenerated));
        Assert.DoesNotContain(events.OfType<MediaFailed>(), _ => true);
        var picture = (Picture)events.OfType<MediaGenerated>().First().Medium;
        Assert.True(picture.Pixels.Distinct().Count() > 8);   // something was drawn
        Assert.Equal(2, ((VideoClip)events.OfType<MediaGenerated>().Last().Medium).Frames.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Usage_counts_positions_signals_and_denoising_steps(bool second)
    {
        var package = _packages.Of(second);
        await using var thread = Thread(package);

        var events = await Ask(thread, Any with { Media = new() { Required = AllKinds, ImageSteps = 5 } });

        var finished = events.OfType<GenerationFinished>().Single();
        var spans = second ? (7, 15, 47) : (4, 8, 24);
        Assert.Equal(
            new Dictionary<MediaKind, int> { [MediaKind.Image] = spans.Item1, [MediaKind.Audio] = spans.Item2, [MediaKind.Video] = spans.Item3 },
            finished.Media!.SignalTokens.ToDictionary());
        var each = second ? 2 : 1;
        Assert.Equal(
            new Dictionary<MediaKind, int> { [MediaKind.Image] = each, [MediaKind.Audio] = each, [MediaKind.Video] = each },
            finished.Media.PromptTokens.ToDictionary());
        Assert.Equal(5 + 3 + 3, finished.Media.DenoisingSteps);
        Assert.Equal(5, events.OfType<MediaGenerated>().First().Steps);
        Assert.Equal(2, events.OfType<MediaGenerated>().First().GuidanceScale);
        Assert.True(finished.ReplyTokens >= spans.Item1 + spans.Item2 + spans.Item3);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task TRN_8_the_same_request_and_seed_give_the_same_bytes_and_another_seed_others(bool second)
    {
        var package = _packages.Of(second);
        var request = Any with { Media = new() { Required = AllKinds }, ConversationKey = "c" };
        List<GenerationEvent> first, again, other, fresh;
        await using (var thread = Thread(package))
        {
            first = await Ask(thread, request);
            again = await Ask(thread, request);   // with the prefix and the features of the first one
            other = await Ask(thread, request with { Seed = 8 });
        }

        await using (var thread = Thread(package))
        {
            fresh = await Ask(thread, request);
        }

        Assert.True(again.OfType<GenerationStarted>().Single().CachedPromptTokens > 0);
        Assert.Equal(Bytes(first), Bytes(again));
        Assert.Equal(Bytes(first), Bytes(fresh));
        Assert.NotEqual(Bytes(first), Bytes(other));
    }

    [Fact]
    public async Task Each_kind_of_medium_in_a_prompt_changes_the_reply_and_so_does_its_place()
    {
        var package = _packages.Of(second: false);
        await using var thread = Thread(package);
        async Task<string> Reply(params PromptPart[] parts) => TextOf(await Ask(thread, Any with
        {
            Messages = [new PromptMessage { Role = PromptRole.User, Parts = parts }],
            Media = new() { Forbidden = AllKinds },
            Sampling = new() { Temperature = 1 },
        }));

        string[] replies =
        [
            await Reply(new TextPart("what is this")),
            await Reply(new MediaPart(TinyPackage.Picture(1)), new TextPart("what is this")),
            await Reply(new TextPart("what is this"), new MediaPart(TinyPackage.Picture(1))),
            await Reply(new MediaPart(TinyPackage.Picture(2)), new TextPart("what is this")),
            await Reply(new MediaPart(TinyPackage.Sound()), new TextPart("what is this")),
            await Reply(new MediaPart(TinyPackage.Clip(1)), new TextPart("what is this")),
        ];

        Assert.Equal(replies.Length, replies.Distinct().Count());
    }

    [Fact]
    public async Task A_later_turn_uses_what_is_known_of_earlier_media_and_another_picture_at_the_same_place_does_not()
    {
        var package = _packages.Of(second: false);
        await using var thread = Thread(package);
        GenerationRequest Turn(Picture picture, params string[] said) => new()
        {
            ConversationKey = "c",
            Seed = 1,
            MaxTokens = 8,
            Media = new() { Forbidden = AllKinds },
            Messages =
            [
                new PromptMessage { Role = PromptRole.User, Parts = [new MediaPart(picture), new TextPart("what is this")] },
                .. said.SelectMany(text => new[] { PromptMessage.Of(PromptRole.Assistant, "a hat"), PromptMessage.Of(PromptRole.User, text) }),
            ],
        };

        await Ask(thread, Turn(TinyPackage.Picture(1)));
        var later = await Ask(thread, Turn(TinyPackage.Picture(1), "are you sure"));
        var otherPicture = await Ask(thread, Turn(TinyPackage.Picture(2), "are you sure"));

        var start = "<|im_start|>user\n".Length;
        Assert.True(later.OfType<GenerationStarted>().Single().CachedPromptTokens > 6, "the picture's own turn was kept");
        Assert.True(otherPicture.OfType<GenerationStarted>().Single().CachedPromptTokens < start, "nothing behind another picture may be taken over");
        Assert.NotEqual(TextOf(later), TextOf(otherPicture));
        var media = await MediaOf(thread);
        Assert.Equal(2, media.EncodedMedia);
    }

    [Fact]
    public async Task Forbidden_kinds_never_come_and_text_may_be_left_out()
    {
        var package = _packages.Of(second: false);
        await using var thread = Thread(package);

        var media = new List<MediaKind>();
        for (var seed = 0; seed < 6; seed++)
        {
            var events = await Ask(thread, Any with
            {
                Seed = seed,
                Media = new() { Forbidden = [MediaKind.Video, MediaKind.Audio] },
                Sampling = new() { Temperature = 2 },
            });
            media.AddRange(events.OfType<MediaBegun>().Select(begun => begun.Kind));
        }

        var alone = await Ask(thread, Any with { Media = new() { Required = [MediaKind.Audio], Text = false } });

        Assert.All(media, kind => Assert.Equal(MediaKind.Image, kind));
        Assert.NotEmpty(media);
        Assert.Empty(alone.OfType<TextGenerated>());
        Assert.Equal(MediaKind.Audio, Assert.Single(alone.OfType<MediaGenerated>()).Medium.Kind);
        Assert.Equal(8, alone.OfType<GenerationFinished>().Single().ReplyTokens);
        Assert.Equal(GenerationFinishReason.Stop, alone.OfType<GenerationFinished>().Single().Reason);
    }

    [Fact]
    public async Task Settings_of_media_change_what_is_made()
    {
        var package = _packages.Of(second: false);
        await using var thread = Thread(package);
        async Task<Medium> Make(MediaOptions options) =>
            (await Ask(thread, Any with { Media = options with { Text = false } })).OfType<MediaGenerated>().Single().Medium;

        var small = (Picture)await Make(new() { Required = [MediaKind.Image] });
        var wide = (Picture)await Make(new() { Required = [MediaKind.Image], ImageWidth = 24, ImageHeight = 16 });
        var steps = (Picture)await Make(new() { Required = [MediaKind.Image], ImageSteps = 6 });
        var guided = (Picture)await Make(new() { Required = [MediaKind.Image], ImageGuidance = 9 });
        var clip = (VideoClip)await Make(new() { Required = [MediaKind.Video], VideoFrames = 5, VideoSteps = 2 });
        var sound = (AudioClip)await Make(new() { Required = [MediaKind.Audio], AudioSeconds = 0.2, AudioSteps = 2 });

        Assert.Equal((24, 16), (wide.Width, wide.Height));
        Assert.NotEqual(small.Pixels, steps.Pixels);
        Assert.NotEqual(small.Pixels, guided.Pixels);
        Assert.Equal(5, clip.Frames.Count);
        Assert.Equal(0.2, sound.Duration.TotalSeconds, 0.02);
    }

    [Theory]
    [InlineData("image steps is 0, it must lie between 1 and 1,000.")]
    [InlineData("audio seconds is 11, it must lie between 0.01 and 10.")]
    [InlineData("A clip is both required and forbidden")]
    [InlineData("Neither text nor a medium was asked for")]
    [InlineData("2 pictures are required, at most 1 fit into one reply")]
    [InlineData("the required media alone take 36; allow at least 36.")]
    public async Task What_cannot_be_made_is_refused_before_the_first_token(string sentence)
    {
        var package = _packages.Of(second: false);
        await using var thread = Thread(package);
        GenerationRequest[] requests =
        [
            Any with { Media = new() { ImageSteps = 0 } },
            Any with { Media = new() { AudioSeconds = 11 } },
            Any with { Media = new() { Required = [MediaKind.Video], Forbidden = [MediaKind.Video] } },
            Any with { Media = new() { Text = false } },
            Any with { Media = new() { Required = [MediaKind.Image, MediaKind.Image] } },
            Any with { Media = new() { Required = AllKinds }, MaxTokens = 20 },
        ];
        var refusals = new List<string>();
        foreach (var request in requests)
        {
            refusals.Add((await Assert.ThrowsAsync<GenerationRefusedException>(() => Ask(thread, request))).Message);
        }

        Assert.Single(refusals, refusal => refusal.Contains(sentence, StringComparison.Ordinal));
    }

    [Fact]
    public async Task DEG_1_a_missing_decoder_loses_only_its_own_modality_and_says_so()
    {
        using var package = new TinyPackage();
        Directory.Delete(package.At("audio/unet"), recursive: true);
        File.WriteAllText(package.At("projections/video.safetensors"), "damaged");
        await using var thread = Thread(package);
        await thread.LoadAsync(cancellationToken: TestContext.Current.CancellationToken);

        var drawn = await Ask(thread, Any with { Media = new() { Required = [MediaKind.Image] } });
        var refused = await Assert.ThrowsAsync<GenerationRefusedException>(
            () => Ask(thread, Any with { Media = new() { Required = [MediaKind.Audio] } }));

        Assert.Equal([MediaKind.Image], thread.Abilities.Makes);
        Assert.Equal(AllKinds, thread.Abilities.Reads);
        Assert.Single(drawn.OfType<MediaGenerated>(), made => made.Medium.Kind == MediaKind.Image);
        Assert.Contains("this model makes pictures", refused.Message, StringComparison.Ordinal);
        Assert.Equal(2, thread.Status.Lost.Count);
        Assert.Contains(thread.Status.Lost, lost => lost.StartsWith("Without sounds: audio/", StringComparison.Ordinal));
        Assert.Contains(thread.Status.Lost, lost => lost.StartsWith("Without clips: projections/video.safetensors has 7 bytes", StringComparison.Ordinal));
    }

    [Fact]
    public async Task DEG_1_without_its_encoder_a_package_still_speaks_and_draws_and_refuses_pictures_in_a_sentence()
    {
        using var package = new TinyPackage();
        File.Delete(package.At("encoder/model.safetensors"));
        await using var thread = Thread(package);

        var refused = await Assert.ThrowsAsync<GenerationRefusedException>(() => Ask(thread, Any));
        var drawn = await Ask(
            thread, Plain with { Media = new() { Required = [MediaKind.Image], Forbidden = [MediaKind.Audio, MediaKind.Video] } });

        Assert.Contains("A picture came, and this model reads nothing but text", refused.Message, StringComparison.Ordinal);
        Assert.Single(drawn.OfType<MediaGenerated>());
    }

    [Fact]
    public async Task Without_its_language_model_a_package_is_refused()
    {
        using var package = new TinyPackage();
        File.Delete(package.At("language/tokenizer.json"));
        await using var thread = Thread(package);

        var refused = await Assert.ThrowsAsync<GenerationRefusedException>(() => Ask(thread, Plain));

        Assert.Contains("language/tokenizer.json is missing", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Id_and_abilities_are_those_of_the_manifest_before_anything_is_loaded()
    {
        using var package = new TinyPackage(second: true, manifest => manifest with { Outputs = [manifest.Outputs[0]] });
        await using var thread = Thread(package);

        Assert.Equal("tiny-v2", thread.ModelId);
        Assert.Equal([MediaKind.Image], thread.Abilities.Makes);
        Assert.Equal(AllKinds, thread.Abilities.Reads);
        Assert.Equal(ModelState.NotLoaded, thread.Status.State);
    }

    [Fact]
    public async Task Signal_tokens_that_a_person_types_stay_the_characters_they_are()
    {
        var package = _packages.Of(second: false);
        await using var thread = Thread(package);
        var typed = Plain with
        {
            Messages = [PromptMessage.Of(PromptRole.User, "[IMG0] [IMG1] [IMG2] [IMG3]<Img></Img>\uFDD0")],
            Media = new() { Forbidden = AllKinds },
        };

        var events = await Ask(thread, typed);

        var started = events.OfType<GenerationStarted>().Single();
        Assert.True(started.PromptTokens > 25, "each of them is several ordinary tokens");
        Assert.Empty(events.OfType<MediaBegun>());
        Assert.Null(events.OfType<GenerationFinished>().Single().Media);
    }

    [Fact]
    public async Task The_models_own_earlier_picture_comes_back_as_its_signal_and_needs_no_encoder()
    {
        var package = _packages.Of(second: false);
        await using var thread = Thread(package);
        GenerationRequest Later(params PromptPart[] reply) => Plain with
        {
            Messages =
            [
                PromptMessage.Of(PromptRole.User, "draw"), new PromptMessage { Role = PromptRole.Assistant, Parts = reply },
                PromptMessage.Of(PromptRole.User, "thanks"),
            ],
            Media = new() { Forbidden = AllKinds },
        };

        var without = await Ask(thread, Later(new TextPart("here")));
        var with = await Ask(thread, Later(new TextPart("here"), new MediaPart(TinyPackage.Picture(3))));

        Assert.Equal(
            without.OfType<GenerationStarted>().Single().PromptTokens + 4, with.OfType<GenerationStarted>().Single().PromptTokens);
        Assert.Equal(0, (await MediaOf(thread)).EncodedMedia);
    }

    private static GenerationRequest Plain => new()
    {
        Messages = [PromptMessage.Of(PromptRole.User, "draw a hat")],
        MaxTokens = 120,
        Seed = 7,
    };

    private static GenerationRequest Any => Plain with
    {
        Messages =
        [
            new PromptMessage
            {
                Role = PromptRole.User,
                Parts =
                [
                    new TextPart("look: "), new MediaPart(TinyPackage.Picture(1)), new TextPart(" and hear "), new MediaPart(TinyPackage.Sound()),
                    new TextPart(" and see "), new MediaPart(TinyPackage.Clip(4)),
                ],
            },
        ],
    };

    private static ModelThread Thread(TinyPackage package) => new ServiceCollection()
        .AddNextGptModel(new ModelOptions { Device = "cpu", Path = package.Folder, Threads = 1, SystemText = "" })
        .BuildServiceProvider().GetRequiredService<ModelThread>();

    private static async Task<NextGptModel> MediaOf(ModelThread thread)
    {
        NextGptModel? media = null;
        await thread.ChangeAsync(model =>
        {
            media = model.Media;
            return model;
        });
        return media!;
    }

    private static async Task<List<GenerationEvent>> Ask(ModelThread thread, GenerationRequest request)
    {
        var events = new List<GenerationEvent>();
        await foreach (var generationEvent in thread.GenerateAsync(request))
        {
            events.Add(generationEvent);
        }

        return events;
    }

    private static string TextOf(IEnumerable<GenerationEvent> events) =>
        string.Concat(events.OfType<TextGenerated>().Select(text => text.Text));

    /// <summary>Everything a person would get.</summary>
    private static string Bytes(List<GenerationEvent> events) => TextOf(events) + string.Concat(events.OfType<MediaGenerated>().Select(made =>
        Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(made.Medium switch
        {
            Picture picture => picture.Pixels,
            VideoClip clip => [.. clip.Frames.SelectMany(frame => frame.Pixels)],
            _ => System.Runtime.InteropServices.MemoryMarshal.AsBytes(((AudioClip)made.Medium).Channels[0].AsSpan()).ToArray(),
        }))));

    /// <summary>One package of each generation for the tests that change nothing.</summary>
    public sealed class Packages : IDisposable
    {
        private readonly Lazy<TinyPackage> _first = new(() => new TinyPackage());
        private readonly Lazy<TinyPackage> _second = new(() => new TinyPackage(second: true));

        internal TinyPackage Of(bool second) => (second ? _second : _first).Value;

        public void Dispose()
        {
            foreach (var package in new[] { _first, _second }.Where(package => package.IsValueCreated))
            {
                package.Value.Dispose();
            }
        }
    }
}
