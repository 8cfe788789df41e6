using NextGpt.Tuning.Data;

namespace NextGpt.Tuning.Tests;

/// <summary>Twenty concepts of the world, small, under permissive licences (see NOTICE), and rows that must never be trained on.</summary>
internal static class FixtureFolder
{
    internal static string Path { get; } = System.IO.Path.Combine(AppContext.BaseDirectory, "FixtureWorld");

    internal static WorldData World { get; } = WorldData.Load(Path);

    /// <summary>The fixture world with ten times as many forbidden rows of each sort: if a rule looked at them at all, it would soon draw one.</summary>
    internal static WorldData Poisoned { get; } = WorldData.Of(Path,
    [
        .. World.Rows,
        .. World.Rows.Where(row => row.IsForTraining && row.Kind != WorldKind.Text).SelectMany(row => Enumerable.Range(0, 2).SelectMany(copy => new[]
        {
            row with { Id = $"poison/style/{copy}/{row.Id}", Split = "test_style", Style = row.Style is null ? null : "outlined" },
            row with { Id = $"poison/pair/{copy}/{row.Id}", Split = "test_pair" },
            row with { Id = $"poison/concept/{copy}/{row.Id}", Split = "test_concept" },
            row with { Id = $"poison/source/{copy}/{row.Id}", Split = "test_source" },
            row with { Id = $"poison/package/{copy}/{row.Id}", Source = "tuxpaint-stamps-default" },
            row with { Id = $"poison/package2/{copy}/{row.Id}", Source = "@iconify-json/openmoji" },
        })),
    ]);
}
