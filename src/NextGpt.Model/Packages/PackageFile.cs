namespace NextGpt.Model.Packages;

/// <summary>One file of a package.</summary>
/// <param name="Path">Relative to the package folder, with <c>/</c>.</param>
/// <param name="SizeBytes">Its size.</param>
/// <param name="Sha256">Its SHA-256, 64 hexadecimal digits in lower case.</param>
public sealed record PackageFile(string Path, long SizeBytes, string Sha256);
