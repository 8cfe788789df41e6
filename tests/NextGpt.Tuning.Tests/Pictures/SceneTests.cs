using NextGpt.Tuning.Data;
using NextGpt.Tuning.Pictures;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Tests.Pictures;

public sealed class SceneTests
{
    [Fact]
    public void A_plain_scene_shows_the_drawing_unchanged_on_white()
    {
        using var scope = NewDisposeScope();
        var atlas = ToyWorld.Atlas();
        using var renderer = new SceneRenderer(atlas, CPU);
        var scene = new SceneComposer(atlas).Plain(1, 1, new Random(1));

        var picture = renderer.Render([scene]);

        Assert.Equal(1f, picture[0, 0, 0, 0].item<float>());                                   // white corner
        Assert.Equal(220 / 255f * 2 - 1, picture[0, 2, 32, 32].item<float>(), 1e-5);           // the box's blue
        Assert.True(picture.allclose(renderer.RenderPlain(tensor(new long[] { 1 })), atol: 1e-5));
    }

    [Fact]
    public void Pieces_lie_where_the_scene_says_and_mirroring_swaps_sides()
    {
        using var scope = NewDisposeScope();
        var pixels = new byte[4 * 64 * 64];
        for (var place = 0; place < 64 * 64; place++)
        {
            pixels[place] = (byte)(place % 64 < 32 ? 255 : 0);   // left half red, right half black
            pixels[place + (3 * 64 * 64)] = 255;
        }

        var atlas = PictureAtlas.Of([ToyWorld.Atlas().Pictures[0]], 64, pixels);
        using var renderer = new SceneRenderer(atlas, CPU);
        var scene = new PictureScene { Pieces = [new ScenePiece(0, 32, 16, 32)], Captions = ["x"] };

        var picture = renderer.Render([scene, scene with { Pieces = [new ScenePiece(0, 32, 16, 32, Mirrored: true)] }]);

        var red = (picture.select(1, 1) < 0).to(ScalarType.Int32);   // green is missing where the piece lies
        Assert.Equal(32 * 32, red[0].sum().item<long>());
        Assert.Equal(32 * 32, red[0].narrow(0, 16, 32).narrow(1, 32, 32).sum().item<long>());
        Assert.Equal(1f, picture[0, 0, 20, 34].item<float>(), 1e-4);     // red at the left of the piece
        Assert.Equal(-1f, picture[1, 0, 20, 34].item<float>(), 1e-4);    // black there when mirrored
        Assert.Equal(1f, picture[1, 0, 20, 62].item<float>(), 1e-4);
    }

    [Fact]
    public void Scenes_keep_their_order_whatever_their_number_of_pieces()
    {
        using var scope = NewDisposeScope();
        var atlas = ToyWorld.Atlas();
        using var renderer = new SceneRenderer(atlas, CPU);
        var scenes = new SceneComposer(atlas).Compose(6, 2, 5);

        var together = renderer.Render(scenes);
        for (var index = 0; index < scenes.Count; index += 7)
        {
            Assert.True(together[index].unsqueeze(0).allclose(renderer.Render([scenes[index]]), atol: 1e-5), $"scene {index}");
        }
    }

    [Fact]
    public void The_same_seed_gives_the_same_scenes_and_no_drawing_kept_back_is_shown()
    {
        var atlas = ToyWorld.Atlas();
        var kept = PictureAtlas.Of(
            [.. atlas.Pictures.Select((picture, index) => index == 3 ? picture with { Split = "test_pair" } : picture)], 64, atlas.Pixels);
        var first = new SceneComposer(kept).Compose(20, 3, 9);
        var second = new SceneComposer(kept).Compose(20, 3, 9);

        Assert.Equal(first.SelectMany(scene => scene.Captions), second.SelectMany(scene => scene.Captions));
        Assert.DoesNotContain(first, scene => scene.Pieces.Any(piece => piece.Picture == 3));
    }

    [Fact]
    public void Captions_tell_the_background_the_place_and_the_count_that_were_chosen()
    {
        var scenes = new SceneComposer(ToyWorld.Atlas()).Compose(200, 2, 4);

        foreach (var scene in scenes.Where(scene => scene.Backdrop != Backdrop.White))
        {
            Assert.All(scene.Captions, caption => Assert.Contains(scene.Backdrop.Name, caption, StringComparison.Ordinal));
        }

        foreach (var scene in scenes.Where(scene => scene.Pieces is [{ Size: 32 }]))
        {
            Assert.All(scene.Captions, caption => Assert.Contains("small", caption, StringComparison.Ordinal));
        }

        foreach (var scene in scenes.Where(scene => scene.Pieces.Count == 3))
        {
            Assert.All(scene.Captions, caption => Assert.Contains("three", caption, StringComparison.Ordinal));
        }

        Assert.Contains(scenes, scene => scene.Pieces.Count == 4);
    }

    [Theory]
    [InlineData("a red apple", "red apples")]
    [InlineData("a cherry", "cherries")]
    [InlineData("a box", "boxes")]
    [InlineData("a monkey", "monkeys")]
    [InlineData("a mouse", "mice")]
    [InlineData("a dog face", "dog faces")]
    [InlineData("a cloud with lightning", null)]
    [InlineData("fire", null)]
    [InlineData("a person running", null)]
    public void Plurals_are_made_only_where_they_are_plain(string thing, string? plural) =>
        Assert.Equal(plural, CaptionWording.Plural(thing));
}
