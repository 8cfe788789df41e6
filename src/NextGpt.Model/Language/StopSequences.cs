using System.Globalization;

namespace NextGpt.Model.Language;

/// <summary>Ends a reply at the first of several texts and never shows part of one.</summary>
/// <remarks>Text that may be the begin of a stop sequence is held back until it is decided. One instance serves one reply.</remarks>
internal sealed class StopSequences
{
    private const int MaxCount = 16;
    private const int MaxLength = 256;
    private readonly IReadOnlyList<string> _stops;
    private string _held = "";

    public StopSequences(IReadOnlyList<string> stops) => _stops = stops;

    /// <summary>Whether one was found: nothing more is to be shown.</summary>
    public bool Found { get; private set; }

    /// <summary>Refuses what cannot be a stop sequence.</summary>
    /// <exception cref="GenerationRefusedException">Too many, an empty or an overlong one.</exception>
    public static void Check(IReadOnlyList<string> stops)
    {
        if (stops.Count > MaxCount)
        {
            throw Refuse($"{stops.Count} stop sequences came, {MaxCount} are allowed; send fewer.");
        }

        foreach (var stop in stops)
        {
            if (stop is not { Length: > 0 and <= MaxLength })
            {
                throw Refuse(string.Create(
                    CultureInfo.InvariantCulture,
                    $"A stop sequence has {stop?.Length ?? 0:N0} characters, 1 to {MaxLength} are allowed; change or leave it out."));
            }
        }
    }

    /// <summary>What may be shown now that this text has come; possibly empty.</summary>
    public string Add(string text)
    {
        if (Found || _stops.Count == 0)
        {
            return Found ? "" : text;
        }

        _held += text;
        var first = _stops.Select(stop => _held.IndexOf(stop, StringComparison.Ordinal))
            .Where(at => at >= 0).DefaultIfEmpty(-1).Min();
        if (first >= 0)
        {
            Found = true;
            return Release(first);
        }

        return Release(_held.Length - LongestBegin());
    }

    /// <summary>What was held back and did not become a stop sequence after all.</summary>
    public string End() => Found ? "" : Release(_held.Length);

    private string Release(int length)
    {
        var released = _held[..length];
        _held = _held[length..];
        return released;
    }

    private int LongestBegin()
    {
        var longest = 0;
        foreach (var stop in _stops)
        {
            for (var length = Math.Min(stop.Length - 1, _held.Length); length > longest; length--)
            {
                if (_held.AsSpan(_held.Length - length).SequenceEqual(stop.AsSpan(0, length)))
                {
                    longest = length;
                }
            }
        }

        return longest;
    }

    private static GenerationRefusedException Refuse(string sentence) => new(GenerationRefusal.InvalidRequest, sentence);
}
