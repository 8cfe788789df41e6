using Microsoft.Extensions.AI;
using NextGpt.Host.Memory;
using NextGpt.Media;

namespace NextGpt.Host.Turns;

/// <summary>A message of the conversation so far.</summary>
internal sealed record HistoryMessage(bool FromModel, string Text, IReadOnlyList<RememberedMedium> Media);

/// <summary>Text and media as the chat client takes them.</summary>
internal static class Prompt
{
    /// <summary>A question: its files, then its words, as the model was taught.</summary>
    public static List<AIContent> OfQuestion(string text, IEnumerable<RememberedMedium> media)
    {
        List<AIContent> contents = [.. media.Select(ContentOf).OfType<AIContent>()];
        if (text.Length > 0 || contents.Count == 0)
        {
            contents.Add(new TextContent(text));
        }

        return contents;
    }

    /// <summary>An answer: its words with each medium at its place.</summary>
    public static List<AIContent> OfAnswer(string text, IEnumerable<RememberedMedium> media)
    {
        var contents = new List<AIContent>();
        var at = 0;
        foreach (var medium in media.OrderBy(medium => medium.TextOffset))
        {
            var offset = Math.Clamp(medium.TextOffset, at, text.Length);
            AddText(text[at..offset]);
            at = offset;
            if (ContentOf(medium) is { } content)
            {
                contents.Add(content);
            }
        }

        AddText(text[at..]);
        return contents;

        void AddText(string piece)
        {
            if (piece.Length > 0)
            {
                contents.Add(new TextContent(piece));
            }
        }
    }

    /// <summary>
    /// What must and must not come, under the names of the chat service: with <c>modalities</c> each kind named comes and
    /// no other; null leaves it to the model.
    /// </summary>
    public static AdditionalPropertiesDictionary? Modalities(TurnSettings? settings, ModelSenses senses) =>
        settings is null || senses.Makes.Count == 0 ? null
        : settings.RequiredMedia.Count > 0
            ? new() { ["modalities"] = Words(["text", .. settings.RequiredMedia.Distinct().Select(WordOf)]) }
        : settings.ForbiddenMedia.Count > 0
            ? new() { ["forbidden_modalities"] = Words([.. settings.ForbiddenMedia.Distinct().Select(WordOf)]) }
        : null;

    private static string[] Words(string[] words) => words;

    /// <summary>For the log line: <c>text</c>, <c>text+image</c> ...</summary>
    public static string KindsOf(IEnumerable<RememberedMedium> media) =>
        string.Join('+', (IEnumerable<string>)["text", .. media.Select(medium => WordOf(medium.Kind)).Distinct()]);

    private static string WordOf(MediaKind kind) => kind switch
    {
        MediaKind.Image => "image",
        MediaKind.Audio => "audio",
        _ => "video",
    };

    private static DataContent? ContentOf(RememberedMedium medium) =>
        medium.File is { } file
            ? new DataContent(file.Bytes, file.Format.MediaType) { RawRepresentation = medium.Decoded }
            : null;
}
