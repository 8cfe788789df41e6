using System.IO.Compression;
using System.Text;
using System.Text.Json;

namespace NextGpt.Conversations.Tests;

public sealed class PrivacyTests : IDisposable
{
    private const string Planted = "quetzalcoatlish";
    private readonly LogFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    [Trait("Product", "PRI-1")]
    public async Task Before_consent_not_a_byte_on_disk_changes_but_message_keys()
    {
        await using var log = await _folder.OpenAsync();
        var person = log.KeyOf("web", "ana");
        await log.EraseAsync(person);   // settles the index, so that only what follows can change a file
        var before = _folder.Snapshot();

        var draft = _folder.Draft(person, Planted, Planted) with
        {
            Media = [new(true, "image/png", Encoding.UTF8.GetBytes(Planted), Planted)],
        };
        await log.TryBeginMessageAsync(draft.MessageKey, "channel 5");
        Assert.Equal(AppendOutcome.NoConsent, await log.AppendAsync(draft));
        Assert.False(await log.RateAsync(person, draft.TurnId, TurnVote.Bad, Planted, Planted));
        await log.CompleteMessageAsync(draft.MessageKey, MessageEnd.Answered);

        var after = _folder.Snapshot();
        var changed = before.Keys.Union(after.Keys).Where(path =>
            !before.TryGetValue(path, out var old) || !after.TryGetValue(path, out var now)
            || !old.AsSpan().SequenceEqual(now)).ToList();
        Assert.NotEmpty(changed);
        Assert.All(changed, path => Assert.StartsWith(Path.Combine("log", "messages"), path, StringComparison.Ordinal));
        Assert.Empty(_folder.FilesWith(Planted));
    }

    [Fact]
    [Trait("Product", "PRI-4")]
    [Trait("Product", "DUR-6")]
    public async Task After_erasure_a_byte_search_finds_nothing_of_the_person_and_everything_of_others()
    {
        const string others = "ichthyosaurish";
        await using var log = await _folder.OpenAsync();
        var (ana, bob) = (log.KeyOf("web", "ana"), log.KeyOf("web", "bob"));
        var shared = Encoding.UTF8.GetBytes("shared medium " + others);
        var drafts = new List<TurnDraft>();
        foreach (var (person, word) in new[] { (ana, Planted), (bob, others), (ana, Planted) })
        {
            await log.SetConsentAsync(person, keep: true, train: true, "1");
            var draft = _folder.Draft(person, $"{word} question", $"{word} answer") with
            {
                ConversationId = $"conversation-{word}",
                Media =
                [
                    new(true, "image/png", Encoding.UTF8.GetBytes(word + " medium"), word + " caption"),
                    new(true, "image/png", shared, null),
                ],
            };
            drafts.Add(draft);
            await log.TryBeginMessageAsync(draft.MessageKey + word, "route " + word);
            Assert.Equal(AppendOutcome.Kept, await log.AppendAsync(draft));
            await log.CompleteMessageAsync(draft.MessageKey + word, MessageEnd.Answered);
            await log.RateAsync(person, draft.TurnId, TurnVote.Bad, word + " reason", word + " correction");
        }

        var ticket = await log.PrepareExportAsync(ana);
        Assert.NotNull(log.ReadExport(ana, ticket.Id));
        var searched = Planted[..^1];   // the positive control: before, it is in journal, media and ledger
        Assert.True(_folder.FilesWith(searched).Count >= 3);

        var report = await log.ErasePersonAsync(ana);

        Assert.Equal((2, 1), (report.Turns, report.Media));
        Assert.Empty(_folder.FilesWith(searched));
        Assert.Empty(_folder.FilesWith(drafts[0].TurnId));
        Assert.Empty(_folder.FilesWith(drafts[0].MessageKey + Planted));
        Assert.Null(log.ReadExport(ana, ticket.Id));
        Assert.Equal(ConsentState.None, log.GetConsent(ana));
        Assert.Equal("ichthyosaurish question", Assert.Single(await log.ReadAsync(bob)).Turn.Question);
        Assert.Equal(2, log.GetStats().MediaFiles);   // the shared one stays for bob
        Assert.Contains(log.ReadAudit(), entry => entry.Act == "erase" && entry.Actor == ana.Value);
    }

    [Fact]
    [Trait("Product", "PRI-4")]
    public async Task An_erasure_holds_after_compaction_restart_and_a_new_yes()
    {
        var person = await _folder.FillAsync(3);
        await using (var log = await _folder.OpenAsync())
        {
            Assert.Equal(3, await log.EraseAsync(person));
            Assert.Equal(0, await log.EraseAsync(person));
            await log.SetConsentAsync(person, keep: true, train: false, "1");
            await log.AppendAsync(_folder.Draft(person, "after it all"));
            await log.CompactAsync();
            Assert.Single(await log.ReadAsync(person));
        }

        await using var again = await _folder.OpenAsync();
        Assert.Equal("after it all", Assert.Single(await again.ReadAsync(person)).Turn.Question);
        Assert.True((await again.VerifyAsync()).IsSound);
    }

    [Fact]
    [Trait("Product", "PRI-4")]
    public async Task Damaged_bytes_that_may_be_anybodys_go_with_an_erasure()
    {
        var person = await _folder.FillAsync(5);
        var journal = Directory.GetFiles(Path.Combine(_folder.Folder, "journal-0001")).Single();
        var bytes = File.ReadAllBytes(journal);
        var at = bytes.AsSpan().IndexOf("question number 2"u8);
        bytes[at] ^= 1;   // "puestion number 2": the record is damaged, its words are still there
        File.WriteAllBytes(journal, bytes);

        await using var log = await _folder.OpenAsync();
        Assert.Equal(4, (await log.ReadAsync(person)).Count);
        Assert.NotEmpty(_folder.FilesWith("uestion number 2"));
        await log.EraseAsync(person);
        Assert.Empty(_folder.FilesWith("uestion number"));
    }

    [Fact]
    [Trait("Product", "PRI-3")]
    public async Task An_export_holds_ones_own_data_and_media_only_and_expires()
    {
        await using var log = await _folder.OpenAsync();
        var (ana, bob) = (log.KeyOf("web", "ana"), log.KeyOf("web", "bob"));
        var picture = Encoding.UTF8.GetBytes("picture bytes");
        foreach (var person in new[] { ana, bob })
        {
            await log.SetConsentAsync(person, keep: true, train: false, "1");
            await log.AppendAsync(_folder.Draft(person, person == ana ? "mine" : Planted) with
            {
                Media = [new(true, "image/png", person == ana ? picture : Encoding.UTF8.GetBytes(Planted), "a caption")],
            });
        }

        using var stream = new MemoryStream();
        await log.ExportAsync(ana, stream);
        using var zip = new ZipArchive(stream);
        var json = JsonDocument.Parse(zip.GetEntry("conversations.json")!.Open());
        var turn = Assert.Single(json.RootElement.GetProperty("turns").EnumerateArray().ToList());
        Assert.Equal("mine", turn.GetProperty("question").GetString());
        Assert.Equal("1", json.RootElement.GetProperty("consent").GetProperty("textVersion").GetString());
        var file = turn.GetProperty("media")[0].GetProperty("file").GetString()!;
        using var medium = new MemoryStream();
        await zip.GetEntry(file)!.Open().CopyToAsync(medium);
        Assert.Equal(picture, medium.ToArray());
        Assert.EndsWith(".png", file, StringComparison.Ordinal);
        Assert.Equal(3, zip.Entries.Count);

        var ticket = await log.PrepareExportAsync(ana);
        Assert.NotNull(log.ReadExport(ana, ticket.Id));
        Assert.Null(log.ReadExport(bob, ticket.Id));
        Assert.Null(log.ReadExport(ana, "../" + ticket.Id));
        _folder.Time.Advance(TimeSpan.FromHours(25));
        Assert.Null(log.ReadExport(ana, ticket.Id));
        Assert.Equal(1, (await log.RetainAsync()).Exports);
    }

    [Fact]
    [Trait("Product", "THR-10")]
    public async Task A_medium_is_read_by_its_owner_only()
    {
        await using var log = await _folder.OpenAsync();
        var (ana, bob) = (log.KeyOf("web", "ana"), log.KeyOf("web", "bob"));
        await log.SetConsentAsync(ana, keep: true, train: false, "1");
        await log.AppendAsync(_folder.Draft(ana) with { Media = [new(true, "image/png", "bytes"u8.ToArray(), null)] });
        var hash = Assert.Single((await log.ReadAsync(ana))[0].MediaHashes);
        Assert.Equal("bytes"u8.ToArray(), log.ReadMedium(ana, hash));
        Assert.Null(log.ReadMedium(bob, hash));
        Assert.Null(log.ReadMedium(ana, "../person.key"));
    }

    [Fact]
    [Trait("Product", "PRI-6")]
    public async Task What_is_stored_is_redacted_in_both_directions_and_in_captions()
    {
        await using var log = await _folder.OpenAsync();
        var person = log.KeyOf("web", "ana");
        await log.SetConsentAsync(person, keep: true, train: true, "1");
        await log.AppendAsync(_folder.Draft(person, "I am ana@example.org", "Hello ana@example.org, ask @bob") with
        {
            Media = [new(true, "image/png", "x"u8.ToArray(), "photo by ana@example.org")],
        });
        var turn = Assert.Single(await log.ReadAsync(person));
        Assert.Equal("I am [e-mail]", turn.Turn.Question);
        Assert.StartsWith("Hello [e-mail], ask @person-", turn.Turn.Answer, StringComparison.Ordinal);
        Assert.Equal(3, turn.Redactions);
        Assert.Empty(_folder.FilesWith("ana@example.org"));
        Assert.Empty(_folder.FilesWith("@bob"));
    }

    [Fact]
    [Trait("Product", "PRI-7")]
    public async Task A_child_is_never_kept_what_was_kept_is_removed_and_keeping_goes_off_until_the_person_acts_again()
    {
        await using var log = await _folder.OpenAsync();
        var person = log.KeyOf("web", "ana");
        await log.SetConsentAsync(person, keep: true, train: true, "1");
        Assert.Equal(AppendOutcome.Kept, await log.AppendAsync(_folder.Draft(person, $"What is a heron, {Planted}?")));
        var other = log.KeyOf("web", "bob");
        await log.SetConsentAsync(other, keep: true, train: false, "1");
        await log.AppendAsync(_folder.Draft(other, "What is an otter?"));
        Assert.Equal(AppendOutcome.UnderAge, await log.AppendAsync(_folder.Draft(person, $"I am 11 years old {Planted}")));
        Assert.Empty(await log.ReadAsync(person));
        Assert.Single(await log.ReadAsync(other));
        Assert.Equal(AppendOutcome.NoConsent, await log.AppendAsync(_folder.Draft(person, "What is a heron?")));
        Assert.False(log.GetConsent(person).Keep);
        Assert.Empty(_folder.FilesWith(Planted));
    }

    [Fact]
    [Trait("Product", "PRI-7")]
    public async Task A_sensitive_topic_is_kept_and_flagged_and_does_not_train()
    {
        await using var log = await _folder.OpenAsync();
        var person = log.KeyOf("web", "ana");
        await log.SetConsentAsync(person, keep: true, train: true, "1");
        await log.AppendAsync(_folder.Draft(person, "My doctor says I have diabetes, what may I eat?"));
        var turn = Assert.Single(await log.ReadAsync(person));
        Assert.Equal((SensitiveTopics.Health, false), (turn.Topics, turn.Trainable));
        Assert.Empty(await log.ReadTrainableAsync());
    }
}
