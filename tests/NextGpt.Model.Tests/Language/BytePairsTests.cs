using NextGpt.Model.Language;

namespace NextGpt.Model.Tests.Language;

public sealed class BytePairsTests
{
    [Fact]
    public void Scan_and_heap_give_the_same_tokens()
    {
        var random = new RandomText(5);
        for (var round = 0; round < 200; round++)
        {
            var pairs = new BytePairs(64);
            var known = 6;
            for (var merge = 0; merge < 40; merge++)
            {
                pairs.Add(random.Number(known), random.Number(known), known++);
            }

            var word = Enumerable.Range(0, random.Number(120)).Select(_ => random.Number(6)).ToArray();
            var (scanned, heaped) = ((int[])word.Clone(), (int[])word.Clone());
            var byScan = scanned[..pairs.MergeByScan(scanned)];
            var byHeap = heaped[..pairs.MergeByHeap(heaped)];

            Assert.Equal(byScan, byHeap);
        }
    }

    [Fact]
    public void The_first_of_two_equal_merges_counts()
    {
        var pairs = new BytePairs(2);
        pairs.Add(1, 2, 3);
        pairs.Add(1, 2, 4);
        int[] word = [1, 2];

        Assert.Equal(1, pairs.Merge(word));
        Assert.Equal(3, word[0]);
    }
}
