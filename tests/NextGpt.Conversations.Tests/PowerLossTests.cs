using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using NextGpt.Conversations.Tests.Files;

namespace NextGpt.Conversations.Tests;

/// <summary>DUR-1 on a disk that drops, tears and reorders what was not flushed.</summary>
public sealed class PowerLossTests : IDisposable
{
    private readonly LogFolder _index = new();

    public void Dispose() => _index.Dispose();

    [Fact]
    [Trait("Product", "DUR-1")]
    public async Task After_a_power_loss_at_any_moment_every_acknowledged_turn_is_whole_and_erased_stays_erased()
    {
        var losses = LongForm.Requested ? 500 : 16;
        for (var seed = 0; seed < losses; seed++)
        {
            await LoseAsync(seed);
        }
    }

    private async Task LoseAsync(int seed)
    {
        var index = Path.Combine(_index.Root, seed.ToString(CultureInfo.InvariantCulture));   // each disk has its own index
        Directory.CreateDirectory(index);
        var random = new Random(seed);
        var files = new FaultyFileLayer { OperationsLeft = random.Next(20, 500) };
        var kept = new Dictionary<string, (PersonKey Person, string Text)>();
        var (gone, doubtful) = (new HashSet<string>(), new HashSet<string>());
        for (var life = 0; life < 2; life++)
        {
            await using (var log = await OpenAsync(files, index))
            {
                await UseAsync(log, random, kept, gone, doubtful);
            }

            files.Crash(random);
            files.OperationsLeft = life == 0 ? random.Next(20, 500) : null;
        }

        await using var last = await OpenAsync(files, index);
        Assert.True(last.IsAvailable, $"seed {seed}: {last.UnavailableBecause}");
        foreach (var (turn, (person, text)) in kept)
        {
            var read = last.ReadTurn(person, turn);
            if (gone.Contains(turn))
            {
                Assert.True(read is null, $"seed {seed}: an erased turn came back");
                Assert.All(files.Contents().Values, bytes =>
                    Assert.True(bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(text)) < 0, $"seed {seed}: erased bytes are still there"));
            }
            else if (!doubtful.Contains(turn))
            {
                Assert.True(read?.Turn.Question == text, $"seed {seed}: an acknowledged turn is lost");
                Assert.All(read.MediaHashes, hash => Assert.NotNull(last.ReadMedium(person, hash)));
            }
        }

        var check = await last.VerifyAsync();
        Assert.True(check.Damaged.Count == 0, $"seed {seed}: {check.Damaged.Count} damaged records");
        Assert.True(check.AuditIsSound, $"seed {seed}: the audit trail is broken");
    }

    private static async Task UseAsync(
        ConversationLog log,
        Random random,
        Dictionary<string, (PersonKey Person, string Text)> kept,
        HashSet<string> gone,
        HashSet<string> doubtful)
    {
        try
        {
            for (var step = 0; log.IsAvailable; step++)
            {
                var person = log.KeyOf("console", $"user {random.Next(3)}");
                if (!log.GetConsent(person).Keep)
                {
                    await log.SetConsentAsync(person, keep: true, train: false, "1");
                }

                var mine = kept.Where(pair => pair.Value.Person == person).Select(pair => pair.Key).ToList();
                switch (random.Next(12))
                {
                    case 0:
                        doubtful.UnionWith(mine);
                        await log.EraseAsync(person);
                        gone.UnionWith(mine);
                        break;
                    case 1:
                        doubtful.UnionWith(mine);
                        await log.SetConsentAsync(person, keep: false, train: false, "1");
                        gone.UnionWith(mine);
                        break;
                    case 2 when mine.Count > 0:
                        var one = mine[random.Next(mine.Count)];
                        doubtful.Add(one);
                        await log.RemoveTurnAsync(person, one);
                        gone.Add(one);
                        break;
                    case 3 when mine.Count > 0:
                        await log.RateAsync(person, mine[random.Next(mine.Count)], TurnVote.Good, "well said", null);
                        break;
                    case 4:
                        await log.CompactAsync();
                        break;
                    case 5:
                        var key = $"console:{random.Next()}:0";
                        await log.TryBeginMessageAsync(key, "here");
                        await log.CompleteMessageAsync(key, MessageEnd.Answered);
                        break;
                    default:
                        await Task.WhenAll(Enumerable.Range(0, random.Next(1, 4)).Select(_ => KeepAsync(log, person, kept)));
                        break;
                }
            }
        }
        catch (LogUnavailableException)
        {
            // The power is off.
        }
    }

    private static async Task KeepAsync(
        ConversationLog log, PersonKey person, Dictionary<string, (PersonKey Person, string Text)> kept)
    {
        var turn = Guid.NewGuid().ToString("N");
        var text = "words-" + string.Concat(turn.Where(char.IsAsciiLetter)) + turn.Length;
        var outcome = await log.AppendAsync(new()
        {
            TurnId = turn,
            MessageKey = "console:" + turn,
            ConversationId = "c",
            Person = person,
            Surface = "console",
            Question = text,
            Answer = "answer",
            Media = turn[0] is 'a' or 'b' ? [new(true, "image/png", Encoding.ASCII.GetBytes("medium " + turn), null)] : [],
            ModelId = "toy",
            Seed = 1,
            FinishReason = "stop",
            AskedAt = DateTimeOffset.UnixEpoch,
            AnsweredAt = DateTimeOffset.UnixEpoch,
        });
        if (outcome is AppendOutcome.Kept)
        {
            lock (kept)
            {
                kept[turn] = (person, text);
            }
        }
    }

    private static Task<ConversationLog> OpenAsync(FaultyFileLayer files, string index) => ConversationLog.OpenAsync(
        new() { Folder = "/disk/log", BackupFolder = "/disk/backups" },
        new FakeTimeProvider(),
        files,
        index,
        NullLogger.Instance);
}
