namespace NextGpt.Media.Pictures;

/// <summary>What the header of a picture says, read before anything is decoded (THR-7).</summary>
/// <param name="Width">Columns as stored.</param>
/// <param name="Height">Rows as stored.</param>
/// <param name="Orientation">EXIF orientation 1 to 8; 1 is upright.</param>
internal readonly record struct PictureHeader(int Width, int Height, int Orientation);
