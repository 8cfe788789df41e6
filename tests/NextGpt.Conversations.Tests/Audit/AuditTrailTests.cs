using NextGpt.Conversations.Journals;

namespace NextGpt.Conversations.Tests.Audit;

public sealed class AuditTrailTests : IDisposable
{
    private readonly LogFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    [Trait("Product", "REV-3")]
    public async Task Acts_are_written_down_without_content_and_a_changed_entry_breaks_the_chain()
    {
        await using (var log = await _folder.OpenAsync())
        {
            var person = log.KeyOf("web", "ana");
            await log.SetConsentAsync(person, keep: true, train: false, "1");
            await log.AppendAsync(_folder.Draft(person, "secretive question"));
            await log.ExportAsync(person, new MemoryStream());
            await log.EraseAsync(person);
            Assert.Equal(["consent", "export", "erase"], log.ReadAudit().Select(entry => entry.Act));
            Assert.True((await log.VerifyAsync()).AuditIsSound);
        }

        // Somebody who knows the format rewrites an entry with a right checksum: the chain still tells.
        var path = Directory.GetFiles(Path.Combine(_folder.Folder, "audit")).Single();
        var bytes = File.ReadAllBytes(path);
        var frame = JournalScan.Read(bytes)[1];
        bytes.AsSpan(frame.Offset, frame.Length).Replace((byte)'1', (byte)'2');
        var whole = bytes.AsSpan(frame.Offset, frame.Length);
        BitConverter.TryWriteBytes(whole[24..], JournalFormat.Crc(whole[..24]));
        BitConverter.TryWriteBytes(whole[28..], JournalFormat.Crc(whole[32..], JournalFormat.Crc(whole[..24])));
        File.WriteAllBytes(path, bytes);

        await using var again = await _folder.OpenAsync();
        Assert.Equal(3, again.ReadAudit().Count);
        Assert.False((await again.VerifyAsync()).AuditIsSound);
    }

    [Fact]
    [Trait("Product", "PRI-8")]
    public async Task Entries_go_after_a_year_from_the_old_end_and_the_chain_stays_sound()
    {
        await using var log = await _folder.OpenAsync();
        var person = log.KeyOf("web", "ana");
        for (var i = 0; i < 4; i++)
        {
            await log.SetConsentAsync(person, keep: true, train: i % 2 == 0, $"text {i}");
            _folder.Time.Advance(TimeSpan.FromDays(150));
        }

        Assert.Equal(2, (await log.RetainAsync()).AuditEntries);
        Assert.Contains("text 2", log.ReadAudit()[0].Detail, StringComparison.Ordinal);
        Assert.True((await log.VerifyAsync()).AuditIsSound);
    }
}
