using System.Globalization;
using System.Text;
using NextGpt.Conversations.Journals;
using NextGpt.Conversations.State;

namespace NextGpt.Conversations.Index;

/// <summary>A turn as the index knows it: what one may ask for, no content. Content stands in the journal alone.</summary>
internal sealed class TurnRow
{
    /// <summary>Journal sequence; the row's id.</summary>
    public long Id { get; set; }

    public string TurnId { get; set; } = "";

    public string Person { get; set; } = "";

    public string Conversation { get; set; } = "";

    public string Surface { get; set; } = "";

    public string ModelId { get; set; } = "";

    /// <summary>UTC, ISO 8601 text.</summary>
    public string AskedAt { get; set; } = "";

    /// <summary>Sort key: person, then sequence.</summary>
    public string PersonOrder { get; set; } = "";

    /// <summary>Sort key: person, conversation, then sequence.</summary>
    public string ConversationOrder { get; set; } = "";

    /// <summary>A <see cref="TurnVote"/> as number.</summary>
    public int Vote { get; set; }

    /// <summary>A <see cref="SensitiveTopics"/> as number.</summary>
    public int Topics { get; set; }

    public int Redactions { get; set; }

    public int MediaCount { get; set; }

    /// <summary>CRC32C over all the above.</summary>
    public long Check { get; set; }

    public static TurnRow Of(TurnEntry entry, TurnContent content, TurnVote vote)
    {
        var (person, sequence) = (TurnDirectory.Text(entry.Person), entry.Sequence);
        var row = new TurnRow
        {
            Id = sequence,
            TurnId = entry.Id,
            Person = person,
            Conversation = content.ConversationId,
            Surface = content.Surface,
            ModelId = content.ModelId,
            AskedAt = content.AskedAt.UtcDateTime.ToString("O", CultureInfo.InvariantCulture),
            PersonOrder = OrderOf(person, sequence),
            ConversationOrder = OrderOf(person, content.ConversationId, sequence),
            Vote = (int)vote,
            Topics = (int)content.Topics,
            Redactions = content.Redactions,
            MediaCount = content.Media.Count,
        };
        row.Check = row.Sum();
        return row;
    }

    public static string OrderOf(string person, long sequence) =>
        string.Create(CultureInfo.InvariantCulture, $"{person}|{sequence:D19}");

    public static string OrderOf(string person, string conversation, long sequence) =>
        string.Create(CultureInfo.InvariantCulture, $"{person}|{conversation}|{sequence:D19}");

    /// <summary>The checksum the row ought to have.</summary>
    public long Sum() => JournalFormat.Crc(Encoding.UTF8.GetBytes(string.Create(
        CultureInfo.InvariantCulture,
        $"{Id}\n{TurnId}\n{Person}\n{Conversation}\n{Surface}\n{ModelId}\n{AskedAt}\n{PersonOrder}\n{ConversationOrder}\n{Vote}\n{Topics}\n{Redactions}\n{MediaCount}")));
}
