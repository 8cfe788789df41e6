using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using NextGpt.Media;

namespace NextGpt.Model;

/// <summary>A number for the content of every medium of late: the same content, the same number; no number is given twice.</summary>
/// <remarks>By SHA-256 of the decoded content. Thread-safe; prompts are written wherever they are asked for.</remarks>
/// <param name="most">Contents that are remembered, the longest unused forgotten first.</param>
internal sealed class MediaIndex(int most = 4_096)
{
    private readonly Dictionary<Hash, LinkedListNode<(Hash Hash, int Id)>> _known = [];
    private readonly LinkedList<(Hash Hash, int Id)> _order = [];   // most recently used last
    private readonly Lock _gate = new();
    private int _last = -1;

    /// <summary>The number, negative: no token has it.</summary>
    public int IdOf(Medium medium)
    {
        var hash = HashOf(medium);
        lock (_gate)
        {
            if (_known.TryGetValue(hash, out var node))
            {
                _order.Remove(node);
                _order.AddLast(node);
                return node.Value.Id;
            }

            _last = _last == int.MinValue ? -2 : _last - 1;
            _known.Add(hash, _order.AddLast((hash, _last)));
            if (_known.Count > most)
            {
                _known.Remove(_order.First!.Value.Hash);   // there is one: more than most are known
                _order.RemoveFirst();
            }

            return _last;
        }
    }

    private static Hash HashOf(Medium medium)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        void Numbers(params ReadOnlySpan<double> numbers)
        {
            Span<byte> bytes = stackalloc byte[sizeof(double)];
            foreach (var number in numbers)
            {
                BinaryPrimitives.WriteDoubleLittleEndian(bytes, number);
                hash.AppendData(bytes);
            }
        }

        void One(Picture picture)
        {
            Numbers(picture.Width, picture.Height);
            hash.AppendData(picture.Pixels);
        }

        Numbers((int)medium.Kind);
        switch (medium)
        {
            case Picture picture:
                One(picture);
                break;
            case VideoClip clip:
                Numbers(clip.FramesPerSecond, clip.Frames.Count);
                foreach (var frame in clip.Frames)
                {
                    One(frame);
                }

                break;
            case AudioClip sound:
                Numbers(sound.SampleRateHz, sound.Channels.Count);
                foreach (var channel in sound.Channels)
                {
                    Numbers(channel.Length);
                    hash.AppendData(MemoryMarshal.AsBytes(channel.AsSpan()));
                }

                break;
            default:
                throw new NotSupportedException($"A {medium.GetType().Name} is no picture, sound or clip.");
        }

        var digest = hash.GetHashAndReset();
        return new Hash(new Guid(digest.AsSpan(0, 16)), new Guid(digest.AsSpan(16, 16)));
    }

    private readonly record struct Hash(Guid First, Guid Second);
}
