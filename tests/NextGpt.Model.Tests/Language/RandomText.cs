using System.Text;

namespace NextGpt.Model.Tests.Language;

/// <summary>Arbitrary Unicode from a seed: letters, digits, spaces, marks, emoji, rare planes, controls.</summary>
internal sealed class RandomText(int seed)
{
    private static readonly (int First, int Last)[] Blocks =
    [
        (0x20, 0x7E), (0x20, 0x7E), (0x61, 0x7A), (0x61, 0x7A), (0x30, 0x39), (0x00, 0x1F), (0xA0, 0x24F), (0x300, 0x36F),
        (0x370, 0x3FF), (0x5D0, 0x6FF), (0x900, 0x97F), (0x2000, 0x206F), (0x3040, 0x30FF), (0x4E00, 0x4FFF),
        (0xAC00, 0xACFF), (0xFE00, 0xFE0F), (0x10330, 0x1034A), (0x1D400, 0x1D7FF), (0x1F300, 0x1F6FF), (0x20000, 0x200FF),
    ];

    private readonly Random _random = new(seed);

    public string Next(int maxCharacters)
    {
        var text = new StringBuilder();
        var count = _random.Next(maxCharacters + 1);
        while (count > 0)
        {
            var (first, last) = Blocks[_random.Next(Blocks.Length)];
            for (var run = _random.Next(1, 6); run > 0 && count > 0; run--, count--)
            {
                text.Append(_random.Next(6) == 0 ? " " : new Rune(_random.Next(first, last + 1)).ToString());
            }
        }

        return text.ToString();
    }

    public int Number(int below) => _random.Next(below);
}
