using System.Globalization;
using System.Text;
using NextGpt.Conversations;
using NextGpt.Conversations.KillTarget;

// Usage: KillTarget FOLDER SUBMITTERS SEED
// Writes one line per event to standard output, which the parent reads as an external ledger:
//   ready            the log is open
//   K person turn    the turn was acknowledged as kept
//   V person turn    the vote on the turn was acknowledged
//   r person turn    removal of the turn begins        R person turn   it was acknowledged
//   e person         erasure of the person begins      E person        it was acknowledged
//   C                a compaction was done
// The text of a turn follows from its id, so that the parent can tell whether it is whole.
//
// Usage: KillTarget measure
// Prints appends per second, p95, and the time to open 10,000 turns.
if (args is ["measure"])
{
    await Measurement.RunAsync();
    return;
}

var folder = args[0];
var submitters = int.Parse(args[1], CultureInfo.InvariantCulture);
var seed = int.Parse(args[2], CultureInfo.InvariantCulture);

var output = Console.OpenStandardOutput();
var outputLock = new Lock();
await using var log = await ConversationLog.OpenAsync(
    new() { Folder = Path.Combine(folder, "log"), BackupFolder = Path.Combine(folder, "backups") }, TimeProvider.System);
Say("ready");
await Task.WhenAll(Enumerable.Range(0, submitters).Select(submitter => Task.Run(() => SubmitAsync(submitter))));

async Task SubmitAsync(int submitter)
{
    var random = new Random(seed + submitter);
    for (var life = 0; ; life++)
    {
        var person = log.KeyOf("kill", string.Create(CultureInfo.InvariantCulture, $"{seed}/{submitter}/{life}"));
        await log.SetConsentAsync(person, keep: true, train: true, "1");
        var turns = new List<string>();
        for (var i = random.Next(2, 8); i > 0; i--)
        {
            turns.Add(await KeepAsync(person, random));
        }

        if (random.Next(3) == 0)
        {
            var removed = turns[random.Next(turns.Count)];
            Say($"r {person} {removed}");
            await log.RemoveTurnAsync(person, removed);
            Say($"R {person} {removed}");
        }

        if (random.Next(2) == 0)
        {
            Say($"e {person}");
            await log.EraseAsync(person);
            Say($"E {person}");
        }

        if (submitter == 0 && random.Next(6) == 0)
        {
            await log.CompactAsync();
            Say("C");
        }
    }
}

async Task<string> KeepAsync(PersonKey person, Random random)
{
    var turn = string.Create(CultureInfo.InvariantCulture, $"{random.NextInt64():x16}{random.NextInt64():x16}");
    var medium = random.Next(8) == 0
        ? [new TurnMedium(true, "image/png", Encoding.UTF8.GetBytes("medium of " + turn), null)]
        : Array.Empty<TurnMedium>();
    var outcome = await log.AppendAsync(new()
    {
        TurnId = turn,
        MessageKey = "kill:" + turn,
        ConversationId = "c-" + person,
        Person = person,
        Surface = "console",
        Question = KillText.Of(turn, "question"),
        Answer = KillText.Of(turn, "answer"),
        Media = medium,
        ModelId = "toy",
        Seed = 1,
        FinishReason = "stop",
        AskedAt = DateTimeOffset.UnixEpoch,
        AnsweredAt = DateTimeOffset.UnixEpoch,
    });
    if (outcome is not AppendOutcome.Kept)
    {
        throw new InvalidOperationException($"A turn was not kept: {outcome}.");
    }

    Say($"K {person} {turn}");
    if (random.Next(4) == 0)
    {
        await log.RateAsync(person, turn, TurnVote.Good, "vote of " + turn[..8], null);
        Say($"V {person} {turn}");
    }

    return turn;
}

void Say(string line)
{
    var bytes = Encoding.ASCII.GetBytes(line + "\n");
    lock (outputLock)
    {
        output.Write(bytes);
        output.Flush();
    }
}
