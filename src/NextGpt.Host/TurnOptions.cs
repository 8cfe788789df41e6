using System.ComponentModel.DataAnnotations;

namespace NextGpt.Host;

/// <summary>How many turns wait and work, how long they may take, how long they are remembered.</summary>
public sealed class TurnOptions
{
    /// <summary>The configuration section.</summary>
    public const string SectionName = "NextGpt:Turns";

    /// <summary>Turns the model works on at once. Default 1.</summary>
    [Range(1, 256)]
    public int MaxWorking { get; init; } = 1;

    /// <summary>Turns that may wait; one more is refused at once. Default 32.</summary>
    [Range(0, 10_000)]
    public int MaxWaiting { get; init; } = 32;

    /// <summary>Turns of one person that may wait or work. Default 2.</summary>
    [Range(1, 1_000)]
    public int MaxPerPerson { get; init; } = 2;

    /// <summary>Turns of one server or tenant that may wait or work. Default 8.</summary>
    [Range(1, 10_000)]
    public int MaxPerGroup { get; init; } = 8;

    /// <summary>Waiting after which the person sees position and estimate, and again each time. Default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan QueueNoticeAfter { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest wait; then the turn is given back. Default 5 min.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan QueueTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Longest time from work begun to the first text. Default 10 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan FirstTokenTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Longest work on one turn. Default 10 min.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan TurnTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Time running turns get to finish at shutdown. Default 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan ShutdownGrace { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Longest time a turn that is not kept stays in memory. Default 1 h, which is also the most.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00",
        ErrorMessage = "NextGpt:Turns:MemoryTime must lie between 1 s and 1 h: what is not kept is not remembered longer.")]
    public TimeSpan MemoryTime { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How long a finished turn can be followed again (reload, lost network). Default 10 min.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan FollowTime { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// Longest message, in characters. Default 8,000. Tokens are the model's matter: what is left of its context beside
    /// the reply (1,536 of 2,048 by default).
    /// </summary>
    [Range(1, 1_000_000)]
    public int MaxCharacters { get; init; } = 8_000;

    /// <summary>Most files of one message. Default 4.</summary>
    [Range(0, 64)]
    public int MaxFiles { get; init; } = 4;

    /// <summary>Largest file of a message, in MiB. Default 25.</summary>
    [Range(1, 1_024)]
    public int MaxFileMegabytes { get; init; } = 25;

    /// <summary>Most pictures, sounds and clips of one answer. Default 4.</summary>
    [Range(0, 64)]
    public int MaxMediaPerAnswer { get; init; } = 4;

    /// <summary>Most pictures, sounds and clips that a conversation remembers; the oldest go first. Default 16.</summary>
    [Range(0, 1_000)]
    public int MaxRememberedMedia { get; init; } = 16;

    /// <summary>Most memory for the media of one conversation, in MiB; the oldest go first. Default 32.</summary>
    [Range(0, 4_096)]
    public int MaxRememberedMegabytes { get; init; } = 32;

    /// <summary>Most memory for the media of all conversations, in MiB; the oldest go first. Default 512.</summary>
    [Range(0, 65_536)]
    public int MaxRememberedMegabytesInAll { get; init; } = 512;

    /// <summary>System text of every conversation; null (default) leaves it to the model.</summary>
    [StringLength(8_000)]
    public string? SystemText { get; init; }
}
