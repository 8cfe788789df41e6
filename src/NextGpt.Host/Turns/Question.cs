using System.Text;
using NextGpt.Host.Files;
using NextGpt.Media;

namespace NextGpt.Host.Turns;

/// <summary>What a person wrote, made safe to carry on, and the checks a turn must pass before it takes a place.</summary>
internal static class Question
{
    /// <summary>
    /// The text with line ends as \n, without control characters (tab and line end stay) and with halves of
    /// surrogate pairs replaced; direction marks stay, they belong to the writing of languages.
    /// </summary>
    public static string Clean(string text)
    {
        var clean = new StringBuilder(text.Length);
        foreach (var rune in text.ReplaceLineEndings("\n").EnumerateRunes())   // halves come as U+FFFD
        {
            if (!Rune.IsControl(rune) || rune.Value is '\n' or '\t')
            {
                clean.Append(rune);
            }
        }

        return clean.ToString().Trim();
    }

    /// <summary>Why the turn cannot be admitted, or null.</summary>
    /// <param name="turn">The turn, its text cleaned.</param>
    /// <param name="options">The limits.</param>
    /// <param name="senses">What the model reads and makes.</param>
    public static TurnError? Check(IncomingTurn turn, TurnOptions options, ModelSenses senses)
    {
        if (turn.Text.Length == 0 && turn.Files.Count == 0 && turn.FilesOfTurnId is null)
        {
            return ErrorCatalogue.EmptyPrompt.With();
        }

        if (turn.Text.Length > options.MaxCharacters)
        {
            return ErrorCatalogue.PromptHasTooManyCharacters.With(turn.Text.Length, options.MaxCharacters);
        }

        return FileCheck.Refusal(turn.Files, options, senses)
            ?? (turn.Settings is { } settings ? Check(settings, options) ?? CheckMedia(settings, senses) : null);
    }

    private static TurnError? Check(TurnSettings settings, TurnOptions options) => settings switch
    {
        { Temperature: { } temperature } when !(temperature is >= 0 and <= 2) =>
            OutOfRange("temperature", temperature, "lie between 0 and 2"),
        { TopP: { } topP } when !(topP is > 0 and <= 1) =>
            OutOfRange("top_p", topP, "lie above 0 and at most at 1"),
        { MaxTokens: { } tokens } when tokens < 1 =>
            OutOfRange("max_tokens", tokens, "be at least 1"),
        { StopSequences: { Count: > 4 } stops } =>
            OutOfRange("stop", $"a list of {stops.Count}", "have at most 4 entries"),
        { StopSequences: { } stops } when stops.Any(string.IsNullOrEmpty) =>
            OutOfRange("stop", "a list with an empty text", "have texts of at least one character"),
        { SystemText.Length: var length } when length > options.MaxCharacters =>
            OutOfRange("system", $"a text of {length} characters", $"have at most {options.MaxCharacters}"),
        _ => null,
    };

    private static TurnError? CheckMedia(TurnSettings settings, ModelSenses senses)
    {
        foreach (var kind in settings.RequiredMedia)
        {
            if (settings.ForbiddenMedia.Contains(kind))
            {
                return ErrorCatalogue.InvalidRequest.With(
                    $"The answer must and must not contain {WordOf(kind)}; choose one.") with
                { Field = "modalities" };
            }

            if (!senses.Makes.Contains(kind))
            {
                return ErrorCatalogue.InvalidRequest.With(
                    $"The model that speaks here makes no {WordOf(kind)}; ask for something else.") with
                { Field = "modalities" };
            }
        }

        return null;
    }

    private static string WordOf(MediaKind kind) => kind switch
    {
        MediaKind.Image => "pictures",
        MediaKind.Audio => "sounds",
        _ => "clips",
    };

    private static TurnError OutOfRange(string field, object value, string must) =>
        ErrorCatalogue.ValueOutOfRange.With(field, value, must) with { Field = field };
}
