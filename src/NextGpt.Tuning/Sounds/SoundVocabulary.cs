using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using NextGpt.Model.Decoders.AudioLdm;
using NextGpt.Model.Decoders.StableDiffusion;
using NextGpt.Tuning.Data;

namespace NextGpt.Tuning.Sounds;

/// <summary>Learns the small tokenizer of the sounds' caption encoder: RoBERTa's kind, a vocabulary of the world's captions.</summary>
internal static partial class SoundVocabulary
{
    /// <summary>Id that fills short captions; RoBERTa's place for it.</summary>
    internal const int PadToken = 1;

    private static readonly string[] Before = ["<s>", "<pad>", "</s>", "<unk>"];
    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Learns and writes the tokenizer's folder.</summary>
    /// <param name="texts">What will be written; every text counts once.</param>
    /// <param name="size">Tokens at most, 261 of which are single bytes and marks.</param>
    /// <param name="folder">Made where it is missing.</param>
    /// <returns>The tokenizer and the number of its tokens.</returns>
    internal static (ClapTokenizer Tokenizer, int Size) Learn(IEnumerable<string> texts, int size, string folder)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 261);
        var words = texts.Distinct(StringComparer.Ordinal).SelectMany(text => Word().Matches(text).Select(match => match.Value))
            .GroupBy(word => word, StringComparer.Ordinal)
            .Select(group => (Letters(group.Key), group.Count())).ToList();
        var merges = CaptionVocabulary.Merges(words, size - 261);
        string[] tokens =
        [
            .. Before, .. Enumerable.Range(0, 256).Select(value => Bytes((byte)value)), .. merges.Select(pair => pair.Left + pair.Right), "<mask>",
        ];
        Directory.CreateDirectory(folder);
        var ids = tokens.Select((token, id) => (token, id)).ToDictionary(entry => entry.token, entry => entry.id, StringComparer.Ordinal);
        File.WriteAllText(Path.Combine(folder, "vocab.json"), JsonSerializer.Serialize(ids, Readable));
        File.WriteAllLines(Path.Combine(folder, "merges.txt"), ["#version: 0.2", .. merges.Select(pair => $"{pair.Left} {pair.Right}")]);
        File.WriteAllText(
            Path.Combine(folder, "tokenizer_config.json"),
            $$"""{"model_max_length": {{MiniSounds.CaptionTokens}}, "tokenizer_class": "RobertaTokenizer"}""");
        return (ClapTokenizer.Load(folder), tokens.Length);
    }

    // GPT-2 cuts words with the blank before them, and has a letter for every byte; CLIP's letters are the same, but mark the end.
    private static List<string> Letters(string word)
    {
        List<string> letters = [.. ClipTokenizer.Letters(word)];
        letters[^1] = letters[^1].Replace("</w>", string.Empty, StringComparison.Ordinal);
        return letters;
    }

    private static string Bytes(byte value) => GptAlphabet[value];

    // Printable bytes are themselves, the others follow from U+0100 on (Radford et al. 2019, the published encoder's table).
    private static string[] GptAlphabet { get; } = Alphabet();

    private static string[] Alphabet()
    {
        var (letters, next) = (new string[256], 256);
        for (var value = 0; value < 256; value++)
        {
            var printable = value is >= '!' and <= '~' or >= 0xA1 and <= 0xAC or >= 0xAE and <= 0xFF;
            letters[value] = ((char)(printable ? value : next++)).ToString();
        }

        return letters;
    }

    [GeneratedRegex(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")]
    private static partial Regex Word();
}
