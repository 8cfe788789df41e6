using NextGpt.Tuning.Talk;

namespace NextGpt.Tuning.Data;

/// <summary>The rows that may be drawn: for training only those of the training split, for tests those that were kept back.</summary>
internal sealed class WorldPool
{
    private readonly Dictionary<(WorldKind Kind, bool Testing), WorldRow[]> _rows = [];

    /// <summary>Sorts the rows of a world.</summary>
    internal WorldPool(WorldData world)
    {
        World = world;
        Studio = new WorldStudio(world);
        foreach (var kind in new[] { WorldKind.Picture, WorldKind.Sound, WorldKind.Clip })
        {
            WorldRow[] Speakable(Func<WorldRow, bool> wanted) =>
                [.. world.Of(kind).Where(row => wanted(row) && (kind == WorldKind.Sound || WorldNames.Of(row) is not null))];
            _rows[(kind, false)] = Speakable(row => row.IsForTraining);
            var kept = Speakable(row => row.Split == "test_pair");
            _rows[(kind, true)] = kept.Length > 0 ? kept : _rows[(kind, false)];
        }
    }

    internal WorldData World { get; }

    internal WorldStudio Studio { get; }

    /// <summary>All rows of a kind on the side that is drawn from.</summary>
    internal IReadOnlyList<WorldRow> Of(WorldKind kind, TalkDraw draw) => _rows[(kind, draw.Testing)];

    /// <summary>Whether a row is on the side that is drawn from.</summary>
    internal static bool IsMine(WorldRow row, TalkDraw draw) => row.IsForTraining || (draw.Testing && row.Split == "test_pair");

    /// <summary>One row of a kind, or null where the world has none that fits after some tries.</summary>
    internal WorldRow? One(WorldKind kind, TalkDraw draw, Func<WorldRow, bool>? fits = null)
    {
        var rows = Of(kind, draw);
        for (var attempt = 0; attempt < 60 && rows.Count > 0; attempt++)
        {
            var row = draw.One(rows);
            if (fits is null || fits(row))
            {
                return row;
            }
        }

        return null;
    }
}
