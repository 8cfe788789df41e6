using System.Text.Json;
using NextGpt.Model.Language;

namespace NextGpt.Model.Tests.Language;

/// <summary>Texts with the ids the Python reference gives them; the fixtures' notes say how they were made.</summary>
internal static class TokenizerGolden
{
    public static string Folder(string fixture) => Path.Combine(AppContext.BaseDirectory, "Goldens", fixture);

    public static JsonElement Json(string fixture, string file)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder(fixture), file)));
        return document.RootElement.Clone();
    }

    public static ITokenizer ByteBpe(string style) =>
        TokenizerJson.Read(Path.Combine(Folder("tokenizer_byte_bpe"), $"{style}.tokenizer.json"), new TokenizerEndings());

    public static SentencePieceTokenizer Llama(bool legacy = true)
    {
        var model = SentencePieceTokenizerFile.Read(Path.Combine(Folder("tokenizer_spm_llama"), "tokenizer.model"));
        return new SentencePieceTokenizer(new SentencePieceVocabulary
        {
            Pieces = model.Pieces,
            PrefixSpace = model.PrefixSpace,
            PrefixSpaceAfterSpecial = legacy,
            BeginToken = 1,
            EndTokens = new HashSet<int> { 2 },
            PadToken = 2,
        });
    }

    public static int[] Ids(JsonElement element) => [.. element.EnumerateArray().Select(id => id.GetInt32())];

    public static IEnumerable<(string Text, JsonElement Case)> Cases(JsonElement list) =>
        list.EnumerateArray().Select(entry => (entry.GetProperty("text").GetString() ?? "", entry));
}
