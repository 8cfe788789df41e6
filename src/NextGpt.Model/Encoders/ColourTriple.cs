namespace NextGpt.Model.Encoders;

/// <summary>A number for each of the three colours.</summary>
/// <param name="Red">For red.</param>
/// <param name="Green">For green.</param>
/// <param name="Blue">For blue.</param>
public readonly record struct ColourTriple(float Red, float Green, float Blue);
