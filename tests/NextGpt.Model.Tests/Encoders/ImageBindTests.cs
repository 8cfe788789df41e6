using NextGpt.Media;
using NextGpt.Model.Decoders;
using NextGpt.Model.Encoders;
using NextGpt.Model.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace NextGpt.Model.Tests.Encoders;

public sealed class ImageBindTests
{
    // The fixture keeps these tokens of the first row.
    private static readonly long[] FirstTokens = [0, 1, 2, 3, 4, 5];
    private const int LastTokens = 3;

    [Fact]
    public void Pictures_equal_the_reference() => CheckEmbedding("image", (network, golden) =>
        network.Embed(MediaKind.Image, Enlarged(golden.Tensor("in.image_28"))));

    [Fact]
    public void Clips_equal_the_reference() => CheckEmbedding("video", (network, golden) =>
        network.Embed(MediaKind.Video, Enlarged(golden.Tensor("in.video_28"))));

    [Fact]
    public void Sounds_equal_the_reference_with_their_scale() => CheckEmbedding("audio", (network, golden) =>
        network.Embed(MediaKind.Audio, golden.Tensor("in.audio_mel")));

    [Fact]
    public void Texts_equal_the_reference_with_their_learned_scale() => CheckEmbedding("text", (network, golden) =>
        network.EmbedText(golden.Tensor("in.text_ids")));

    [Fact]
    public void The_pooled_vector_of_a_sound_is_the_published_one_without_the_scale()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var golden = GoldenFixture.Open("imagebind_tiny");
        using var network = Tiny(golden);

        var pooled = network.Pool(MediaKind.Audio, golden.Tensor("in.audio_mel"));

        golden.AssertClose("out.audio.embedding", pooled * 20, 2e-4, 1e-4);
    }

    [Fact]
    public void Patch_vectors_have_length_one_and_a_picture_shown_as_three_views_keeps_them()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var golden = GoldenFixture.Open("imagebind_tiny");
        using var network = Tiny(golden);
        var picture = Enlarged(golden.Tensor("in.image_28")).narrow(0, 0, 1);
        var still = picture.unsqueeze(1).unsqueeze(3).expand(1, 3, 3, 2, 224, 224);

        var patches = network.Patches(MediaKind.Image, picture);
        var ofStill = network.Patches(MediaKind.Video, still);
        var sound = network.Patches(MediaKind.Audio, golden.Tensor("in.audio_mel"));

        Assert.Equal([1, 256, 16], patches.shape);
        Assert.Equal([1, 228, 16], sound.shape);
        Assert.True(patches.norm(-1).sub(1).abs().max().ToSingle() < 1e-5);
        Assert.True(patches.allclose(ofStill, 1e-4, 1e-5));
        Assert.True(sound.norm(-1).max().ToSingle() <= 1.00001f);   // a mean of two directions
    }

    [Fact]
    public void A_patch_vector_is_what_the_head_makes_of_the_last_block_at_its_place()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var golden = GoldenFixture.Open("imagebind_tiny");
        using var network = Tiny(golden);
        var picture = Enlarged(golden.Tensor("in.image_28"));
        var weights = network.state_dict();
        var block = golden.Tensor("mid.image.trunk.blocks.1");   // tokens 0 to 5, then the last 3

        var patches = network.Patches(MediaKind.Image, picture);

        var normed = nn.functional.layer_norm(
            block, [32], weights["modality_heads.vision.0.weight"], weights["modality_heads.vision.0.bias"], 1e-6);
        var expected = nn.functional.normalize(nn.functional.linear(normed, weights["modality_heads.vision.2.weight"]), 2, -1);
        Assert.True(patches[0].narrow(0, 0, 5).allclose(expected.narrow(0, 1, 5), 1e-4, 1e-5));
        Assert.True(patches[0].narrow(0, 253, 3).allclose(expected.narrow(0, 6, 3), 1e-4, 1e-5));
    }

    [Fact]
    public void A_small_encoder_of_other_sizes_is_the_same_class_and_learns()
    {
        using var scope = NewDisposeScope();
        using var network = new ImageBind(Small);
        network.train();
        var generator = new Generator(5);

        network.Initialise(generator);
        var picture = network.Pool(MediaKind.Image, rand([2, 3, 64, 64], generator: generator));
        var clip = network.Pool(MediaKind.Video, rand([2, 1, 3, 16, 64, 64], generator: generator));
        var sound = network.Pool(MediaKind.Audio, rand([2, 1, 1, 64, 398], generator: generator));
        var loss = (picture * clip).sum() + (picture * sound).sum();
        loss.backward();

        Assert.Equal([2, 32], picture.shape);
        foreach (var (name, weight) in network.named_parameters())
        {
            Assert.True(weight.grad is not null, $"{name} has no gradient");
            Assert.True(weight.grad.abs().sum().ToSingle() > 0 || name.EndsWith("in_proj_bias", StringComparison.Ordinal), name);
        }
    }

    [Fact]
    public void Fresh_weights_are_finite_truncated_and_the_same_for_the_same_seed()
    {
        using var scope = NewDisposeScope();
        using var network = new ImageBind(Small);
        network.Initialise(new Generator(11));
        var first = network.named_parameters().ToDictionary(named => named.name, named => named.parameter.detach().clone());
        network.Initialise(new Generator(11));

        foreach (var (name, weight) in network.named_parameters())
        {
            Assert.True(weight.equal(first[name]).all().item<bool>(), name);
            Assert.True(weight.isfinite().all().item<bool>(), name);
            if (name.EndsWith("mlp.fc1.weight", StringComparison.Ordinal))
            {
                Assert.InRange(weight.std().ToSingle(), 0.016f, 0.019f);   // 0.88 of the deviation is left between its limits
                Assert.True(weight.abs().max().ToSingle() <= 0.0401f);
            }
        }
    }

    [Fact]
    public void Residuals_are_left_out_at_random_in_training_mode_alone()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var network = new ImageBind(Small with { Audio = Small.Audio! with { DropPath = 0.9 } });
        var sounds = randn([8, 1, 1, 64, 398], generator: new Generator(2));

        network.train();
        var dropped = Enumerable.Range(0, 4).Select(_ => network.Pool(MediaKind.Audio, sounds)).ToList();
        network.eval();
        var whole = Enumerable.Range(0, 2).Select(_ => network.Pool(MediaKind.Audio, sounds)).ToList();

        Assert.Contains(dropped, vectors => !vectors.allclose(dropped[0]));
        Assert.True(whole[0].equal(whole[1]).all().item<bool>());
    }

    [Fact]
    public void In_sixteen_bits_the_vectors_point_the_same_way()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var golden = GoldenFixture.Open("imagebind_tiny");
        using var network = Tiny(golden);
        using var narrow = new ImageBind(network.Config, dtype: ScalarType.BFloat16);
        DiffusersWeights.Load(narrow, golden.Model, narrow.CurrentName);
        narrow.eval();
        var picture = Enlarged(golden.Tensor("in.image_28"));

        var pictures = (network.Pool(MediaKind.Image, picture) * narrow.Pool(MediaKind.Image, picture)).sum(-1);
        var sounds = (network.Pool(MediaKind.Audio, golden.Tensor("in.audio_mel"))
            * narrow.Pool(MediaKind.Audio, golden.Tensor("in.audio_mel"))).sum(-1);
        var texts = (network.PoolText(golden.Tensor("in.text_ids")) * narrow.PoolText(golden.Tensor("in.text_ids"))).sum(-1);

        Assert.True(pictures.min().item<float>() > 0.995f);
        Assert.True(sounds.min().item<float>() / network.Pool(MediaKind.Audio, golden.Tensor("in.audio_mel")).square().sum().item<float>() > 0.99f);
        Assert.True(texts.min().item<float>() > 0.99f);
    }

    [Fact]
    public void A_clip_of_fewer_frames_than_the_configuration_takes_the_first_positions()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var network = new ImageBind(Small);
        network.eval();
        var picture = rand([2, 3, 64, 64], generator: new Generator(4));
        var still = picture.unsqueeze(1).unsqueeze(3).expand(2, 1, 3, 2, 64, 64);

        Assert.True(network.Pool(MediaKind.Image, picture).allclose(network.Pool(MediaKind.Video, still), 1e-4, 1e-5));
    }

    [Fact]
    public void Weights_and_configuration_come_back_from_a_folder()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var golden = GoldenFixture.Open("imagebind_tiny");
        var folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            using var network = Tiny(golden);
            network.Save(folder, SafetensorsType.F32);

            using var loaded = ImageBind.Load(folder);

            Assert.Equal(network.Config, loaded.Config);
            Assert.False(loaded.training);
            var picture = Enlarged(golden.Tensor("in.image_28"));
            Assert.True(network.Pool(MediaKind.Image, picture).equal(loaded.Pool(MediaKind.Image, picture)).all().item<bool>());
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    [Fact]
    public void Towers_that_are_left_out_are_neither_built_nor_read()
    {
        using var golden = GoldenFixture.Open("imagebind_tiny");
        var config = ImageBindConfig.Load(golden.PathOf("config.json")) with { Text = null };
        using var network = new ImageBind(config);

        DiffusersWeights.Load(network, golden.Model, network.CurrentName);

        Assert.DoesNotContain(network.state_dict().Keys, name => name.Contains(".text.", StringComparison.Ordinal));
        Assert.Null(network.CurrentName("modality_trunks.depth.blocks.0.norm_1.weight"));
        var refusal = Assert.Throws<ArgumentException>(() => network.PoolText(zeros([1, 77], ScalarType.Int64)));
        Assert.Contains("texts", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_tensor_of_another_shape_is_refused_with_the_expected_one()
    {
        using var scope = NewDisposeScope();
        using var network = new ImageBind(Small);

        var picture = Assert.Throws<ArgumentException>(() => network.Pool(MediaKind.Image, zeros([1, 3, 32, 64])));
        var clip = Assert.Throws<ArgumentException>(() => network.Pool(MediaKind.Video, zeros([1, 2, 3, 18, 64, 64])));
        var sound = Assert.Throws<ArgumentException>(() => network.Patches(MediaKind.Audio, zeros([1, 1, 64, 204])));

        Assert.Contains("[batch, 3, 64, 64]", picture.Message, StringComparison.Ordinal);
        Assert.Contains("[batch, views, 3, 16, 64, 64]", clip.Message, StringComparison.Ordinal);
        Assert.Contains("[batch, views, 1, 64, 398]", sound.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(""" { "vision_embed_dim": 30, "vision_num_blocks": 1, "vision_num_heads": 4 } """, "4 heads")]
    [InlineData(""" { "vision_embed_dim": 32, "vision_num_blocks": 1, "vision_num_heads": 4, "image_size": 225 } """, "225 pixels")]
    [InlineData(""" { "vision_embed_dim": 32, "vision_num_blocks": 1, "vision_num_heads": 4, "kernel_size": [2, 14, 16] } """, "kernel_size")]
    [InlineData(""" { "model_type": "clip" } """, "model_type")]
    [InlineData(""" { } """, "no tower")]
    public void A_configuration_of_no_possible_network_is_refused_by_what_is_wrong(string json, string expected)
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, json);

            var refusal = Assert.Throws<InvalidDataException>(() => ImageBindConfig.Load(file));

            Assert.Contains(expected, refusal.Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void A_call_leaves_no_tensor_behind()
    {
        using var golden = GoldenFixture.Open("imagebind_tiny");
        using var network = Tiny(golden);
        using var noGradient = no_grad();

        void Call()
        {
            using var scope = NewDisposeScope();
            _ = network.Pool(MediaKind.Audio, golden.Tensor("in.audio_mel"));
            _ = network.Patches(MediaKind.Image, Enlarged(golden.Tensor("in.image_28")));
            _ = network.EmbedText(golden.Tensor("in.text_ids"));
        }

        Call();
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Call();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    private static ImageBindConfig Small { get; } = new()
    {
        OutputSize = 32,
        Vision = new ImageBindVisionConfig
        {
            Width = 48,
            Layers = 2,
            Heads = 3,
            ImageSize = 64,
            PatchSize = 8,
            FramesPerClip = 16,
            ClipsPerVideo = 1,
            CropsPerClip = 1,
        },
        Audio = new ImageBindAudioConfig
        {
            Width = 48,
            Layers = 2,
            Heads = 3,
            DropPath = 0,
            MelBins = 64,
            TargetFrames = 398,
            ClipsPerSound = 1,
            ClipSeconds = 4,
        },
    };

    private static ImageBind Tiny(GoldenFixture golden)
    {
        var network = new ImageBind(ImageBindConfig.Load(golden.PathOf("config.json")));
        DiffusersWeights.Load(network, golden.Model, network.CurrentName);
        network.eval();
        return network;
    }

    private static Tensor Enlarged(Tensor pixels) => pixels.repeat_interleave(8, -1).repeat_interleave(8, -2);

    private static void CheckEmbedding(string kind, Func<ImageBind, GoldenFixture, Tensor> embed)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var golden = GoldenFixture.Open("imagebind_tiny");
        using var network = Tiny(golden);
        using var watch = Watch(golden, network, kind);

        var embedding = embed(network, golden);

        golden.AssertClose($"out.{kind}.embedding", embedding);
        golden.AssertRecordedClose();
    }

    private static GoldenFixture.HookList Watch(GoldenFixture golden, ImageBind network, string kind)
    {
        var tower = kind is "image" or "video" ? "vision" : kind;
        var hooks = new GoldenFixture.HookList();
        var watched = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var (path, module) in network.named_modules())
        {
            string[] names = path == $"modality_preprocessors.{tower}" ? (tower == "vision" ? ["tokens"] : ["tokens", "trunk.pre"])
                : path == $"modality_trunks.{tower}.pre_transformer_layer" ? ["trunk.pre"]
                : path.StartsWith($"modality_trunks.{tower}.blocks.", StringComparison.Ordinal) ? [$"trunk.{path[(17 + tower.Length)..]}"]
                : path == (tower == "text" ? "modality_heads.text.proj" : $"modality_heads.{tower}") ? ["head"]
                : [];
            switch (module)
            {
                case nn.Module<Tensor, Tensor, Tensor>:
                    continue;
                case nn.Module<Tensor, Tensor> single:
                    Hook(names, single);
                    break;
            }
        }

        Assert.Equal(
            golden.Io.Tensors.Keys.Where(name => name.StartsWith($"mid.{kind}.", StringComparison.Ordinal)).Order(StringComparer.Ordinal),
            watched);
        return hooks;

        void Hook(string[] names, nn.Module<Tensor, Tensor> module)
        {
            foreach (var name in names.Select(name => $"mid.{kind}.{name}").Where(golden.Io.Tensors.ContainsKey))
            {
                watched.Add(name);
                hooks.Add(module.register_forward_hook((_, _, result) =>
                {
                    using var kept = NewDisposeScope();
                    golden.Record(name, name.EndsWith("head", StringComparison.Ordinal) ? result : Some(result));
                    return result;
                }).remove);
            }
        }
    }

    private static Tensor Some(Tensor tokens) => cat(
        [tokens[0].index_select(0, tensor(FirstTokens)), tokens[0].narrow(0, tokens.shape[1] - LastTokens, LastTokens)], 0);
}
