using System.Text.Json;

namespace NextGpt.Conversations.Tests;

/// <summary>From messages and places of a platform to kept turns (TRN-5, PRI-4, PRI-8, LOG-7).</summary>
public sealed class TurnLinksTests : IDisposable
{
    private static readonly TurnLink Question = new(TurnLinkKind.Question, "880000000000000001");
    private static readonly TurnLink Answer = new(TurnLinkKind.Answer, "880000000000000002");
    private static readonly TurnLink Server = new(TurnLinkKind.Place, "880000000000000003");
    private readonly LogFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [Trait("Product", "TRN-5")]
    public async Task A_link_leads_to_its_turn_after_a_restart_with_or_without_an_orderly_end(bool orderly)
    {
        string turnId;
        await using (var log = await _folder.OpenAsync())
        {
            var draft = await KeepAsync(log, "ana", Question, Server);
            turnId = draft.TurnId;
            Assert.True(await log.LinkAsync(draft.Person, "discord", turnId, [Answer, Answer]));
            Assert.True(await log.LinkAsync(draft.Person, "discord", turnId, [Answer]));   // once more is no second link
        }

        if (!orderly)
        {
            File.Delete(Path.Combine(_folder.Folder, "index.mark"));
        }

        await using var again = await _folder.OpenAsync();
        foreach (var link in (TurnLink[])[Question, Answer, Server])
        {
            Assert.Equal(turnId, Assert.Single(again.FindLinked("discord", link)).Turn.TurnId);
            Assert.Empty(again.FindLinked("teams", link));
            Assert.Empty(again.FindLinked("discord", link with { Id = link.Id + "0" }));
        }

        Assert.Empty(again.FindLinked("discord", Answer with { Kind = TurnLinkKind.Question }));
        Assert.True((await again.VerifyAsync()).IsSound);
    }

    [Fact]
    [Trait("Product", "PRI-1")]
    public async Task No_id_of_a_platform_is_on_the_disk_and_without_a_kept_turn_nothing_is_written()
    {
        await using var log = await _folder.OpenAsync();
        var draft = await KeepAsync(log, "ana", Question, Server);
        await log.LinkAsync(draft.Person, "discord", draft.TurnId, [Answer]);
        var before = log.GetStats();

        var bo = log.KeyOf("discord", "bo");
        Assert.False(await log.LinkAsync(bo, "discord", draft.TurnId, [Answer with { Id = "1" }]));     // not theirs
        Assert.False(await log.LinkAsync(bo, "discord", Guid.NewGuid().ToString("N"), [Answer]));      // not kept
        Assert.Equal(
            AppendOutcome.NoConsent, await log.AppendAsync(_folder.Draft(bo) with { Surface = "discord", Links = [Question] }));

        Assert.Equal((before.LastSequence, before.JournalBytes), (log.GetStats().LastSequence, log.GetStats().JournalBytes));
        Assert.Empty(_folder.FilesWith("88000000000000000"));
    }

    [Theory]
    [InlineData("erased")]
    [InlineData("withdrawn")]
    [InlineData("under age")]
    [InlineData("conversation removed")]
    [InlineData("turn removed")]
    [InlineData("message removed")]
    [InlineData("expired")]
    [Trait("Product", "PRI-4")]
    [Trait("Product", "PRI-8")]
    public async Task However_a_turn_goes_its_links_go_and_stay_gone(string how)
    {
        await using (var log = await _folder.OpenAsync())
        {
            var draft = await KeepAsync(log, "ana", Question, Server);
            await log.LinkAsync(draft.Person, "discord", draft.TurnId, [Answer]);
            switch (how)
            {
                case "erased":
                    await log.EraseAsync(draft.Person);
                    break;
                case "withdrawn":
                    await log.SetConsentAsync(draft.Person, keep: false, train: false, "1");
                    break;
                case "under age":
                    Assert.Equal(
                        AppendOutcome.UnderAge, await log.AppendAsync(_folder.Draft(draft.Person, "I am 11 years old.")));
                    break;
                case "conversation removed":
                    Assert.Equal(1, await log.RemoveConversationAsync(draft.Person, draft.ConversationId));
                    break;
                case "turn removed":
                    Assert.True(await log.RemoveTurnAsync(draft.Person, draft.TurnId));
                    break;
                case "message removed":
                    Assert.True(await log.RemoveMessageAsync(draft.MessageKey));
                    break;
                default:
                    _folder.Time.Advance(TimeSpan.FromDays(_folder.Options.TurnRetentionDays + 1));
                    await log.RetainAsync();
                    break;
            }

            AssertNone(log);
            var bytes = log.GetStats();
            Assert.True(bytes.FreeableBytes > 0, "the records were not overwritten");
        }

        File.Delete(Path.Combine(_folder.Folder, "index.mark"));
        await using var again = await _folder.OpenAsync();
        AssertNone(again);
        Assert.True((await again.VerifyAsync()).IsSound);

        static void AssertNone(ConversationLog log) => Assert.All(
            (TurnLink[])[Question, Answer, Server], link => Assert.Empty(log.FindLinked("discord", link)));
    }

    [Fact]
    [Trait("Product", "TRN-5")]
    public async Task What_stood_in_a_place_goes_with_it_whoever_asked_and_nothing_else()
    {
        await using var log = await _folder.OpenAsync();
        var ana = await KeepAsync(log, "ana", Question, Server);
        var bo = await KeepAsync(log, "bo", new(TurnLinkKind.Question, "2"), Server);
        var elsewhere = await KeepAsync(log, "bo", new(TurnLinkKind.Question, "3"), new(TurnLinkKind.Place, "4"));

        Assert.Equal([ana.TurnId, bo.TurnId], await log.RemoveLinkedAsync("discord", Server));
        Assert.Empty(await log.RemoveLinkedAsync("discord", Server));

        Assert.Null(log.ReadTurn(ana.Person, ana.TurnId));
        Assert.Null(log.ReadTurn(bo.Person, bo.TurnId));
        Assert.NotNull(log.ReadTurn(elsewhere.Person, elsewhere.TurnId));
        Assert.Empty(log.FindLinked("discord", Question));
        Assert.Single(log.FindLinked("discord", new(TurnLinkKind.Place, "4")));
    }

    [Fact]
    [Trait("Product", "TRN-5")]
    public async Task An_edited_question_leads_to_all_its_turns()
    {
        await using var log = await _folder.OpenAsync();
        var first = await KeepAsync(log, "ana", Question, Server);
        var second = await KeepAsync(log, "ana", Question, Server);

        Assert.Equal([first.TurnId, second.TurnId], log.FindLinked("discord", Question).Select(turn => turn.Turn.TurnId));
        Assert.Equal(2, (await log.RemoveLinkedAsync("discord", Question)).Count);
    }

    [Fact]
    [Trait("Product", "LOG-7")]
    public async Task Compaction_and_backup_keep_links_and_the_first_one_raises_the_schema()
    {
        var manifest = Path.Combine(_folder.Folder, "manifest.json");
        string backup, turnId;
        await using (var log = await _folder.OpenAsync())
        {
            await KeepAsync(log, "bo");
            Assert.Equal(1, SchemaOf(manifest));
            var draft = await KeepAsync(log, "ana", Question, Server);
            turnId = draft.TurnId;
            Assert.Equal(3, SchemaOf(manifest));   // an older program could not erase links: it must refuse the log
            await log.LinkAsync(draft.Person, "discord", turnId, [Answer]);
            await log.CompactAsync();
            Assert.Equal(turnId, Assert.Single(log.FindLinked("discord", Answer)).Turn.TurnId);
            backup = (await log.BackupAsync()).Folder;
            await log.EraseAsync(draft.Person);
        }

        await ConversationLog.RestoreAsync(_folder.Options, backup, _folder.Time);
        await using var restored = await _folder.OpenAsync();
        Assert.Empty(restored.FindLinked("discord", Answer));   // the erasure is applied again
        Assert.True((await restored.VerifyAsync()).IsSound);
    }

    [Fact]
    public async Task Ids_of_a_wrong_length_and_too_many_links_are_mistakes_of_the_caller()
    {
        await using var log = await _folder.OpenAsync();
        var draft = await KeepAsync(log, "ana");

        await Assert.ThrowsAsync<ArgumentException>(() => log.LinkAsync(draft.Person, "discord", draft.TurnId, [Answer with { Id = "" }]));
        await Assert.ThrowsAsync<ArgumentException>(
            () => log.AppendAsync(_folder.Draft(draft.Person) with { Links = [Answer with { Id = new string('1', 501) }] }));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
            () => log.LinkAsync(draft.Person, "discord", draft.TurnId, [.. Enumerable.Repeat(Answer, 101)]));
    }

    private async Task<TurnDraft> KeepAsync(ConversationLog log, string user, params TurnLink[] links)
    {
        var person = log.KeyOf("discord", user);
        await log.SetConsentAsync(person, keep: true, train: false, "1");
        var draft = _folder.Draft(person) with { Surface = "discord", Links = links };
        Assert.Equal(AppendOutcome.Kept, await log.AppendAsync(draft));
        return draft;
    }

    private static int SchemaOf(string path)
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(path));
        return json.RootElement.GetProperty("schema").GetInt32();
    }
}
