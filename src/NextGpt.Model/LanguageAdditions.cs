using NextGpt.Model.Packages;

namespace NextGpt.Model;

/// <summary>What a package adds to a language model; paths of this machine.</summary>
/// <param name="Part">What the package says of the language model.</param>
/// <param name="AdapterFolder">The adapter that is merged into it, or null.</param>
/// <param name="Tokens">The tokens added to it, or null.</param>
/// <param name="RowsFile">Their rows, or null where the language model has them.</param>
internal sealed record LanguageAdditions(LanguagePart Part, string? AdapterFolder, TokenPart? Tokens, string? RowsFile);
