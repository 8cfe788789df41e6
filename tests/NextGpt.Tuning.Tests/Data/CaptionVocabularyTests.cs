using NextGpt.Model.Decoders.StableDiffusion;
using NextGpt.Tuning.Data;

namespace NextGpt.Tuning.Tests.Data;

public sealed class CaptionVocabularyTests
{
    private static readonly string[] Captions =
        ["a red apple", "a red apple on blue", "a green apple", "two red apples", "a doodle of a red apple", "a red balloon"];

    [Fact]
    public void Frequent_words_become_one_token_and_every_text_can_be_written()
    {
        var tokenizer = CaptionVocabulary.Learn(Captions, 600);

        var ids = tokenizer.Encode("A  RED apple", 8);
        Assert.Equal(tokenizer.StartToken, ids[0]);
        Assert.Equal(tokenizer.EndToken, ids[4]);                                  // three words, three tokens
        Assert.All(ids[4..], id => Assert.Equal(tokenizer.EndToken, id));
        Assert.Equal(tokenizer.EndToken, tokenizer.Encode("Zürich 東京 !?", 64)[^1]);
        Assert.Equal(4, tokenizer.Encode("a red apple a red apple", 4).Length);    // too long is cut
    }

    [Fact]
    public void A_saved_tokenizer_gives_the_same_ids()
    {
        var folder = Directory.CreateTempSubdirectory("nextgpt-vocabulary-").FullName;
        try
        {
            var tokenizer = CaptionVocabulary.Learn(Captions, 600);
            tokenizer.Save(folder);
            var loaded = ClipTokenizer.Load(folder);

            Assert.All(Captions, caption => Assert.Equal(tokenizer.Encode(caption, 16), loaded.Encode(caption, 16)));
            Assert.Equal(tokenizer.VocabularySize, loaded.VocabularySize);
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }
}
