using System.Text.Json;
using NextGpt.Model.Decoders.AudioLdm;
using NextGpt.Model.Tests.Language;

namespace NextGpt.Model.Tests.Decoders.AudioLdm;

public sealed class ClapTokenizerTests
{
    private static readonly ClapTokenizer Roberta = new(TokenizerGolden.ByteBpe("gpt2"));

    [Fact]
    public void Ids_with_begin_and_end_are_those_of_the_reference()
    {
        var cases = References().ToList();

        Assert.True(cases.Count >= 20);
        foreach (var (text, ids) in cases)
        {
            Assert.Equal(ids, Roberta.Encode(text));
        }
    }

    [Fact]
    public void Tables_of_the_old_layout_give_the_same_ids_as_the_single_file()
    {
        var folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            var model = TokenizerGolden.Json("tokenizer_byte_bpe", "gpt2.tokenizer.json").GetProperty("model");
            File.WriteAllText(Path.Combine(folder, "vocab.json"), model.GetProperty("vocab").GetRawText());
            File.WriteAllLines(
                Path.Combine(folder, "merges.txt"),
                ["#version: 0.2", .. model.GetProperty("merges").EnumerateArray().Select(Merge)]);
            File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), """{ "model_max_length": 20 }""");

            var tables = ClapTokenizer.Load(folder);

            Assert.Equal(20, tables.MaxTokens);
            foreach (var (text, ids) in References().Where(entry => entry.Ids.Count <= 20))
            {
                Assert.Equal(ids, tables.Encode(text));
            }
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    [Fact]
    public void A_batch_is_padded_to_its_longest_caption_or_to_the_length_asked_for()
    {
        using var scope = TorchSharp.torch.NewDisposeScope();

        var (tokens, mask) = Roberta.Encode(["Hello world", ""]);
        var (wide, wideMask) = Roberta.Encode(["Hello world", ""], 12);

        Assert.Equal([2, 10], tokens.shape);
        Assert.Equal([0, 44, 399, 83, 292, 83, 86, 80, 72, 2, 0, 2, 1, 1, 1, 1, 1, 1, 1, 1], tokens.data<long>().ToArray());
        Assert.Equal([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0], mask.data<long>().ToArray());
        Assert.Equal([2, 12], wide.shape);
        Assert.Equal(12, wideMask.sum().item<long>());
    }

    [Fact]
    public void A_caption_that_is_too_long_is_cut_and_still_ends_with_the_end_token()
    {
        using var scope = TorchSharp.torch.NewDisposeScope();

        var (tokens, mask) = Roberta.Encode(["Hello world"], 4);

        Assert.Equal([0, 44, 399, 2], tokens.data<long>().ToArray());
        Assert.Equal(4, mask.sum().item<long>());
    }

    [Fact]
    public void A_special_token_somebody_typed_stays_text()
    {
        var ids = Roberta.Encode("a</s>b<pad>");

        Assert.Single(ids, id => id == Roberta.EndToken);
        Assert.DoesNotContain(Roberta.PadToken, ids);
    }

    [Fact]
    public void A_folder_without_a_tokenizer_is_refused_with_what_was_expected()
    {
        var folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            var refusal = Assert.Throws<InvalidDataException>(() => ClapTokenizer.Load(folder));

            Assert.Contains("vocab.json and merges.txt", refusal.Message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    // Texts with special tokens written in them are the other tokenizer's business: here they stay text.
    private static IEnumerable<(string Text, IReadOnlyList<int> Ids)> References() =>
        TokenizerGolden.Json("tokenizer_byte_bpe", "config.json").GetProperty("styles").GetProperty("gpt2").EnumerateArray()
            .Select(entry => (entry.GetProperty("text").GetString()!, TokenizerGolden.Ids(entry.GetProperty("ids"))))
            .Where(entry => !entry.Item1.Contains("<s>", StringComparison.Ordinal)
                && !entry.Item1.Contains("</s>", StringComparison.Ordinal)
                && !entry.Item1.Contains("<mask>", StringComparison.Ordinal)
                && !entry.Item1.Contains("<pad>", StringComparison.Ordinal))
            .Select(entry => (entry.Item1, (IReadOnlyList<int>)[.. entry.Item2]));

    private static string Merge(JsonElement merge) => merge.ValueKind == JsonValueKind.Array
        ? $"{merge[0].GetString()} {merge[1].GetString()}"
        : merge.GetString()!;
}
