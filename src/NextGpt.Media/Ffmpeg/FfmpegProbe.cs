using System.Globalization;
using System.Text.Json;
using NextGpt.Media.Decoding;

namespace NextGpt.Media.Ffmpeg;

/// <summary>A stream of a sound or clip file, as it is and not as its header says.</summary>
/// <param name="Index">Its number in the file.</param>
/// <param name="Codec">ffmpeg's name of its encoding.</param>
/// <param name="Width">Columns, upright; 0 for sounds.</param>
/// <param name="Height">Rows, upright; 0 for sounds.</param>
/// <param name="RateHz">Samples a second; 0 for pictures.</param>
/// <param name="Channels">Channels; 0 for pictures.</param>
/// <param name="Packets">Pictures or pieces of sound.</param>
/// <param name="Duration">From the first packet's begin to the last one's end.</param>
internal sealed record FfmpegStream(
    int Index, string Codec, int Width, int Height, int RateHz, int Channels, int Packets, TimeSpan Duration);

/// <summary>Asks ffprobe what is in a file; every packet is counted, none is decoded, no header is believed for the length.</summary>
internal static class FfmpegProbe
{
    private const int LongestAnswer = 16 * 1024 * 1024;

    private const string Wanted =
        "stream=index,codec_type,codec_name,width,height,sample_rate,channels:stream_disposition=attached_pic"
        + ":stream_side_data=rotation:packet=stream_index,pts_time,dts_time,duration_time";

    /// <returns>The first stream of pictures and the first of sound, where there are any.</returns>
    /// <exception cref="MediaException">It is damaged.</exception>
    public static (FfmpegStream? Pictures, FfmpegStream? Sound) Run(
        string ffprobe, string demuxer, ReadOnlyMemory<byte> file, string subject)
    {
        string[] arguments =
        [
            "-v", "error", "-protocol_whitelist", "pipe", "-max_alloc", FfmpegDecoder.LargestAllocation, "-f", demuxer,
            "-show_entries", Wanted, "-of", "json=compact=1", "-i", "pipe:0",
        ];
        using var run = FfmpegRun.Start(ffprobe, arguments, input => input.Write(file.Span));
        var answer = new MemoryStream();
        var buffer = new byte[64 * 1024];
        for (int read; (read = run.Output.Read(buffer)) > 0;)
        {
            answer.Write(buffer, 0, read);
            if (answer.Length > LongestAnswer)
            {
                throw Refusal.Corrupt(subject, "it is cut into far too many pieces");
            }
        }

        if (!run.Finish())
        {
            throw Refusal.Corrupt(subject, "what is in it cannot be found out");
        }

        try
        {
            using var json = JsonDocument.Parse(answer.GetBuffer().AsMemory(0, (int)answer.Length));
            return Streams(json.RootElement);
        }
        catch (Exception broken) when (broken is JsonException or KeyNotFoundException or FormatException)
        {
            throw Refusal.Corrupt(subject, "what is in it cannot be found out");
        }
    }

    private static (FfmpegStream? Pictures, FfmpegStream? Sound) Streams(JsonElement answer)
    {
        var spans = new Dictionary<int, (int Count, double From, double To)>();
        if (answer.TryGetProperty("packets", out var packets))
        {
            foreach (var packet in packets.EnumerateArray())
            {
                var index = Integer(packet, "stream_index");
                var from = Number(packet, "pts_time") ?? Number(packet, "dts_time") ?? 0;
                var to = from + (Number(packet, "duration_time") ?? 0);
                spans[index] = spans.TryGetValue(index, out var span)
                    ? (span.Count + 1, Math.Min(span.From, from), Math.Max(span.To, to))
                    : (1, from, to);
            }
        }

        FfmpegStream? pictures = null, sound = null;
        foreach (var stream in answer.TryGetProperty("streams", out var streams) ? streams.EnumerateArray() : default)
        {
            var type = Text(stream, "codec_type");
            var isCover = stream.TryGetProperty("disposition", out var disposition) && Integer(disposition, "attached_pic") == 1;
            if (type == "video" && !isCover)
            {
                pictures ??= StreamOf(stream, spans);
            }
            else if (type == "audio")
            {
                sound ??= StreamOf(stream, spans);
            }
        }

        return (pictures, sound);
    }

    private static FfmpegStream StreamOf(JsonElement stream, Dictionary<int, (int Count, double From, double To)> spans)
    {
        var index = Integer(stream, "index");
        var span = spans.GetValueOrDefault(index);
        var (width, height) = (Integer(stream, "width"), Integer(stream, "height"));
        if (IsTurned(stream))
        {
            (width, height) = (height, width);
        }

        var length = span.To - span.From;
        if (span.Count > 1 && length > 0 && !(span.To > span.From))
        {
            length = 0;
        }

        return new FfmpegStream(
            index, Text(stream, "codec_name"), width, height,
            int.TryParse(Text(stream, "sample_rate"), CultureInfo.InvariantCulture, out var rate) ? rate : 0,
            Integer(stream, "channels"), span.Count,
            TimeSpan.FromSeconds(double.IsFinite(length) ? Math.Clamp(length, 0, 1e7) : 1e7));
    }

    private static bool IsTurned(JsonElement stream)
    {
        if (stream.TryGetProperty("side_data_list", out var list) && list.ValueKind == JsonValueKind.Array)
        {
            foreach (var side in list.EnumerateArray())
            {
                if (Integer(side, "rotation") % 180 != 0)
                {
                    return true;
                }
            }
        }

        return false;
    }

    private static string Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() ?? "" : "";

    private static int Integer(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number)
            ? number : 0;

    private static double? Number(JsonElement element, string name) =>
        double.TryParse(Text(element, name), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;
}
