using NextGpt.Bots.Discord.Answers;
using NextGpt.Conversations;
using NextGpt.Host;

namespace NextGpt.Bots.Discord.Feedback;

/// <summary>One vote per person and turn: the last one counts, the same one again takes it back. Thread-safe.</summary>
internal sealed class VoteBook(KeptTurns kept)
{
    private const int Most = 50_000;
    private readonly Lock _gate = new();
    private readonly Dictionary<(string Person, string TurnId), TurnVote> _votes = [];

    /// <summary>Good and bad votes of everybody on a turn, as far as this process saw them.</summary>
    public (int Good, int Bad) Totals(string turnId)
    {
        lock (_gate)
        {
            var votes = _votes.Where(vote => vote.Key.TurnId == turnId).Select(vote => vote.Value).ToList();
            return (votes.Count(vote => vote == TurnVote.Good), votes.Count(vote => vote == TurnVote.Bad));
        }
    }

    /// <summary>The vote of a person that stands: as this process saw it, else as it is kept.</summary>
    public TurnVote Of(string person, string turnId)
    {
        lock (_gate)
        {
            if (_votes.TryGetValue((person, turnId), out var seen))
            {
                return seen;
            }
        }

        return kept.VoteOf(TurnRunner.Surface, person, turnId);
    }

    /// <summary>A press of a thumb. Returns the vote that now stands.</summary>
    public async Task<TurnVote> PressAsync(string person, string turnId, bool isGood, CancellationToken cancellationToken)
    {
        var before = Of(person, turnId);
        var pressed = isGood ? TurnVote.Good : TurnVote.Bad;
        lock (_gate)
        {
            if (_votes.Count > Most)
            {
                _votes.Clear();
            }

            pressed = _votes.GetValueOrDefault((person, turnId), before) == pressed ? TurnVote.None : pressed;
            _votes[(person, turnId)] = pressed;
        }

        // Of somebody else's turn nothing is kept: such votes count in the totals alone.
        await kept.RateAsync(TurnRunner.Surface, person, turnId, pressed, cancellationToken: cancellationToken);
        return pressed;
    }

    /// <summary>Sets a vote without taking it back (reactions, the form's text).</summary>
    public async Task SetAsync(string person, string turnId, bool? isGood, string? reason, CancellationToken cancellationToken)
    {
        var vote = isGood switch { true => TurnVote.Good, false => TurnVote.Bad, null => TurnVote.None };
        lock (_gate)
        {
            _votes[(person, turnId)] = vote;
        }

        await kept.RateAsync(TurnRunner.Surface, person, turnId, vote, reason, cancellationToken: cancellationToken);
    }
}
