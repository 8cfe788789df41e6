using System.IO.Compression;
using NextGpt.Tuning.Data;
using NextGpt.Tuning.Tests.Pictures;

namespace NextGpt.Tuning.Tests.Data;

public sealed class PictureAtlasTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nextgpt-atlas-").FullName;

    [Fact]
    public void A_packed_atlas_comes_back_as_it_was()
    {
        var atlas = ToyWorld.Atlas();
        var noisy = PictureAtlas.Of(atlas.Pictures, atlas.Size, Noise(atlas.Pixels.Length));
        var file = Path.Combine(_folder, "atlas");

        foreach (var original in new[] { atlas, noisy })
        {
            original.Save(file, CompressionLevel.Fastest);
            var loaded = PictureAtlas.Load(file);
            Assert.Equal(original.Pixels, loaded.Pixels);
            Assert.Equal(original.Pictures.Select(picture => picture.Id), loaded.Pictures.Select(picture => picture.Id));
        }
    }

    [Fact]
    public void A_file_cut_short_is_refused_in_a_sentence()
    {
        var file = Path.Combine(_folder, "atlas");
        ToyWorld.Atlas().Save(file, CompressionLevel.Fastest);
        File.WriteAllBytes(file, File.ReadAllBytes(file)[..^100]);

        Assert.Contains("cut short or damaged", Assert.Throws<InvalidDataException>(() => PictureAtlas.Load(file)).Message);
    }

    [Fact]
    public void Pictures_of_a_world_are_shrunk_with_their_opacity_as_weight()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "pictures"));
        var rgb = new byte[128 * 128 * 3];
        for (var place = 0; place < 128 * 128; place++)
        {
            rgb[place * 3] = (byte)(place % 2 == 0 ? 200 : 100);
        }

        PngPicture.Write(Path.Combine(_folder, "pictures", "a.png"), 128, 128, rgb);
        File.WriteAllText(Path.Combine(_folder, "captions.jsonl"), """
            {"kind":"picture","id":"flat/a","path":"pictures/a.png","caption":"an a","concept":"a","group":"object","style":"flat","split":"train","keywords":[]}
            {"kind":"text","id":"gloss/a","caption":"the letter"}
            """);

        var atlas = PictureAtlas.Build(_folder);

        Assert.Equal("an a", Assert.Single(atlas.Pictures).Caption);
        Assert.All(atlas.Pixels[..(64 * 64)], red => Assert.Equal(150, red));
        Assert.All(atlas.Pixels[(3 * 64 * 64)..], opacity => Assert.Equal(255, opacity));
    }

    public void Dispose() => Directory.Delete(_folder, true);

    private static byte[] Noise(int count)
    {
        var noise = new byte[count];
        new Random(1).NextBytes(noise);
        return noise;
    }
}
