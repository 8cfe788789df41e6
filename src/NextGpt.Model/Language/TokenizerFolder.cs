using System.Text.Json;

namespace NextGpt.Model.Language;

/// <summary>Finds the tokenizer of a checkpoint folder in Hugging Face layout.</summary>
internal static class TokenizerFolder
{
    /// <summary>Reads <c>tokenizer.model</c> where there is one, else <c>tokenizer.json</c>.</summary>
    /// <exception cref="InvalidDataException">There is none, or it is not usable; says what to do.</exception>
    public static ITokenizer Read(string folder)
    {
        var endings = TokenizerEndings.FromFolder(folder);
        var model = Path.Combine(folder, "tokenizer.model");
        var json = Path.Combine(folder, "tokenizer.json");
        return File.Exists(model) ? ReadModel(folder, model, endings)
            : File.Exists(json) ? TokenizerJson.Read(json, endings)
            : throw new InvalidDataException(
                $"{folder} holds neither tokenizer.model nor tokenizer.json; add the tokenizer of the checkpoint.");
    }

    private static SentencePieceTokenizer ReadModel(string folder, string path, TokenizerEndings endings)
    {
        var model = SentencePieceTokenizerFile.Read(path);
        var added = ReadAdded(folder);
        int? Find(string literal)
        {
            if (added.FirstOrDefault(token => token.Literal == literal) is { } token)
            {
                return token.Id;
            }

            var index = 0;
            foreach (var piece in model.Pieces)
            {
                if (piece.Text == literal)
                {
                    return index;
                }

                index++;
            }

            return null;
        }

        var ends = endings.EndTokens(Find);
        if (ends.Count == 0 && Find("</s>") is { } end)
        {
            ends.Add(end);
        }

        return new SentencePieceTokenizer(new SentencePieceVocabulary
        {
            Pieces = model.Pieces,
            Added = added,
            PrefixSpace = model.PrefixSpace,
            PrefixSpaceAfterSpecial = endings.Legacy ?? true,
            BeginToken = endings.AddsBegin == false ? null : Find(endings.Begin ?? "<s>"),
            EndTokens = ends,
            PadToken = endings.PadToken(Find, ends),
        });
    }

    /// <summary>Tokens beyond the pieces: <c>added_tokens_decoder</c> of the configuration, or <c>added_tokens.json</c>.</summary>
    private static List<AddedToken> ReadAdded(string folder)
    {
        var added = new List<AddedToken>();
        try
        {
            var configuration = Path.Combine(folder, "tokenizer_config.json");
            if (File.Exists(configuration))
            {
                using var document = JsonDocument.Parse(File.ReadAllBytes(configuration));
                if (document.RootElement.TryGetProperty("added_tokens_decoder", out var decoder))
                {
                    foreach (var entry in decoder.EnumerateObject())
                    {
                        var id = int.Parse(entry.Name, System.Globalization.CultureInfo.InvariantCulture);
                        added.Add(TokenizerJson.ReadAddedToken(entry.Value, id));
                    }
                }
            }

            var list = Path.Combine(folder, "added_tokens.json");
            if (File.Exists(list))
            {
                using var document = JsonDocument.Parse(File.ReadAllBytes(list));
                foreach (var entry in document.RootElement.EnumerateObject())
                {
                    var id = entry.Value.GetInt32();
                    if (added.TrueForAll(token => token.Id != id) && id is >= 0 and < 4_000_000)
                    {
                        added.Add(new AddedToken(id, entry.Name, Special: false));
                    }
                }
            }
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException or FormatException
            or KeyNotFoundException or OverflowException)
        {
            throw new InvalidDataException(
                $"The added tokens of {folder} cannot be read: {failure.Message} Download the tokenizer files again.", failure);
        }

        return added;
    }
}
