using System.Globalization;
using System.Text;
using Microsoft.Extensions.Time.Testing;

namespace NextGpt.Conversations.Tests;

/// <summary>A log in a folder of its own, removed afterwards, with a clock that stands still.</summary>
public sealed class LogFolder : IDisposable
{
    private int _next;

    public LogFolder()
    {
        Root = Path.Combine(Path.GetTempPath(), "nextgpt-log-" + Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(Root);
    }

    public string Root { get; }

    public string Folder => Path.Combine(Root, "log");

    public string Backups => Path.Combine(Root, "backups");

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2025, 6, 1, 12, 0, 0, TimeSpan.Zero));

    public ConversationOptions Options => new() { Folder = Folder, BackupFolder = Backups };

    public Task<ConversationLog> OpenAsync(ConversationOptions? options = null) =>
        ConversationLog.OpenAsync(options ?? Options, Time);

    public TurnDraft Draft(PersonKey person, string question = "What is a heron?", string answer = "A wading bird.") => new()
    {
        TurnId = Guid.NewGuid().ToString("N"),
        MessageKey = string.Create(CultureInfo.InvariantCulture, $"console:m{++_next}:0"),
        ConversationId = "conversation-1",
        Person = person,
        Surface = "console",
        Question = question,
        Answer = answer,
        ModelId = "toy",
        Seed = 7,
        FinishReason = "stop",
        PromptTokens = 12,
        ReplyTokens = 5,
        AskedAt = Time.GetUtcNow(),
        AnsweredAt = Time.GetUtcNow().AddSeconds(2),
    };

    /// <summary>Opens, lets a person agree, keeps turns and closes.</summary>
    public async Task<PersonKey> FillAsync(int turns, string user = "ana")
    {
        await using var log = await OpenAsync();
        var person = log.KeyOf("console", user);
        await log.SetConsentAsync(person, keep: true, train: true, "1");
        for (var i = 0; i < turns; i++)
        {
            Assert.Equal(AppendOutcome.Kept, await log.AppendAsync(Draft(person, $"question number {i}")));
        }

        return person;
    }

    /// <summary>Files below the root that hold this text, as UTF-8 or UTF-16.</summary>
    public IReadOnlyList<string> FilesWith(string text)
    {
        byte[][] needles = [Encoding.UTF8.GetBytes(text), Encoding.Unicode.GetBytes(text)];
        return [.. Files().Where(path =>
        {
            var bytes = ReadShared(path);
            return needles.Any(needle => bytes.AsSpan().IndexOf(needle) >= 0);
        })];
    }

    /// <summary>Every file below the root with its bytes.</summary>
    public SortedDictionary<string, byte[]> Snapshot() =>
        new(Files().ToDictionary(path => Path.GetRelativePath(Root, path), ReadShared), StringComparer.Ordinal);

    public void Dispose() => Directory.Delete(Root, recursive: true);

    // The lock file is held exclusively by the log and always empty.
    private IEnumerable<string> Files() => Directory.EnumerateFiles(Root, "*", SearchOption.AllDirectories)
        .Where(path => Path.GetFileName(path) != "log.lock");

    private static byte[] ReadShared(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
