using System.Globalization;
using System.Text;
using NextGpt.Conversations.Journals;
using NextGpt.Conversations.Tests.Files;

namespace NextGpt.Conversations.Tests.Journals;

public sealed class JournalTests
{
    private const string Folder = "/log/journal";

    [Fact]
    [Trait("Product", "DUR-2")]
    public void A_journal_cut_at_any_byte_of_its_last_two_records_keeps_all_whole_ones_and_goes_on()
    {
        var (original, ends) = Sample(6);
        for (var cut = ends[3]; cut <= original.Length; cut++)
        {
            var (files, path) = Disk(original[..cut]);
            var read = Read(files, out var health);
            var whole = ends.Count(end => end <= cut);
            Assert.Equal(Expected(whole), read);
            Assert.Equal(ends.Contains(cut) ? 0 : cut - ends[whole - 1], health.TornBytes);
            Assert.Equal(0, health.DamagedRecords);

            GoesOn(files, whole);
            Assert.NotNull(path);
        }
    }

    [Fact]
    [Trait("Product", "DUR-2")]
    public void A_segment_cut_within_its_header_is_made_anew()
    {
        var (original, _) = Sample(1);
        for (var cut = 0; cut < JournalFormat.SegmentHeaderSize; cut++)
        {
            var (files, _) = Disk(original[..cut]);
            Assert.Empty(Read(files, out _));
            GoesOn(files, 0);
        }
    }

    [Fact]
    [Trait("Product", "DUR-2")]
    public void A_flipped_bit_costs_at_most_the_record_it_is_in_and_is_counted()
    {
        var (original, ends) = Sample(5);
        for (var at = 0; at < original.Length; at++)
        {
            var bytes = (byte[])original.Clone();
            bytes[at] ^= (byte)(1 << (at % 8));
            var (files, _) = Disk(bytes);
            var read = Read(files, out var health);
            if (at < JournalFormat.SegmentHeaderSize)
            {
                Assert.Equal(Expected(5), read);
                Assert.Equal(IsPadding(at) ? 0 : 1, health.DamagedHeaders);
                continue;
            }

            var hit = ends.Count(end => end <= at) + 1;   // number of the record that was hit
            Assert.Equal(Expected(5).Where(record => record.Sequence != hit), read);
            Assert.Equal(1, health.DamagedRecords + health.TornRecords);
            if (hit < 5)
            {
                Assert.Equal(new DamagedRange(hit, hit), Assert.Single(health.Damaged));
            }

            GoesOn(files, hit == 5 ? 4 : 5, lost: hit);
        }

        static bool IsPadding(int at) => at >= 28;
    }

    [Fact]
    [Trait("Product", "DUR-2")]
    public void A_zeroed_page_costs_the_records_it_touches_and_names_them()
    {
        var (original, ends) = Sample(200);
        for (var page = 4096; page + 4096 <= ends[^1]; page += 4096)
        {
            var bytes = (byte[])original.Clone();
            bytes.AsSpan(page, 4096).Clear();
            var (files, _) = Disk(bytes);
            var read = Read(files, out var health);
            var first = ends.Count(end => end <= page) + 1;
            var last = ends.Count(end => end < page + 4096) + 1;
            Assert.Equal(Expected(200).Where(record => record.Sequence < first || record.Sequence > last), read);
            if (last < 200)
            {
                Assert.Equal(new DamagedRange(first, last), Assert.Single(health.Damaged));
            }
            else
            {
                Assert.True(health.TornBytes > 0);   // the end of the journal: perhaps never acknowledged
            }
        }
    }

    [Fact]
    [Trait("Product", "DUR-1")]
    public void A_hole_in_the_last_flush_is_a_torn_write_and_its_sound_neighbours_stay()
    {
        var files = new FaultyFileLayer();
        using (var journal = Journal.Open(files, Folder, static (in _, _, _) => { }))
        {
            journal.Append([Entry(1)]);
            journal.Append([Entry(2), Entry(3), Entry(4)]);   // one flush
        }

        var path = Assert.Single(files.ListFiles(Folder));
        var bytes = files.Contents()[path];
        var second = bytes.AsSpan().IndexOf("content of 2"u8);
        bytes[second] ^= 1;
        files.Corrupt(path, bytes);

        Assert.Equal(Expected(4).Where(record => record.Sequence != 2), Read(files, out var health));
        Assert.Equal((1, 0), (health.TornRecords, health.DamagedRecords));
        GoesOn(files, 4, lost: 2);
    }

    [Fact]
    [Trait("Product", "DUR-2")]
    public void A_damaged_record_with_a_high_number_does_not_hide_what_is_written_later()
    {
        var (original, ends) = Sample(40);
        var damaged = original[ends[38]..ends[39]];
        damaged[^1] ^= 1;   // number 40, its body damaged, moved to the place of number 2
        var (files, _) = Disk([.. original[..ends[0]], .. damaged, .. original[ends[0]..ends[1]]]);
        using (var journal = Journal.Open(files, Folder, static (in _, _, _) => { }))
        {
            journal.Append([Entry(1_000)]);
        }

        Assert.Equal(TextOf(1_000), Read(files, out _)[^1].Text);
    }

    [Fact]
    [Trait("Product", "LOG-6")]
    public void Records_that_an_orderly_end_vouched_for_are_damage_when_they_are_gone()
    {
        var (original, ends) = Sample(5);
        var (files, _) = Disk(original[..ends[3]]);
        using var journal = Journal.Open(files, Folder, static (in _, _, _) => { }, acknowledged: 5);
        Assert.Equal(new DamagedRange(5, 5), Assert.Single(journal.Health.Damaged));
        Assert.Equal(6, journal.Append([Entry(6)])[0].Sequence);   // number 5 is not given out again
        Assert.Equal(1, journal.Check().DamagedRecords);
    }

    [Fact]
    [Trait("Product", "PRI-4")]
    public void Overwriting_leaves_no_byte_of_a_record_and_every_other_as_it_was()
    {
        var files = new FaultyFileLayer();
        using var journal = Journal.Open(files, Folder, static (in _, _, _) => { });
        var locations = journal.Append([Entry(1), Entry(2), Entry(3)]);
        journal.Overwrite([locations[1]]);
        Assert.Null(journal.Read(locations[1]));
        Assert.Equal("content of 3", Encoding.UTF8.GetString(journal.Read(locations[2])!.Value.Content)[..12]);
        Assert.All(files.DurableContents(), bytes => Assert.True(bytes.AsSpan().IndexOf("content of 2"u8) < 0));
        Assert.Equal(0, journal.Check().DamagedRecords);
    }

    [Fact]
    [Trait("Product", "LOG-1")]
    public void Segments_follow_one_another_without_a_gap()
    {
        var files = new FaultyFileLayer();
        using (var journal = Journal.Open(files, Folder, static (in _, _, _) => { }, segmentBytes: 1_000))
        {
            for (var i = 1; i <= 50; i++)
            {
                journal.Append([Entry(i)]);
            }

            Assert.True(journal.Segments.Count > 5);
        }

        Assert.Equal(Expected(50), Read(files, out var health));
        Assert.Equal(0, health.DamagedRecords);
        files.Delete(files.ListFiles(Folder)[2]);
        Assert.NotEqual(Expected(50), Read(files, out health));
        Assert.True(health.DamagedRecords > 0);   // a missing file shows as a run of missing numbers
    }

    [Fact]
    [Trait("Product", "LOG-7")]
    public void A_journal_of_a_later_version_is_refused_in_words_and_left_alone()
    {
        var (original, _) = Sample(2);
        original[8] = 2;
        BitConverter.TryWriteBytes(original.AsSpan(24), JournalFormat.Crc(original.AsSpan(0, 24)));
        var (files, path) = Disk(original);
        var failure = Assert.Throws<LogTooNewException>(() => Read(files, out _));
        Assert.Contains("schema version 2, this program understands up to 1", failure.Message, StringComparison.Ordinal);
        Assert.Equal(original, files.Contents()[path]);
    }

    [Fact]
    [Trait("Product", "DUR-2")]
    public void A_mutated_journal_never_throws_never_forges_a_record_and_can_be_written_on()
    {
        var cases = LongForm.Requested ? 10_000 : 400;
        var (original, _) = Sample(40);
        var expected = Expected(40).ToDictionary(record => record.Sequence);
        for (var seed = 0; seed < cases; seed++)
        {
            var (files, _) = Disk(Mutate(original, new Random(seed)));
            var read = Read(files, out _);
            Assert.All(read, record => Assert.Equal(expected[record.Sequence], record));
            Assert.Equal(read.Select(record => record.Sequence).Order().Distinct(), read.Select(record => record.Sequence));

            using (var journal = Journal.Open(files, Folder, static (in _, _, _) => { }))
            {
                journal.Append([Entry(1_000)]);
            }

            var again = Read(files, out _);
            Assert.Equal(read, again[..^1]);
        }
    }

    [Fact]
    public void The_checksum_is_Castagnoli() =>
        Assert.Equal(0xE306_9283u, JournalFormat.Crc("123456789"u8));   // check value of CRC-32C, RFC 3720 B.4

    private static byte[] Mutate(byte[] original, Random random)
    {
        var bytes = original.ToList();
        for (var i = random.Next(1, 6); i > 0; i--)
        {
            var at = random.Next(bytes.Count);
            var length = Math.Min(random.Next(1, 300), bytes.Count - at);
            switch (random.Next(6))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes.RemoveRange(at, length);
                    break;
                case 2:
                    bytes.InsertRange(random.Next(bytes.Count), bytes.GetRange(at, length));
                    break;
                case 3:
                    for (var k = at; k < at + length; k++)
                    {
                        bytes[k] = 0;
                    }

                    break;
                case 4:
                    var noise = new byte[length];
                    random.NextBytes(noise);
                    bytes.InsertRange(at, noise);
                    break;
                default:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
            }

            if (bytes.Count == 0)
            {
                bytes.Add(0);
            }
        }

        return [.. bytes];
    }

    private static (byte[] Bytes, List<int> Ends) Sample(int records)
    {
        var files = new FaultyFileLayer();
        var ends = new List<int>();
        using var journal = Journal.Open(files, Folder, static (in _, _, _) => { });
        for (var i = 1; i <= records; i++)
        {
            journal.Append([Entry(i)]);
            ends.Add((int)journal.Segments[0].Committed);
        }

        return (files.Contents()[journal.Segments[0].Path], ends);
    }

    private static (FaultyFileLayer Files, string Path) Disk(byte[] segment)
    {
        var files = new FaultyFileLayer();
        files.CreateFolder(Folder);
        var path = System.IO.Path.Combine(Folder, JournalSegment.NameOf(1));
        files.Corrupt(path, segment);
        return (files, path);
    }

    private static List<Record> Read(FaultyFileLayer files, out JournalHealth health)
    {
        var read = new List<Record>();
        using var journal = Journal.Open(files, Folder, (in head, location, content) =>
            read.Add(new(location.Sequence, head, Encoding.UTF8.GetString(content))));
        health = journal.Health;
        return read;
    }

    private static void GoesOn(FaultyFileLayer files, int last, int? lost = null)
    {
        using (var journal = Journal.Open(files, Folder, static (in _, _, _) => { }))
        {
            Assert.Equal(last + 1, journal.Append([Entry(last + 1)])[0].Sequence);
        }

        var expected = Expected(last + 1).Where(record => record.Sequence != lost || record.Sequence > last);
        Assert.Equal(expected, Read(files, out var health));
        Assert.Equal(0, health.TornBytes);
    }

    private static JournalEntry Entry(int number) => new(
        new(RecordKind.Turn, RecordFlags.None, 0, 5, (UInt128)number, 7, number),
        Encoding.UTF8.GetBytes(TextOf(number)));

    private static string TextOf(int number) =>
        string.Create(CultureInfo.InvariantCulture, $"content of {number} {new string('x', number % 97)}");

    private static List<Record> Expected(int records) =>
        [.. Enumerable.Range(1, records).Select(number => new Record(number, Entry(number).Head, TextOf(number)))];

    private sealed record Record(long Sequence, RecordHead Head, string Text);
}
