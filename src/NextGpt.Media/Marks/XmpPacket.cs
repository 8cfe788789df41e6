using System.Globalization;
using System.Security;
using System.Text;
using System.Xml;

namespace NextGpt.Media.Marks;

/// <summary>The mark as an XMP packet; ISO 16684-1.</summary>
internal static class XmpPacket
{
    private const int LongestPacket = 64 * 1024;
    private const string Iptc = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/";
    private const string Xmp = "http://ns.adobe.com/xap/1.0/";
    private const string Rdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
    private const string DateFormat = "yyyy-MM-ddTHH:mm:ssZ";

    /// <summary>The packet in UTF-8.</summary>
    public static byte[] Write(GenerationMark mark) => Encoding.UTF8.GetBytes($"""
        <?xpacket begin="{'\uFEFF'}" id="W5M0MpCehiHzreSzNTczkc9d"?>
        <x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{Rdf}"><rdf:Description rdf:about=""
          xmlns:Iptc4xmpExt="{Iptc}" xmlns:xmp="{Xmp}"
          Iptc4xmpExt:DigitalSourceType="{MediaMarks.DigitalSourceType}"
          Iptc4xmpExt:AISystemUsed="{SecurityElement.Escape(Clean(mark.ModelId))}"
          xmp:CreatorTool="NextGpt.Chat"
          xmp:CreateDate="{DateOf(mark)}"/></rdf:RDF></x:xmpmeta>
        <?xpacket end="r"?>
        """);

    /// <summary>The mark in a packet, or null if it says nothing of a model or is no XMP.</summary>
    public static GenerationMark? Read(ReadOnlySpan<byte> packet)
    {
        if (packet.Length is 0 or > LongestPacket)
        {
            return null;
        }

        var found = new Dictionary<string, string>();
        try
        {
            var settings = new XmlReaderSettings
            {
                DtdProcessing = DtdProcessing.Prohibit,
                XmlResolver = null,
                MaxCharactersInDocument = LongestPacket,
                IgnoreWhitespace = true,
            };
            using var xml = XmlReader.Create(new StringReader(Encoding.UTF8.GetString(packet).TrimEnd('\0')), settings);
            while (xml.Read())
            {
                Collect(xml, found);
            }
        }
        catch (XmlException)
        {
            return null;
        }

        return found.GetValueOrDefault("DigitalSourceType") == MediaMarks.DigitalSourceType
            && found.TryGetValue("AISystemUsed", out var model)
            && ParseDate(found.GetValueOrDefault("CreateDate")) is { } created
            ? new GenerationMark(model, created)
            : null;
    }

    /// <summary>The date as the marks write it: UTC, whole seconds.</summary>
    public static string DateOf(GenerationMark mark) =>
        mark.CreatedAt.UtcDateTime.ToString(DateFormat, CultureInfo.InvariantCulture);

    /// <summary>Reads what <see cref="DateOf"/> wrote, and other writers' forms of it.</summary>
    public static DateTimeOffset? ParseDate(string? text) => DateTimeOffset.TryParse(
        text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date) ? date : null;

    /// <summary>A model's id without what no XML may hold.</summary>
    public static string Clean(string modelId) => string.Concat(
        modelId.EnumerateRunes().Where(letter => !Rune.IsControl(letter) && letter.Value is not (0xFFFE or 0xFFFF)));

    // XMP allows a simple property as an attribute of its description and as an element in it.
    private static void Collect(XmlReader xml, Dictionary<string, string> found)
    {
        if (xml.NodeType != XmlNodeType.Element)
        {
            return;
        }

        if (xml.NamespaceURI is Iptc or Xmp && !xml.IsEmptyElement)
        {
            var name = xml.LocalName;
            if (xml.Read() && xml.NodeType == XmlNodeType.Text)
            {
                found.TryAdd(name, xml.Value);
            }

            return;
        }

        while (xml.MoveToNextAttribute())
        {
            if (xml.NamespaceURI is Iptc or Xmp)
            {
                found.TryAdd(xml.LocalName, xml.Value);
            }
        }
    }
}
