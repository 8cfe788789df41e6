namespace NextGpt.Model.Packages;

/// <summary>The terms of some of a package's files.</summary>
/// <param name="Paths">Files and folders of the package.</param>
/// <param name="Licence">An SPDX identifier, or the name of the terms.</param>
/// <param name="Source">Whose they are and where they come from; possibly empty.</param>
public sealed record PackageLicence(IReadOnlyList<string> Paths, string Licence, string Source);
