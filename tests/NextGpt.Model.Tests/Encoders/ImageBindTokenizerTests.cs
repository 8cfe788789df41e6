using NextGpt.Model.Decoders.StableDiffusion;
using NextGpt.Model.Encoders;
using TorchSharp;

namespace NextGpt.Model.Tests.Encoders;

/// <summary>
/// <c>merges.txt.gz</c> are the 48,894 merges of CLIP's published vocabulary (<c>bpe_simple_vocab_16e6.txt.gz</c>, MIT) that
/// its 49,408 ids take.
/// </summary>
public sealed class ImageBindTokenizerTests
{
    private static readonly Lazy<ImageBindTokenizer> Published = new(() => ImageBindTokenizer.Load(
        Path.Combine(AppContext.BaseDirectory, "Goldens", "imagebind_text_tokenizer", "merges.txt.gz")));

    [Fact]
    public void Ids_are_those_of_the_reference()
    {
        using var golden = GoldenFixture.Open("imagebind_text_tokenizer");
        string[] texts = [.. golden.Config.GetProperty("texts").EnumerateArray().Select(text => text.GetString()!)];
        var expected = golden.Integers("out.ids").Chunk(77).ToArray();

        Assert.Equal(16, texts.Length);
        for (var row = 0; row < texts.Length; row++)
        {
            Assert.Equal(expected[row], Published.Value.Encode(texts[row]));
        }
    }

    [Fact]
    public void A_folder_in_stable_diffusion_layout_gives_the_same_ids()
    {
        var folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            var merges = new List<(string, string)> { ("t", "h"), ("th", "e</w>") };
            new ClipTokenizer(merges).Save(folder);

            var fromFolder = ImageBindTokenizer.Load(folder);

            var ids = new ImageBindTokenizer(new ClipTokenizer(merges)).Encode("The thing");
            Assert.Equal(ids, fromFolder.Encode("the  THING"));
            Assert.Equal([514, 513], ids[..2]);   // start, then the second merge
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    [Theory]
    [InlineData("ΟΔΟΣ Σ", "οδος σ")]
    [InlineData("İstanbul", "i\u0307stanbul")]
    [InlineData("\u001b[31mred\u001b[0m \u0007bell", "red bell")]
    [InlineData("Ｗｉｄｅ　ｔｅｘｔ", "wide text")]
    [InlineData("&amp;amp;amp; <b>&lt;</b>", "&amp; <b><</b>")]
    [InlineData("&amp;amp;amp;lt;", "<")]
    [InlineData("e\u0301", "é")]
    public void Texts_are_cleaned_as_the_reference_cleans_them(string text, string expected) =>
        Assert.Equal(expected, ImageBindTokenizer.Clean(text));

    [Fact]
    public void Half_a_character_counts_as_a_replacement_character() =>
        Assert.Equal("\ufffd!", ImageBindTokenizer.Clean("\ud83d!"));

    [Fact]
    public void A_batch_has_one_row_per_text()
    {
        using var scope = torch.NewDisposeScope();

        var tokens = Published.Value.Encode(["A dog.", ""]);

        Assert.Equal([2, 77], tokens.shape);
        Assert.Equal([49_406, 320, 1_929, 269, 49_407], tokens.data<long>().ToArray()[..5]);
        Assert.Equal(49_407, tokens[1, 1].item<long>());
    }

    [Fact]
    public void A_file_that_is_no_vocabulary_is_refused_with_what_was_expected()
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, "#version: 0.2\nth e\nword\n");

            var damaged = Assert.Throws<InvalidDataException>(() => ImageBindTokenizer.Load(file));
            var missing = Assert.Throws<InvalidDataException>(() => ImageBindTokenizer.Load(file + ".none"));

            Assert.Contains("two pieces per line", damaged.Message, StringComparison.Ordinal);
            Assert.Contains("vocab.json and merges.txt", missing.Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
