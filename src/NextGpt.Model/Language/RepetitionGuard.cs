namespace NextGpt.Model.Language;

/// <summary>Notices that a reply says the same passage over and over and will not stop by itself.</summary>
/// <remarks>
/// A passage of up to 128 tokens that stands four times in a row, word for word, over at least 96 tokens. So a single
/// token must come 96 times, a line of a dozen tokens eight times, a paragraph four times; lists whose numbers or words
/// change, refrains between verses and ruled lines stay under it. One instance serves one reply.
/// </remarks>
internal sealed class RepetitionGuard
{
    private const int LongestPassage = 128;
    private const int LeastCopies = 4;
    private const int LeastTokens = 96;
    private readonly int[] _recent = new int[LongestPassage];
    private readonly int[] _same = new int[LongestPassage + 1];
    private int _count;

    /// <summary>Takes the next token of the reply.</summary>
    /// <returns>True once the reply is caught in a loop.</returns>
    public bool Loops(int token)
    {
        var loops = false;
        for (var period = 1; period <= Math.Min(LongestPassage, _count); period++)
        {
            // How many tokens in a row equal the one a period before.
            _same[period] = _recent[(_count - period) % LongestPassage] == token ? _same[period] + 1 : 0;
            loops |= _same[period] >= Math.Max((LeastCopies - 1) * period, LeastTokens - period);
        }

        _recent[_count % LongestPassage] = token;
        _count++;
        return loops;
    }
}
