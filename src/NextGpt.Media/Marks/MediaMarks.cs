using NextGpt.Media.Marks;

namespace NextGpt.Media;

/// <summary>The machine-readable mark of files that a model made (AID-1): writing it and finding it again.</summary>
/// <remarks>
/// The statement is IPTC's digital source type <c>trainedAlgorithmicMedia</c>, with the model's id and the date, as an XMP
/// packet in PNG, WebP, GIF and MP4 and as the comment of the INFO list in WAV. Nothing of a request goes into it.
/// Sources: IPTC Photo Metadata Standard 2025.1; XMP Specification Part 3 (Adobe, 2020) for the places.
/// </remarks>
public static class MediaMarks
{
    /// <summary>IPTC's word for what a trained model made.</summary>
    public const string DigitalSourceType = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";

    /// <summary>The file with the mark in it; pixels and samples are untouched.</summary>
    /// <param name="file">A whole PNG, WebP, GIF, WAV or MP4 file of our own making.</param>
    /// <param name="mark">What it says.</param>
    /// <exception cref="ArgumentException">The format takes no mark, or the file is damaged.</exception>
    public static byte[] Add(ReadOnlySpan<byte> file, GenerationMark mark)
    {
        ArgumentNullException.ThrowIfNull(mark);
        var format = MediaFormat.Sniff(file);
        try
        {
            return format == MediaFormat.Png ? XmpPlaces.IntoPng(file, XmpPacket.Write(mark))
                : format == MediaFormat.WebP ? XmpPlaces.IntoWebP(file, XmpPacket.Write(mark))
                : format == MediaFormat.Gif ? XmpPlaces.IntoGif(file, XmpPacket.Write(mark))
                : format == MediaFormat.Mp4 ? XmpPlaces.IntoMp4(file, XmpPacket.Write(mark))
                : format == MediaFormat.Wav ? WaveMark.Into(file, mark)
                : throw new ArgumentException($"{format?.MediaType ?? "This file"} takes no mark.", nameof(file));
        }
        catch (Exception damaged) when (damaged is MediaException or OverflowException)
        {
            throw new ArgumentException(damaged.Message, nameof(file), damaged);
        }
    }

    /// <summary>The mark of a file, or null if there is none, it is not ours, or the file is damaged. Never throws.</summary>
    /// <param name="file">Any bytes.</param>
    public static GenerationMark? Find(ReadOnlySpan<byte> file)
    {
        var format = MediaFormat.Sniff(file);
        try
        {
            return format == MediaFormat.Wav ? WaveMark.Find(file)
                : format == MediaFormat.Png ? XmpPacket.Read(XmpPlaces.InPng(file))
                : format == MediaFormat.WebP ? XmpPacket.Read(XmpPlaces.InWebP(file))
                : format == MediaFormat.Gif ? XmpPacket.Read(XmpPlaces.InGif(file))
                : format == MediaFormat.Mp4 || format == MediaFormat.M4a ? XmpPacket.Read(XmpPlaces.InMp4(file))
                : null;
        }
        catch (MediaException)
        {
            return null;
        }
    }
}
