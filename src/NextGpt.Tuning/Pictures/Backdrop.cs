namespace NextGpt.Tuning.Pictures;

/// <summary>A plain background with a name.</summary>
/// <param name="Name">As captions say it.</param>
/// <param name="Red">0..255</param>
/// <param name="Green">0..255</param>
/// <param name="Blue">0..255</param>
public sealed record Backdrop(string Name, byte Red, byte Green, byte Blue)
{
    /// <summary>What a caption that says nothing means.</summary>
    public static Backdrop White { get; } = new("white", 255, 255, 255);

    /// <summary>Every other background of the world.</summary>
    public static IReadOnlyList<Backdrop> Coloured { get; } =
    [
        new("red", 226, 78, 70), new("orange", 248, 166, 72), new("yellow", 252, 222, 96), new("green", 118, 196, 118),
        new("light blue", 158, 208, 246), new("blue", 74, 112, 214), new("purple", 164, 122, 212), new("pink", 248, 178, 206),
        new("brown", 150, 108, 78), new("grey", 172, 172, 172), new("black", 28, 28, 28), new("cream", 250, 240, 214),
    ];

    /// <summary>Whether black drawings can be seen on it.</summary>
    public bool IsLight => Red + Green + Blue > 330;
}
