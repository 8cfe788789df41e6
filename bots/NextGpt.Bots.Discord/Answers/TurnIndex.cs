using System.Collections.Concurrent;

namespace NextGpt.Bots.Discord.Answers;

/// <summary>A question that was answered here or is being answered.</summary>
internal sealed class IndexedTurn(AskedQuestion question, string turnId, AnswerWriter writer, IAnswerPlace place)
{
    public AskedQuestion Question { get; } = question;

    public string TurnId { get; } = turnId;

    public AnswerWriter Writer { get; } = writer;

    public IAnswerPlace Place { get; } = place;

    /// <summary>The question as edited, until it is asked again.</summary>
    public AskedQuestion? Edited { get; set; }

    /// <summary>Ends when the answer has been shown.</summary>
    public Task Shown { get; set; } = Task.CompletedTask;
}

/// <summary>
/// Which turn belongs to which message, for an hour at most: edits, deletions, replies and buttons find it here. In memory
/// alone. Thread-safe.
/// </summary>
internal sealed class TurnIndex(TimeProvider time)
{
    private const int Most = 10_000;
    private static readonly TimeSpan Life = TimeSpan.FromHours(1);
    private readonly ConcurrentDictionary<string, IndexedTurn> _byQuestion = new();
    private readonly ConcurrentQueue<(string Id, DateTimeOffset At)> _order = new();

    public int Count => _byQuestion.Count;

    public void Add(IndexedTurn turn)
    {
        _byQuestion[turn.Question.Id] = turn;
        _order.Enqueue((turn.Question.Id, time.GetUtcNow()));
        while (_order.TryPeek(out var oldest) && (_order.Count > Most || time.GetUtcNow() - oldest.At > Life)
            && _order.TryDequeue(out oldest))
        {
            _byQuestion.TryRemove(oldest.Id, out _);
        }
    }

    public IndexedTurn? OfQuestion(string messageId) => _byQuestion.GetValueOrDefault(messageId);

    public IndexedTurn? OfTurn(string turnId) => _byQuestion.Values.FirstOrDefault(turn => turn.TurnId == turnId);

    /// <summary>The turn one of whose answer's messages this is.</summary>
    public IndexedTurn? OfAnswer(string messageId) =>
        _byQuestion.Values.FirstOrDefault(turn => turn.Writer.Messages.Contains(messageId));

    public IReadOnlyList<IndexedTurn> OfServer(string server) =>
        [.. _byQuestion.Values.Where(turn => turn.Question.Server == server)];

    public void Remove(IndexedTurn turn) => _byQuestion.TryRemove(turn.Question.Id, out _);

    public void RemovePerson(string person)
    {
        foreach (var turn in _byQuestion.Values.Where(turn => turn.Question.Person == person).ToList())
        {
            Remove(turn);
        }
    }
}
