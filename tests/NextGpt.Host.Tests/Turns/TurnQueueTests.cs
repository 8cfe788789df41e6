using Microsoft.Extensions.Time.Testing;
using NextGpt.Host.Turns;

namespace NextGpt.Host.Tests.Turns;

public sealed class TurnQueueTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void QUE_1_one_works_32_wait_and_the_next_is_refused_with_503()
    {
        var queue = new TurnQueue(new TurnOptions(), _time);
        Assert.All(Enumerable.Range(0, 33), i => Assert.Null(queue.TryEnter(Ticket($"p{i}"))));

        var refusal = Assert.IsType<TurnError>(queue.TryEnter(Ticket("late")));

        Assert.Equal((1, 32), (queue.Working, queue.Waiting));
        Assert.Equal(("busy", 503), (refusal.Code, refusal.HttpStatus));
        Assert.StartsWith("32 people are waiting; try again in about ", refusal.Sentence, StringComparison.Ordinal);
        Assert.True(refusal.RetryAfter >= TimeSpan.FromSeconds(1));
        Assert.Equal(0, refusal.RetryAfter?.Milliseconds);
    }

    [Fact]
    public void QUE_1_a_person_has_two_places_and_gets_429_for_the_third()
    {
        var queue = new TurnQueue(new TurnOptions(), _time);
        queue.TryEnter(Ticket("ana", conversation: "1"));
        queue.TryEnter(Ticket("ana", conversation: "2"));

        var refusal = queue.TryEnter(Ticket("ana", conversation: "3"));

        Assert.Equal(("busy", 429), (refusal?.Code, refusal?.HttpStatus));
        Assert.Null(queue.TryEnter(Ticket("bo")));
    }

    [Fact]
    public void QUE_1_a_group_has_eight_places_and_other_groups_have_theirs()
    {
        var queue = new TurnQueue(new TurnOptions(), _time);
        Assert.All(Enumerable.Range(0, 8), i => Assert.Null(queue.TryEnter(Ticket($"p{i}", "guild"))));

        Assert.Equal(429, queue.TryEnter(Ticket("p9", "guild"))?.HttpStatus);
        Assert.Null(queue.TryEnter(Ticket("p9", "other")));
        Assert.Null(queue.TryEnter(Ticket("p10")));
    }

    [Fact]
    public void QUE_1_a_flood_delays_another_person_by_at_most_one_turn()
    {
        var queue = new TurnQueue(new TurnOptions { MaxPerPerson = 20 }, _time);
        var flood = Enumerable.Range(0, 20).Select(i => Ticket("flood", conversation: $"c{i}")).ToList();
        flood.ForEach(ticket => queue.TryEnter(ticket));
        var other = Ticket("other");
        queue.TryEnter(other);

        queue.Leave(flood[0]);
        Assert.True(flood[1].IsWorking);
        queue.Leave(flood[1]);

        Assert.True(other.IsWorking);
    }

    [Fact]
    public void QUE_1_people_are_served_in_turn_and_each_in_order()
    {
        var queue = new TurnQueue(new TurnOptions { MaxPerPerson = 3 }, _time);
        var names = new[] { "a1", "a2", "a3", "b1", "b2", "c1" };
        var tickets = names.ToDictionary(name => name, name => Ticket(name[..1], conversation: name));
        foreach (var name in names)
        {
            queue.TryEnter(tickets[name]);
        }

        var served = new List<string>();
        while (tickets.FirstOrDefault(pair => pair.Value.IsWorking && !served.Contains(pair.Key)) is { Key: { } next })
        {
            served.Add(next);
            queue.Leave(tickets[next]);
        }

        Assert.Equal(["a1", "a2", "b1", "c1", "a3", "b2"], served);
    }

    [Fact]
    public void TRN_2_a_later_turn_of_a_conversation_never_begins_before_the_earlier_one_has_ended()
    {
        var queue = new TurnQueue(new TurnOptions { MaxWorking = 3 }, _time);
        var first = Ticket("ana", conversation: "thread");
        var second = Ticket("bo", conversation: "thread");
        var elsewhere = Ticket("bo", conversation: "own");
        queue.TryEnter(first);
        queue.TryEnter(second);
        queue.TryEnter(elsewhere);

        Assert.True(elsewhere.IsWorking);
        Assert.False(second.IsWorking);
        queue.Leave(first);
        Assert.True(second.IsWorking);
    }

    [Fact]
    public void QUE_2_places_follow_the_order_of_service_and_estimates_grow_with_them()
    {
        var queue = new TurnQueue(new TurnOptions { MaxPerPerson = 3 }, _time);
        var working = Ticket("w");
        var (a1, a2, b1) = (Ticket("a", conversation: "1"), Ticket("a", conversation: "2"), Ticket("b"));
        foreach (var ticket in new[] { working, a1, a2, b1 })
        {
            queue.TryEnter(ticket);
        }

        Assert.Equal([1, 3, 2], new[] { a1, a2, b1 }.Select(ticket => queue.PlaceOf(ticket)?.Position));
        Assert.True(queue.PlaceOf(a1)?.Estimate < queue.PlaceOf(b1)?.Estimate);
        Assert.True(queue.PlaceOf(b1)?.Estimate < queue.PlaceOf(a2)?.Estimate);
        Assert.Null(queue.PlaceOf(working));
    }

    [Fact]
    public void QUE_2_estimates_learn_from_what_turns_took()
    {
        var queue = new TurnQueue(new TurnOptions(), _time);
        for (var i = 0; i < 30; i++)
        {
            var ticket = Ticket("x");
            queue.TryEnter(ticket);
            _time.Advance(TimeSpan.FromSeconds(40));
            queue.Leave(ticket);
        }

        queue.TryEnter(Ticket("working"));
        var waiting = Ticket("waiting");
        queue.TryEnter(waiting);

        Assert.InRange(queue.PlaceOf(waiting)?.Estimate.TotalSeconds ?? 0, 39, 41);
    }

    [Fact]
    public void TRN_3_a_place_that_is_given_back_is_free_at_once()
    {
        var queue = new TurnQueue(new TurnOptions { MaxWaiting = 1 }, _time);
        var (working, waiting, next) = (Ticket("a"), Ticket("b"), Ticket("c"));
        queue.TryEnter(working);
        queue.TryEnter(waiting);
        Assert.NotNull(queue.TryEnter(next));

        queue.Leave(waiting);

        Assert.Null(queue.TryEnter(next));
        queue.Leave(waiting);   // twice does no harm
        queue.Leave(working);
        Assert.True(next.IsWorking);
        Assert.Equal((1, 0), (queue.Working, queue.Waiting));
    }

    [Fact]
    public void QUE_6_whatever_comes_and_goes_nothing_is_left_over_and_nobody_is_forgotten()
    {
        var random = new Random(20260801);
        var queue = new TurnQueue(new TurnOptions { MaxWorking = 2, MaxPerPerson = 3 }, _time);
        var alive = new List<QueueTicket>();
        for (var step = 0; step < 20_000; step++)
        {
            if (random.Next(2) == 0)
            {
                var ticket = Ticket($"p{random.Next(12)}", random.Next(2) == 0 ? $"g{random.Next(3)}" : null, $"c{random.Next(9)}");
                if (queue.TryEnter(ticket) is null)
                {
                    alive.Add(ticket);
                }
            }
            else if (alive.Count > 0)
            {
                var ticket = alive[random.Next(alive.Count)];
                queue.Leave(ticket);
                alive.Remove(ticket);
            }

            Assert.Equal(alive.Count, queue.Working + queue.Waiting);
            Assert.Equal(queue.Working, alive.Count(ticket => ticket.IsWorking));
            var working = alive.Where(ticket => ticket.IsWorking).Select(ticket => ticket.Conversation).ToList();
            Assert.Equal(working.Count, working.Distinct().Count());   // never two of one conversation
            var free = alive.Where(ticket => !ticket.IsWorking).Any(ticket => !working.Contains(ticket.Conversation));
            Assert.True(queue.Working == 2 || !free);   // the model is never idle while somebody could be served
        }

        while (alive.Count > 0)
        {
            var ticket = alive.First(ticket => ticket.IsWorking);
            queue.Leave(ticket);
            alive.Remove(ticket);
        }

        Assert.Equal((0, 0), (queue.Working, queue.Waiting));
    }

    private static QueueTicket Ticket(string person, string? group = null, string? conversation = null) =>
        new(person, group, conversation ?? person);
}
