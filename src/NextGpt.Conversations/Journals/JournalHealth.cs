namespace NextGpt.Conversations.Journals;

/// <summary>What opening or checking a journal found.</summary>
internal sealed class JournalHealth
{
    /// <summary>Sound records, void ones included.</summary>
    public long Records { get; set; }

    /// <summary>Sound records that are void.</summary>
    public long Voids { get; set; }

    /// <summary>Bytes of void records.</summary>
    public long VoidBytes { get; set; }

    /// <summary>Bytes of all segments.</summary>
    public long Bytes { get; set; }

    /// <summary>Records at the end that were cut because they were not whole: never acknowledged, or not provably so.</summary>
    public int TornRecords { get; set; }

    /// <summary>Bytes cut at the end.</summary>
    public long TornBytes { get; set; }

    /// <summary>Segment headers that were damaged and written anew.</summary>
    public int DamagedHeaders { get; set; }

    /// <summary>Records that were damaged when an earlier compaction left them out.</summary>
    public long LostEarlier { get; set; }

    /// <summary>Sequence numbers whose records are damaged or missing, in order.</summary>
    public List<DamagedRange> Damaged { get; } = [];

    /// <summary>Takes a record out of the damaged ones.</summary>
    public void Heal(long sequence)
    {
        var at = Damaged.FindIndex(range => range.First <= sequence && sequence <= range.Last);
        if (at < 0)
        {
            return;
        }

        var (first, last) = Damaged[at];
        Damaged.RemoveAt(at);
        if (sequence < last)
        {
            Damaged.Insert(at, new(sequence + 1, last));
        }

        if (first < sequence)
        {
            Damaged.Insert(at, new(first, sequence - 1));
        }
    }

    /// <summary>Damaged records.</summary>
    public long DamagedRecords => Damaged.Sum(range => range.Last - range.First + 1);
}

/// <summary>Records that cannot be read.</summary>
/// <param name="First">First sequence number.</param>
/// <param name="Last">Last sequence number.</param>
internal readonly record struct DamagedRange(long First, long Last);
