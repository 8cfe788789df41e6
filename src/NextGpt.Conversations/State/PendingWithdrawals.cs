using System.Collections.Concurrent;

namespace NextGpt.Conversations.State;

/// <summary>Withdrawals that hold already and are not on the disk yet. Thread-safe.</summary>
internal sealed class PendingWithdrawals
{
    private readonly ConcurrentDictionary<UInt128, ConsentContent> _acts = [];

    public void Add(UInt128 person, ConsentContent act) => _acts[person] = act;

    public void Remove(UInt128 person) => _acts.TryRemove(person, out _);

    public bool Has(UInt128 person) => _acts.ContainsKey(person);

    public IReadOnlyList<KeyValuePair<UInt128, ConsentContent>> All() => [.. _acts];
}
