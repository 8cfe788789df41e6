using NextGpt.Model.Decoders.StableDiffusion;

namespace NextGpt.Model.Tests.Decoders.StableDiffusion;

public sealed class ClipTokenizerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory().FullName;

    public void Dispose() => Directory.Delete(_folder, true);

    [Theory]
    [InlineData("""{"pad_token": "!"}""", "!")]
    [InlineData("""{"pad_token": {"content": "!", "lstrip": false}}""", "!")]
    [InlineData("""{"eos_token": "<|endoftext|>"}""", "<|endoftext|>")]
    [InlineData(null, "<|endoftext|>")]
    public void Texts_end_with_the_end_token_and_are_padded_as_the_folder_says(string? specials, string padding)
    {
        new ClipTokenizer([("a", "b</w>")]).Save(_folder);
        var file = Path.Combine(_folder, "special_tokens_map.json");
        File.Delete(file);
        if (specials is not null)
        {
            File.WriteAllText(file, specials);
        }

        var tokenizer = ClipTokenizer.Load(_folder);
        var pad = padding == "!" ? 0 : tokenizer.EndToken;   // the exclamation mark is CLIP's first byte

        Assert.Equal(pad, tokenizer.PadToken);
        Assert.Equal([tokenizer.StartToken, 512, tokenizer.EndToken, pad, pad], tokenizer.Encode("AB", 5));
        tokenizer.Save(_folder);
        Assert.Equal(pad, ClipTokenizer.Load(_folder).PadToken);
    }

    [Fact]
    public void A_damaged_list_of_special_tokens_is_refused_by_name()
    {
        new ClipTokenizer([]).Save(_folder);
        File.WriteAllText(Path.Combine(_folder, "special_tokens_map.json"), """{"pad_token": 5}""");

        Assert.Contains(
            "special_tokens_map.json", Assert.Throws<InvalidDataException>(() => ClipTokenizer.Load(_folder)).Message);
    }
}
