namespace NextGpt.Tuning.Data;

/// <summary>The colour that most of a drawing has, measured; and turning it to another.</summary>
/// <remarks>A colour is the main one where more than 45 % of the opaque pixels have its name; else there is no answer.</remarks>
internal static class MainColour
{
    private const double Share = 0.45;

    /// <summary>Colours that a thing can be turned to, with the hue in degrees that shows them best.</summary>
    internal static IReadOnlyDictionary<string, double> Turnable { get; } = new Dictionary<string, double>(StringComparer.Ordinal)
    {
        ["red"] = 0,
        ["orange"] = 28,
        ["yellow"] = 52,
        ["green"] = 120,
        ["blue"] = 220,
        ["purple"] = 275,
    };

    /// <summary>The name of the main colour, or null.</summary>
    /// <param name="planes">[4, size, size] bytes: red, green, blue, opacity.</param>
    internal static string? Measure(ReadOnlySpan<byte> planes) => Count(planes).Name;

    /// <summary>The main colour and its middle hue in degrees; null and 0 where there is none.</summary>
    internal static (string? Name, double Hue) Count(ReadOnlySpan<byte> planes)
    {
        var area = planes.Length / 4;
        var counts = new Dictionary<string, List<double>>(StringComparer.Ordinal);
        var opaque = 0;
        for (var at = 0; at < area; at++)
        {
            if (planes[at + (3 * area)] < 128)
            {
                continue;
            }

            opaque++;
            var (hue, name) = NameOf(planes[at], planes[at + area], planes[at + (2 * area)]);
            if (!counts.TryGetValue(name, out var hues))
            {
                counts[name] = hues = [];
            }

            hues.Add(name == "red" && hue > 180 ? hue - 360 : hue);
        }

        if (opaque < area / 50 || counts.Count == 0)
        {
            return (null, 0);
        }

        var (most, found) = counts.MaxBy(entry => entry.Value.Count);
        found.Sort();
        return found.Count > opaque * Share ? (most, found[found.Count / 2]) : (null, 0);
    }

    /// <summary>Turns every colourful pixel by the same angle; greys stay.</summary>
    /// <param name="planes">[4, size, size] bytes; changed in place.</param>
    /// <param name="degrees">The angle.</param>
    internal static void Turn(Span<byte> planes, double degrees)
    {
        var area = planes.Length / 4;
        for (var at = 0; at < area; at++)
        {
            var (hue, saturation, value) = ToHsv(planes[at], planes[at + area], planes[at + (2 * area)]);
            if (saturation > 0.1)
            {
                (planes[at], planes[at + area], planes[at + (2 * area)]) = FromHsv((hue + degrees + 720) % 360, saturation, value);
            }
        }
    }

    private static (double Hue, string Name) NameOf(byte red, byte green, byte blue)
    {
        var (hue, saturation, value) = ToHsv(red, green, blue);
        var name = (hue, saturation, value) switch
        {
            (_, _, < 0.22) => "black",
            (_, < 0.3, > 0.86) => "white",
            (_, < 0.26, _) => "grey",
            ( < 14 or >= 346, < 0.5, > 0.75) => "pink",
            ( >= 14 and < 46, _, < 0.72) => "brown",
            ( < 14 or >= 346, _, _) => "red",
            ( < 42, _, _) => "orange",
            ( < 68, _, _) => "yellow",
            ( < 168, _, _) => "green",
            ( < 250, _, _) => "blue",
            ( < 295, _, _) => "purple",
            _ => "pink",
        };
        return (hue, name);
    }

    private static (double Hue, double Saturation, double Value) ToHsv(byte red, byte green, byte blue)
    {
        var most = Math.Max(red, Math.Max(green, blue));
        double spread = most - Math.Min(red, Math.Min(green, blue));
        if (spread == 0)
        {
            return (0, 0, most / 255.0);
        }

        var hue = most == red ? (green - blue) / spread : most == green ? 2 + ((blue - red) / spread) : 4 + ((red - green) / spread);
        return (((hue * 60) + 360) % 360, spread / most, most / 255.0);
    }

    private static (byte Red, byte Green, byte Blue) FromHsv(double hue, double saturation, double value)
    {
        byte Channel(int offset)
        {
            var k = (offset + (hue / 60)) % 6;
            return (byte)Math.Round(255 * (value - (value * saturation * Math.Max(0, Math.Min(k, Math.Min(4 - k, 1))))));
        }

        return (Channel(5), Channel(3), Channel(1));
    }
}
