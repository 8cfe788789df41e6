using NextGpt.Media;
using NextGpt.Model.Decoders;
using static TorchSharp.torch;

namespace NextGpt.Model.Tests.Decoders;

/// <summary>The one way in which the assembled model, training and services reach all three diffusion models.</summary>
public sealed class DiffusionDecoderTests
{
    [Fact]
    public void The_same_seed_gives_the_same_bytes_and_another_seed_others()
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenFixture.Open("sd_pipeline");
        using var decoder = DiffusionDecoder.Load(golden.PathOf("pipeline"));
        var (prompt, negative) = (golden.Tensor("in.prompt_embeds"), golden.Tensor("in.negative_prompt_embeds"));

        var first = Draw(decoder, prompt, negative, 7);
        decoder.OffLoad();
        Assert.False(decoder.IsLoaded);
        var second = Draw(decoder, prompt, negative, 7);

        Assert.Equal(first, second);
        Assert.NotEqual(first, Draw(decoder, prompt, negative, 8));
    }

    private static byte[] Draw(DiffusionDecoder decoder, Tensor prompt, Tensor negative, long seed) =>
        Assert.IsType<Picture>(Assert.Single(decoder.Render(
            prompt, negative, new RenderOptions { Seeds = [seed], Steps = 3, Guidance = 3 }))).Pixels;
}
