using Microsoft.Extensions.DependencyInjection;
using NextGpt.Media;
using NextGpt.Model.Conversion;
using NextGpt.Model.Packages;
using NextGpt.Model.Weights;

namespace NextGpt.Model.Tests;

/// <summary>A package whose decoders draw 8 pixels and whose enlarger makes 32 of them.</summary>
public sealed class MediaEnlargingTests
{
    private static readonly MediaKind[] Seen = [MediaKind.Image, MediaKind.Video];

    [Theory]
    [InlineData(null, null, 64, 64)]     // its own size; what comes is four times that
    [InlineData(256, 256, 64, 64)]
    [InlineData(512, 512, 128, 128)]     // more than it can be made up for
    [InlineData(128, 128, 64, 64)]       // enlarged to 256 and brought down
    [InlineData(64, 64, 64, 64)]         // as it is
    [InlineData(100, 100, 64, 64)]
    [InlineData(256, 128, 128, 64)]      // never smaller than its own side, and in proportion
    [InlineData(1024, 512, 256, 128)]
    [InlineData(256, null, 64, 64)]
    [InlineData(32, 32, 32, 32)]         // smaller than its own: drawn as asked
    public void The_decoder_draws_as_small_as_can_be_made_up_for(int? width, int? height, int drawnWidth, int drawnHeight)
    {
        using var enlarging = new MediaEnlarging(TinyPackage.Enlarger, 4, (64, 64), 8);

        Assert.Equal((drawnWidth, drawnHeight), enlarging.Drawn(width, height));
    }

    [Fact]
    public async Task Pictures_and_clips_of_a_package_with_an_enlarger_come_four_times_as_large()
    {
        using var package = new TinyPackage(enlarger: true);
        await using var thread = Thread(package);

        var (picture, clip) = await Draw(thread, new MediaOptions { Required = Seen });
        var (again, _) = await Draw(thread, new MediaOptions { Required = Seen });
        var (asked, _) = await Draw(thread, new MediaOptions { Required = Seen, ImageWidth = 24, ImageHeight = 16 });

        Assert.Equal((32, 32), (picture.Width, picture.Height));
        Assert.All(clip.Frames, frame => Assert.Equal((32, 32), (frame.Width, frame.Height)));
        Assert.Equal(2, clip.Frames.Count);
        Assert.Equal(picture.Pixels, again.Pixels);
        Assert.Equal((24, 16), (asked.Width, asked.Height));
    }

    [Fact]
    public async Task DEG_1_a_damaged_enlarger_costs_only_the_size()
    {
        using var package = new TinyPackage(enlarger: true);
        File.AppendAllText(package.At("enlarger/config.json"), " ");
        await using var thread = Thread(package);

        var (picture, clip) = await Draw(thread, new MediaOptions { Required = Seen });

        Assert.Equal((8, 8), (picture.Width, picture.Height));
        Assert.Equal(8, clip.Frames[0].Width);
        Assert.Contains(thread.Status.Lost, lost => lost.StartsWith("Without enlarging pictures: enlarger/config.json", StringComparison.Ordinal));
    }

    [Fact]
    public void Verifying_compares_its_weights_with_its_network_and_fitting_counts_them()
    {
        using var with = new TinyPackage(enlarger: true);
        using var without = new TinyPackage();
        var (package, plain) = (ModelPackage.Open(with.Folder), ModelPackage.Open(without.Folder));

        Assert.Empty(PackageShapes.Problems(package));
        var weights = new FileInfo(with.At("enlarger/diffusion_pytorch_model.safetensors"));
        using (var file = SafetensorsFile.Open(weights.FullName))
        {
            var added = file.Tensors.Values.Sum(tensor => tensor.Count);
            Assert.Equal(added, Count(package) - Count(plain));
        }

        var config = with.At("enlarger/config.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace("\"blocks\": 2", "\"blocks\": 3", StringComparison.Ordinal));
        var problems = PackageShapes.Problems(ModelPackage.Save(with.Folder, package.Manifest));
        Assert.Contains("enlarger lacks 4 tensors (blocks.2.conv1.bias", Assert.Single(problems), StringComparison.Ordinal);
    }

    [Fact]
    public void A_sound_cannot_be_enlarged()
    {
        using var package = new TinyPackage(enlarger: true);
        var manifest = ModelPackage.Open(package.Folder).Manifest;

        var refused = Assert.Throws<InvalidDataException>(() => ModelPackage.Save(
            package.Folder, manifest with { Outputs = [.. manifest.Outputs.Select(output => output with { Enlarger = "enlarger" })] }));

        Assert.Contains("There is an enlarger for audio", refused.Message, StringComparison.Ordinal);
    }

    private static long Count(ModelPackage package) =>
        PackageFit.Estimate(package, "cpu", long.MaxValue).Parts.Single(part => part.Name == "image").Parameters;

    private static ModelThread Thread(TinyPackage package) => new ServiceCollection()
        .AddNextGptModel(new ModelOptions { Device = "cpu", Path = package.Folder, Threads = 1, SystemText = "" })
        .BuildServiceProvider().GetRequiredService<ModelThread>();

    private static async Task<(Picture Picture, VideoClip Clip)> Draw(ModelThread thread, MediaOptions media)
    {
        var made = new List<Medium>();
        await foreach (var generated in thread.GenerateAsync(new GenerationRequest
        {
            Messages = [PromptMessage.Of(PromptRole.User, "draw a hat")],
            MaxTokens = 120,
            Seed = 7,
            Media = media,
        }))
        {
            if (generated is MediaGenerated medium)
            {
                made.Add(medium.Medium);
            }
        }

        return (made.OfType<Picture>().First(), made.OfType<VideoClip>().First());
    }
}
