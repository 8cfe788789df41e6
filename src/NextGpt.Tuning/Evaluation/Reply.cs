using NextGpt.Media;

namespace NextGpt.Tuning.Evaluation;

/// <summary>What a model answered.</summary>
/// <param name="Text">Its words, without white space at the ends.</param>
/// <param name="Media">What it made, in order.</param>
/// <param name="Failures">Why media that it began were not made.</param>
internal sealed record Reply(string Text, IReadOnlyList<Medium> Media, IReadOnlyList<string> Failures)
{
    /// <summary>The kinds that were made.</summary>
    internal IReadOnlySet<MediaKind> Kinds => Media.Select(medium => medium.Kind).ToHashSet();

    /// <summary>The first medium of a kind, or null.</summary>
    internal T? First<T>()
        where T : Medium => Media.OfType<T>().FirstOrDefault();
}
