using System.Text;
using NextGpt.Conversations.Attachments;
using NextGpt.Conversations.Tests.Files;

namespace NextGpt.Conversations.Tests.Attachments;

public sealed class MediaStoreTests
{
    private readonly FaultyFileLayer _files = new();

    [Fact]
    [Trait("Product", "LOG-3")]
    public void The_same_bytes_lie_there_once_under_their_hash_and_survive_a_crash()
    {
        var store = MediaStore.Open(_files, "/log/media");
        var hash = store.Put("picture"u8);
        Assert.Equal(hash, store.Put("picture"u8));
        Assert.Equal([hash], store.All());
        _files.Crash(new Random(3));
        Assert.Equal("picture", Encoding.UTF8.GetString(MediaStore.Open(_files, "/log/media").Read(hash)!));
    }

    [Fact]
    [Trait("Product", "LOG-3")]
    public void Unfinished_files_are_swept_and_a_full_disk_leaves_none()
    {
        _files.CreateFolder("/log/media/ab");
        _files.Corrupt("/log/media/ab/abc.tmp", [1, 2, 3]);
        var store = MediaStore.Open(_files, "/log/media");
        Assert.Empty(_files.ListFiles("/log/media/ab"));
        _files.SpaceLeft = 10;
        Assert.Throws<IOException>(() => store.Put(new byte[1_000]));
        Assert.Empty(store.All());
        Assert.Empty(_files.Contents().Keys);
    }

    [Fact]
    [Trait("Product", "LOG-6")]
    public void A_damaged_file_is_not_handed_out()
    {
        var store = MediaStore.Open(_files, "/log/media");
        var hash = store.Put("picture"u8);
        _files.Corrupt(store.PathOf(hash), "pictore"u8.ToArray());
        Assert.Null(store.Read(hash));
    }

    [Fact]
    [Trait("Product", "LOG-3")]
    public void Orphans_are_reported_before_they_are_removed_and_files_in_use_or_in_flight_are_none()
    {
        var store = MediaStore.Open(_files, "/log/media");
        var (used, pinned, orphan) = (store.Put("used"u8), store.Put("pinned"u8), store.Put("orphan"u8));
        store.Release([used], _ => true);
        store.Release([orphan], _ => true);
        bool IsUsed(string hash) => hash == used;
        Assert.Equal([orphan], store.Orphans(IsUsed));
        Assert.Equal(3, store.All().Count);
        Assert.Equal(1, store.Remove([orphan, pinned]));
        store.Release([pinned], IsUsed);
        Assert.Equal([used], store.All());
    }

    [Theory]
    [InlineData("../../etc/passwd")]
    [InlineData("ABCDEF")]
    [InlineData("")]
    [Trait("Product", "THR-14")]
    public void Only_hashes_become_paths(string name) =>
        Assert.Throws<ArgumentException>(() => MediaStore.Open(_files, "/log/media").PathOf(name));
}
