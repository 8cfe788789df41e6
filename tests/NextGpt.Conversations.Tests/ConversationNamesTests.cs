using System.IO.Compression;
using System.Text.Json;

namespace NextGpt.Conversations.Tests;

/// <summary>Names of conversations (WEB-2, LOG-7, PRI-3, PRI-4, PRI-8).</summary>
public sealed class ConversationNamesTests : IDisposable
{
    private const string Conversation = "conversation-1";
    private const string Name = "Archaeopterygian peaks";
    private readonly LogFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    [Trait("Product", "WEB-2")]
    public async Task The_latest_name_survives_a_restart_with_or_without_an_orderly_end_and_earlier_ones_are_gone()
    {
        var person = await _folder.FillAsync(2);
        await using (var log = await _folder.OpenAsync())
        {
            Assert.True(await log.NameConversationAsync(person, Conversation, "Xenophanes"));
            Assert.True(await log.NameConversationAsync(person, Conversation, Name));
            Assert.Empty(_folder.FilesWith("Xenophanes"));
        }

        File.Delete(Path.Combine(_folder.Folder, "index.mark"));   // as after a crash
        await using var again = await _folder.OpenAsync();
        Assert.Equal(Name, again.ReadConversationName(person, Conversation));
        Assert.Equal(Name, Assert.Single(await again.ListConversationsAsync(person)).Name);
        Assert.Null(again.ReadConversationName(again.KeyOf("console", "bob"), Conversation));
        Assert.Null(again.ReadConversationName(person, "another"));
        Assert.True((await again.VerifyAsync()).IsSound);
    }

    [Fact]
    [Trait("Product", "PRI-1")]
    public async Task Without_consent_or_without_a_kept_turn_no_name_is_written()
    {
        var ana = await _folder.FillAsync(1);
        await using var log = await _folder.OpenAsync();
        var bob = log.KeyOf("console", "bob");

        Assert.False(await log.NameConversationAsync(bob, Conversation, Name));      // never asked
        Assert.False(await log.NameConversationAsync(ana, "nothing kept", Name));    // no turn of theirs
        await log.SetConsentAsync(bob, keep: true, train: false, "1");
        Assert.False(await log.NameConversationAsync(bob, Conversation, Name));      // only ana's turns are there

        Assert.Empty(_folder.FilesWith(Name));
        await Assert.ThrowsAsync<ArgumentException>(() => log.NameConversationAsync(ana, Conversation, " "));
        await Assert.ThrowsAsync<ArgumentException>(() => log.NameConversationAsync(ana, Conversation, new string('x', 201)));
    }

    [Fact]
    [Trait("Product", "PRI-6")]
    public async Task A_name_is_redacted_before_it_is_written()
    {
        var person = await _folder.FillAsync(1);
        await using var log = await _folder.OpenAsync();

        Assert.True(await log.NameConversationAsync(person, Conversation, "Letter to zoe@quagga.example"));

        Assert.Empty(_folder.FilesWith("zoe@quagga"));
        Assert.StartsWith("Letter to ", log.ReadConversationName(person, Conversation), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("taken away")]
    [InlineData("erased")]
    [InlineData("withdrawn")]
    [InlineData("under age")]
    [InlineData("conversation removed")]
    [InlineData("turns removed")]
    [InlineData("messages removed")]
    [InlineData("expired")]
    [Trait("Product", "PRI-4")]
    [Trait("Product", "PRI-8")]
    public async Task However_the_turns_go_a_byte_search_finds_no_name_afterwards(string how)
    {
        await using var log = await _folder.OpenAsync();
        var person = log.KeyOf("console", "ana");
        await log.SetConsentAsync(person, keep: true, train: false, "1");
        TurnDraft[] drafts = [_folder.Draft(person), _folder.Draft(person)];
        foreach (var draft in drafts)
        {
            Assert.Equal(AppendOutcome.Kept, await log.AppendAsync(draft));
        }

        await log.NameConversationAsync(person, Conversation, Name);
        Assert.NotEmpty(_folder.FilesWith(Name));   // the positive control

        switch (how)
        {
            case "taken away":
                Assert.True(await log.NameConversationAsync(person, Conversation, null));
                break;
            case "erased":
                await log.EraseAsync(person);
                break;
            case "withdrawn":
                await log.SetConsentAsync(person, keep: false, train: false, "1");
                break;
            case "under age":
                Assert.Equal(AppendOutcome.UnderAge, await log.AppendAsync(_folder.Draft(person, "I am 11 years old.")));
                break;
            case "conversation removed":
                Assert.Equal(2, await log.RemoveConversationAsync(person, Conversation));
                break;
            case "turns removed":
                await log.RemoveTurnAsync(person, drafts[0].TurnId);
                Assert.Equal(Name, log.ReadConversationName(person, Conversation));   // one turn is left
                await log.RemoveTurnAsync(person, drafts[1].TurnId);
                break;
            case "messages removed":
                await log.RemoveMessageAsync(drafts[0].MessageKey);
                await log.RemoveMessageAsync(drafts[1].MessageKey);
                break;
            default:
                _folder.Time.Advance(TimeSpan.FromDays(_folder.Options.TurnRetentionDays + 1));
                await log.RetainAsync();
                break;
        }

        Assert.Null(log.ReadConversationName(person, Conversation));
        Assert.Empty(_folder.FilesWith(Name));
        Assert.True((await log.VerifyAsync()).IsSound);
    }

    [Fact]
    [Trait("Product", "LOG-7")]
    public async Task Compaction_and_backup_keep_names_and_an_erasure_after_the_backup_is_applied_to_them_again()
    {
        var (ana, bob) = (await _folder.FillAsync(2), await _folder.FillAsync(2, "bob"));
        string backup;
        await using (var log = await _folder.OpenAsync())
        {
            await log.NameConversationAsync(ana, Conversation, Name);
            await log.NameConversationAsync(bob, Conversation, "Bob's own");
            await log.CompactAsync();
            Assert.Equal((Name, "Bob's own"), (log.ReadConversationName(ana, Conversation), log.ReadConversationName(bob, Conversation)));
            backup = (await log.BackupAsync()).Folder;
            await log.EraseAsync(ana);
            await log.RemoveConversationAsync(bob, Conversation);
            Assert.Null(log.ReadConversationName(bob, Conversation));
        }

        await ConversationLog.RestoreAsync(_folder.Options, backup, _folder.Time);
        await using (var restored = await _folder.OpenAsync())
        {
            Assert.Null(restored.ReadConversationName(ana, Conversation));
            Assert.Null(restored.ReadConversationName(bob, Conversation));   // its turns are removed again, so it goes too
            Assert.All(_folder.FilesWith(Name), path => Assert.StartsWith(_folder.Backups, path, StringComparison.Ordinal));
        }

        Directory.Delete(_folder.Folder, recursive: true);
        File.Delete(Path.Combine(_folder.Backups, "erasures.json"));   // a disaster that also took the notes of what was erased
        await ConversationLog.RestoreAsync(_folder.Options, backup, _folder.Time);
        await using var whole = await _folder.OpenAsync();
        Assert.Equal(Name, whole.ReadConversationName(ana, Conversation));
        Assert.Equal(2, SchemaOf(Path.Combine(_folder.Folder, "manifest.json")));
    }

    [Fact]
    [Trait("Product", "PRI-3")]
    public async Task The_export_has_the_names()
    {
        var person = await _folder.FillAsync(1);
        await using var log = await _folder.OpenAsync();
        await log.NameConversationAsync(person, Conversation, Name);
        using var zip = new MemoryStream();

        await log.ExportAsync(person, zip);

        using var archive = new ZipArchive(zip, ZipArchiveMode.Read);
        using var json = JsonDocument.Parse(archive.GetEntry("conversations.json")!.Open());
        var named = Assert.Single(json.RootElement.GetProperty("names").EnumerateArray());
        Assert.Equal(
            (Conversation, Name), (named.GetProperty("conversation").GetString(), named.GetProperty("name").GetString()));
    }

    [Fact]
    [Trait("Product", "LOG-7")]
    public async Task The_first_name_raises_the_schema_so_that_a_program_that_could_not_erase_it_refuses_the_log()
    {
        var manifest = Path.Combine(_folder.Folder, "manifest.json");
        var person = await _folder.FillAsync(1);
        string before, after;
        await using (var log = await _folder.OpenAsync())
        {
            Assert.Equal(1, SchemaOf(manifest));   // turns alone: an older program may still read it
            before = (await log.BackupAsync()).Folder;
            await log.NameConversationAsync(person, Conversation, Name);
            Assert.Equal(2, SchemaOf(manifest));
            after = (await log.BackupAsync()).Folder;
            await log.NameConversationAsync(person, Conversation, null);
            await log.CompactAsync();
            Assert.Equal(2, SchemaOf(manifest));
        }

        Assert.Equal((1, 2), (SchemaOf(Path.Combine(before, "backup.json")), SchemaOf(Path.Combine(after, "backup.json"))));
    }

    private static int SchemaOf(string path)
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(path));
        return json.RootElement.GetProperty("schema").GetInt32();
    }
}
