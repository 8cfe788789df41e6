using System.Runtime.InteropServices;

namespace NextGpt.Media.Decoding;

/// <summary>Sounds that need no other program.</summary>
internal static class SoundDecoder
{
    public static void DecodeWave(ReadOnlySpan<byte> file, DecodeTask task, Stream to) =>
        Write(WaveFile.Read(file, task.Subject, task.Limits), to);

    public static void Write(AudioClip sound, Stream to)
    {
        Message.Write(to, MessageKind.Sound, sound.SampleRateHz, sound.Channels.Count, sound.Length);
        foreach (var channel in sound.Channels)
        {
            Message.Write(to, MessageKind.Samples, MemoryMarshal.AsBytes(channel.AsSpan()));
        }
    }
}
