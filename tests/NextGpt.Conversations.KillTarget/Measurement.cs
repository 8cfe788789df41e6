using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace NextGpt.Conversations.KillTarget;

/// <summary>Measures the log on this machine's disk.</summary>
internal static class Measurement
{
    private const int Turns = 10_000;

    public static async Task RunAsync()
    {
        var root = Path.Combine(Path.GetTempPath(), "nextgpt-measure-" + Guid.NewGuid().ToString("N"));
        var options = new ConversationOptions { Folder = Path.Combine(root, "log"), BackupFolder = Path.Combine(root, "backups") };
        try
        {
            PersonKey person;
            await using (var log = await ConversationLog.OpenAsync(options, TimeProvider.System))
            {
                person = log.KeyOf("console", "measure");
                await log.SetConsentAsync(person, keep: true, train: true, "1");
                await AppendAsync(log, person, 1, 500);   // warm-up
                await AppendAsync(log, person, 1, 1_500);
                await AppendAsync(log, person, 16, Turns - 2_000);
                await TimeAsync("read all turns of the person", () => log.ReadAsync(person));
                await TimeAsync("page of 50", () => log.ReadPageAsync(person));
                await TimeAsync("export", () => log.ExportAsync(person, new MemoryStream()));
                await TimeAsync("verify", () => log.VerifyAsync());
                await TimeAsync("compact", () => log.CompactAsync());
                await TimeAsync("backup", () => log.BackupAsync());
                var stats = log.GetStats();
                Say($"{stats.Turns} turns, journal {stats.JournalBytes / 1e6:F1} MB, index {stats.IndexBytes / 1e6:F1} MB");
            }

            await TimeAsync("open 10,000 turns, closed in order, and read one", () => OpenAsync(options, person));
            File.Delete(Path.Combine(options.Folder, "index.mark"));
            await TimeAsync("open 10,000 turns, index made anew, and read one", () => OpenAsync(options, person));
            await using var last = await ConversationLog.OpenAsync(options, TimeProvider.System);
            await TimeAsync("erase 10,000 turns", () => last.EraseAsync(person));
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private static async Task OpenAsync(ConversationOptions options, PersonKey person)
    {
        await using var log = await ConversationLog.OpenAsync(options, TimeProvider.System);
        await log.ReadPageAsync(person, most: 1);
    }

    private static async Task AppendAsync(ConversationLog log, PersonKey person, int submitters, int turns)
    {
        var times = new ConcurrentBag<double>();
        var next = 0;
        var whole = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, submitters).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Increment(ref next) <= turns)
            {
                var turn = Guid.NewGuid().ToString("N");
                var one = Stopwatch.StartNew();
                var outcome = await log.AppendAsync(new()
                {
                    TurnId = turn,
                    MessageKey = "console:" + turn,
                    ConversationId = "measure",
                    Person = person,
                    Surface = "console",
                    Question = KillText.Of(turn, "question"),
                    Answer = KillText.Of(turn, "answer") + KillText.Of(turn, "more") + KillText.Of(turn, "most"),
                    ModelId = "toy",
                    Seed = 1,
                    FinishReason = "stop",
                    AskedAt = DateTimeOffset.UnixEpoch,
                    AnsweredAt = DateTimeOffset.UnixEpoch,
                });
                times.Add(one.Elapsed.TotalMilliseconds);
                if (outcome is not AppendOutcome.Kept)
                {
                    throw new InvalidOperationException($"A turn was not kept: {outcome}.");
                }
            }
        })));
        var sorted = times.Order().ToList();
        Say($"{submitters} submitters: {turns / whole.Elapsed.TotalSeconds:F0} appends/s, p50 {sorted[turns / 2]:F1} ms, p95 {sorted[turns * 95 / 100]:F1} ms, worst {sorted[^1]:F0} ms");
    }

    private static async Task TimeAsync(string what, Func<Task> work)
    {
        var watch = Stopwatch.StartNew();
        await work();
        Say($"{what}: {watch.Elapsed.TotalMilliseconds:F0} ms");
    }

    private static void Say(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
