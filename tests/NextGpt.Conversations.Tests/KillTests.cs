using System.Diagnostics;
using System.Globalization;
using NextGpt.Conversations.KillTarget;

namespace NextGpt.Conversations.Tests;

/// <summary>
/// DUR-1 against the real disk: a process that writes is killed at random instants, and what it had acknowledged on its
/// output, an external ledger, is compared with what the log then holds.
/// </summary>
public sealed class KillTests : IDisposable
{
    private readonly LogFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    [Trait("Product", "DUR-1")]
    [Trait("Product", "DUR-5")]
    public async Task Killed_at_random_instants_nothing_acknowledged_is_lost_and_erased_stays_erased(int submitters)
    {
        var kills = LongForm.Requested ? 100 : 10;
        var ledger = new Ledger();
        for (var kill = 0; kill < kills; kill++)
        {
            var seed = ((submitters * 1_000) + kill) * 100;   // each submitter adds its number
            using var target = Target.Start(_folder.Root, submitters, seed);
            target.KillAfter(new Random(seed).Next(1, 60 + (10 * submitters)), ledger);

            var watch = Stopwatch.StartNew();
            await using var log = await ConversationLog.OpenAsync(_folder.Options, TimeProvider.System);
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), $"opening took {watch.Elapsed}");
            await ledger.CompareAsync(log, seed);
        }

        Assert.True(ledger.Kept > kills, "the process was killed before it kept anything");
        Assert.True(ledger.Erased > 0, "no erasure was acknowledged");
    }

    [Fact]
    [Trait("Product", "LOG-2")]
    [Trait("Product", "DUR-3")]
    public async Task A_log_in_use_is_refused_by_name_and_the_lock_of_a_killed_process_is_taken_over()
    {
        using (var target = Target.Start(_folder.Root, 1, 5))
        {
            target.WaitUntilReady();
            var failure = await Assert.ThrowsAsync<LogLockedException>(() => _folder.OpenAsync());
            Assert.Equal(
                string.Create(
                    CultureInfo.InvariantCulture, $"The log is in use by process {target.Id}; stop it or use its API."),
                failure.Message);
            target.KillAfter(1, new());
        }

        await using var log = await _folder.OpenAsync();
        Assert.True(log.IsAvailable);
        await Assert.ThrowsAsync<LogLockedException>(() => _folder.OpenAsync());   // also within one process
    }

    private sealed class Target(Process process) : IDisposable
    {
        public int Id => process.Id;

        public static Target Start(string root, int submitters, int seed)
        {
            var dotnet = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";
            string[] arguments =
            [
                "exec", typeof(KillText).Assembly.Location, root,
                submitters.ToString(CultureInfo.InvariantCulture), seed.ToString(CultureInfo.InvariantCulture),
            ];
            var start = new ProcessStartInfo(dotnet, arguments) { RedirectStandardOutput = true };
            return new(Process.Start(start) ?? throw new InvalidOperationException("The target did not start."));
        }

        public void WaitUntilReady() => Assert.Equal("ready", process.StandardOutput.ReadLine());

        /// <summary>Kills once this many lines were read; what is still in the pipe counts as acknowledged.</summary>
        public void KillAfter(int lines, Ledger ledger)
        {
            for (var read = 0; process.StandardOutput.ReadLine() is { } line; read++)
            {
                ledger.Note(line);
                if (read == lines)
                {
                    process.Kill();
                }
            }

            process.WaitForExit();
        }

        public void Dispose()
        {
            if (!process.HasExited)
            {
                process.Kill();
                process.WaitForExit();
            }

            process.Dispose();
        }
    }

    private sealed class Ledger
    {
        private readonly Dictionary<string, string> _kept = [];   // turn to person
        private readonly HashSet<string> _rated = [];
        private readonly HashSet<string> _removing = [];
        private readonly HashSet<string> _removed = [];
        private readonly HashSet<string> _erasing = [];
        private readonly HashSet<string> _erased = [];

        public int Kept => _kept.Count;

        public int Erased => _erased.Count;

        public void Note(string line)
        {
            switch (line.Split(' '))
            {
                case ["K", var person, var turn]:
                    _kept[turn] = person;
                    break;
                case ["V", _, var turn]:
                    _rated.Add(turn);
                    break;
                case ["r", _, var turn]:
                    _removing.Add(turn);
                    break;
                case ["R", _, var turn]:
                    _removed.Add(turn);
                    break;
                case ["e", var person]:
                    _erasing.Add(person);
                    break;
                case ["E", var person]:
                    _erased.Add(person);
                    break;
                default:
                    break;   // ready, C
            }
        }

        public async Task CompareAsync(ConversationLog log, int seed)
        {
            foreach (var (turn, person) in _kept)
            {
                var read = log.ReadTurn(new(person), turn);
                if (_erased.Contains(person) || _removed.Contains(turn))
                {
                    Assert.True(read is null, $"kill {seed}: turn {turn} came back");
                }
                else if (!_erasing.Contains(person) && !_removing.Contains(turn))
                {
                    Assert.True(read is not null, $"kill {seed}: turn {turn} is lost");
                    Assert.Equal(KillText.Of(turn, "question"), read.Turn.Question);
                    Assert.Equal(KillText.Of(turn, "answer"), read.Turn.Answer);
                    Assert.All(read.MediaHashes, hash => Assert.NotNull(log.ReadMedium(new(person), hash)));
                    Assert.True(!_rated.Contains(turn) || read.Vote is TurnVote.Good, $"kill {seed}: a vote is lost");
                }
            }

            foreach (var person in _kept.Values.Distinct())
            {
                // The index agrees with the journal, and an erasure happened as a whole or not at all.
                var mine = _kept.Where(pair => pair.Value == person).Select(pair => pair.Key).Except(_removing).ToList();
                var read = (await log.ReadAsync(new(person))).Select(turn => turn.Turn.TurnId).ToHashSet();
                Assert.True(
                    mine.TrueForAll(read.Contains) || (_erasing.Contains(person) && read.Count == 0),
                    $"kill {seed}: {read.Count} of {mine.Count} turns");
            }

            var check = await log.VerifyAsync();
            Assert.True(check.IsSound, $"kill {seed}: {check.Damaged.Count} damaged, audit {check.AuditIsSound}");
        }
    }
}
