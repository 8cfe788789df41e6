using NextGpt.Media;
using NextGpt.Tuning.Pictures;

namespace NextGpt.Tuning.Data;

/// <summary>How a picture, sound or clip is made of rows of the world; small, so that a million of them can be kept.</summary>
public abstract record MediumRecipe
{
    /// <summary>What it makes.</summary>
    public abstract MediaKind Kind { get; }

    /// <summary>The rows it uses.</summary>
    public abstract IReadOnlyList<WorldRow> Rows { get; }
}

/// <summary>One drawing in a scene.</summary>
/// <param name="Row">The drawing.</param>
/// <param name="X">Left edge in pixels of 64.</param>
/// <param name="Y">Top edge in pixels of 64.</param>
/// <param name="Size">Width and height in pixels of 64.</param>
/// <param name="Mirrored">Whether left and right are swapped.</param>
/// <param name="HueTurn">Degrees by which its colours are turned.</param>
public sealed record PicturePiece(WorldRow Row, int X = 0, int Y = 0, int Size = 64, bool Mirrored = false, double HueTurn = 0);

/// <summary>Drawings on a plain colour.</summary>
/// <param name="Pieces">The later ones lie on top.</param>
/// <param name="Backdrop">What lies behind.</param>
public sealed record PictureRecipe(IReadOnlyList<PicturePiece> Pieces, Backdrop Backdrop) : MediumRecipe
{
    /// <inheritdoc/>
    public override MediaKind Kind => MediaKind.Image;

    /// <inheritdoc/>
    public override IReadOnlyList<WorldRow> Rows => [.. Pieces.Select(piece => piece.Row)];
}

/// <summary>A drawing that is moved, or an animation of the world.</summary>
/// <param name="Row">A picture where there is a motion, else a clip.</param>
/// <param name="Motion">The motion; null plays the animation.</param>
/// <param name="Quickly">Whether the motion is quick.</param>
/// <param name="Size">Width and height of the drawing in pixels of 64.</param>
/// <param name="HueTurn">Degrees by which its colours are turned.</param>
/// <param name="Backdrop">What lies behind.</param>
public sealed record ClipRecipe(WorldRow Row, Motion? Motion, bool Quickly, int Size, double HueTurn, Backdrop Backdrop) : MediumRecipe
{
    /// <inheritdoc/>
    public override MediaKind Kind => MediaKind.Video;

    /// <inheritdoc/>
    public override IReadOnlyList<WorldRow> Rows => [Row];
}

/// <summary>What is done to a recording.</summary>
public enum SoundChange
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>A whole tone up (9:8, as a faster tape), so also a ninth shorter.</summary>
    Higher,

    /// <summary>A whole tone down, so also an eighth longer.</summary>
    Lower,

    /// <summary>A quarter faster at the same pitch.</summary>
    Faster,

    /// <summary>A fifth slower at the same pitch.</summary>
    Slower,

    /// <summary>A quarter of the amplitude.</summary>
    Quieter,
}

/// <summary>One recording, changed or not, or two at the same time.</summary>
/// <param name="Layers">One or two recordings.</param>
/// <param name="Change">What is done to the first.</param>
public sealed record SoundRecipe(IReadOnlyList<WorldRow> Layers, SoundChange Change = SoundChange.None) : MediumRecipe
{
    /// <inheritdoc/>
    public override MediaKind Kind => MediaKind.Audio;

    /// <inheritdoc/>
    public override IReadOnlyList<WorldRow> Rows => Layers;
}
