using NextGpt.Conversations.Index;

namespace NextGpt.Conversations.Tests.Index;

public sealed class TurnIndexTests : IDisposable
{
    private readonly LogFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("missing")]
    [InlineData("unmarked")]
    [InlineData("cut")]
    [InlineData("flipped")]
    [InlineData("garbage")]
    [InlineData("empty")]
    [InlineData("mark")]
    [Trait("Product", "LOG-1")]
    [Trait("Product", "DUR-2")]
    public async Task A_missing_or_damaged_index_is_made_anew_from_the_journal(string damage)
    {
        var person = await _folder.FillAsync(12);
        var (index, mark) = (Path.Combine(_folder.Folder, "index.db"), Path.Combine(_folder.Folder, "index.mark"));
        var bytes = File.ReadAllBytes(index);
        switch (damage)
        {
            case "missing":
                File.Delete(index);
                break;
            case "unmarked":
                File.Delete(mark);
                break;
            case "cut":
                File.WriteAllBytes(index, bytes[..(bytes.Length / 2)]);
                break;
            case "flipped":
                bytes[bytes.Length / 2] ^= 4;
                File.WriteAllBytes(index, bytes);
                break;
            case "garbage":
                new Random(1).NextBytes(bytes);
                File.WriteAllBytes(index, bytes);
                break;
            case "empty":
                File.WriteAllBytes(index, []);
                break;
            default:
                File.WriteAllText(mark, "{");
                break;
        }

        await using var log = await _folder.OpenAsync();
        Assert.Equal(12, (await log.ReadAsync(person)).Count);
        Assert.Equal(1, log.GetStats().IndexRebuilds);
        Assert.True((await log.VerifyAsync()).IndexAgrees);
    }

    [Fact]
    [Trait("Product", "LOG-1")]
    public async Task An_index_behind_the_journal_is_made_anew()
    {
        await _folder.FillAsync(3);
        var old = Path.Combine(_folder.Root, "old");
        Directory.CreateDirectory(old);
        foreach (var name in new[] { "index.db", "index.mark" })
        {
            File.Copy(Path.Combine(_folder.Folder, name), Path.Combine(old, name));
        }

        var bob = await _folder.FillAsync(4, "bob");
        foreach (var name in new[] { "index.db", "index.mark" })
        {
            File.Copy(Path.Combine(old, name), Path.Combine(_folder.Folder, name), overwrite: true);
        }

        // The mark vouches for fewer records than the journal has.
        await using var log = await _folder.OpenAsync();
        Assert.Equal(4, (await log.ReadAsync(bob)).Count);
        Assert.Equal(1, log.GetStats().IndexRebuilds);
    }

    [Fact]
    [Trait("Product", "LOG-5")]
    public async Task Checkpoints_come_after_1000_records_or_five_minutes_and_keep_LiteDBs_log_small()
    {
        await using var log = await _folder.OpenAsync();
        var person = log.KeyOf("web", "ana");
        await log.SetConsentAsync(person, keep: true, train: false, "1");
        await log.AppendAsync(_folder.Draft(person));
        var path = IndexFile.LogPathOf(Path.Combine(_folder.Folder, TurnIndex.FileName));
        await log.ReadPageAsync(person);   // behind the row in the index's queue
        Assert.True(new FileInfo(path).Length > 0);
        _folder.Time.Advance(TimeSpan.FromMinutes(5));
        await log.ReadPageAsync(person);
        Assert.Equal(0, new FileInfo(path).Length);

        var most = 0L;
        for (var i = 0; i < 60; i++)
        {
            await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => log.AppendAsync(_folder.Draft(person))));
            var page = await log.ReadPageAsync(person, most: 500);   // a reader that never keeps up
            most = Math.Max(most, new FileInfo(path).Length);
            Assert.NotEmpty(page);
        }

        Assert.True(most < 64 * 1024 * 1024, $"LiteDB's log grew to {most} bytes");
    }
}
