using System.Buffers.Binary;

namespace NextGpt.Media.Tests;

/// <summary>Damages files the way the internet does, and the way people do who look for holes.</summary>
public static class Mutation
{
    private static readonly uint[] Edges = [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFE, 0xFFFF_FFFF];

    /// <summary>A copy with one to four changes: bytes, cuts, doublings, holes, numbers at the edges of their range.</summary>
    public static byte[] Of(byte[] whole, Random random)
    {
        List<byte> file = [.. whole];
        for (var change = random.Next(1, 5); change > 0 && file.Count > 16; change--)
        {
            // Half of the changes go to the first kilobyte, where headers are.
            var at = random.Next(random.Next(2) == 0 ? Math.Min(file.Count, 1_024) : file.Count);
            switch (random.Next(8))
            {
                case 0:
                    file.RemoveRange(at, file.Count - at);
                    break;
                case 1:
                    file.InsertRange(at, file.GetRange(at, Math.Min(file.Count - at, random.Next(1, 600))));
                    break;
                case 2:
                    file.RemoveRange(at, Math.Min(file.Count - at, random.Next(1, 200)));
                    break;
                case 3:
                    var number = new byte[4];
                    BinaryPrimitives.WriteUInt32LittleEndian(number, Edges[random.Next(Edges.Length)]);
                    if (random.Next(2) == 0)
                    {
                        Array.Reverse(number);
                    }

                    for (var i = 0; i < 4 && at + i < file.Count; i++)
                    {
                        file[at + i] = number[i];
                    }

                    break;
                case 4:
                    for (var i = 0; i < 32 && at + i < file.Count; i++)
                    {
                        file[at + i] = (byte)random.Next(256);
                    }

                    break;
                case 5:
                    file[at] ^= (byte)(1 << random.Next(8));
                    break;
                default:
                    file[at] = (byte)random.Next(256);
                    break;
            }
        }

        return [.. file];
    }
}
