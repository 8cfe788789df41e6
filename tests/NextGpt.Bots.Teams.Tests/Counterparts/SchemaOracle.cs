using System.Text.Json.Nodes;

namespace NextGpt.Bots.Teams.Tests.Counterparts;

/// <summary>
/// What Microsoft's readers of activities and of Adaptive Cards say about what we send. One program for all tests; where
/// it is not installed nothing is asked, and <see cref="SchemaOracleTests"/> says so.
/// </summary>
internal static class SchemaOracle
{
    private static readonly SemaphoreSlim Gate = new(1, 1);
    private static readonly HashSet<string> Seen = new(StringComparer.Ordinal);
    private static NodeProgram? _program;

    /// <summary>How many different activities were read.</summary>
    public static int Count => Seen.Count;

    /// <summary>Fails with what is wrong with any of them.</summary>
    public static async Task CheckAsync(IEnumerable<JsonObject> activities)
    {
        foreach (var activity in activities)
        {
            Assert.Equal("ok", await AskAsync(activity));
        }
    }

    /// <summary>"ok", or what is wrong.</summary>
    public static async Task<string> AskAsync(JsonObject activity)
    {
        if (!NodeProgram.IsInstalled)
        {
            return "ok";
        }

        await Gate.WaitAsync();
        try
        {
            var line = activity.ToJsonString();
            if (Seen.Contains(line))
            {
                return "ok";
            }

            if (_program is null)
            {
                _program = NodeProgram.Start(["oracle.mjs"]);
                AppDomain.CurrentDomain.ProcessExit += static (_, _) => _program?.DisposeAsync().AsTask().Wait();
                await _program.ReadAsync("ready");
            }

            await _program.SendAsync(line);
            var verdict = await _program.ReadAsync();
            if (verdict == "ok")
            {
                Seen.Add(line);
            }

            return verdict == "ok" ? verdict : $"{verdict} IN {line}";
        }
        finally
        {
            Gate.Release();
        }
    }
}
