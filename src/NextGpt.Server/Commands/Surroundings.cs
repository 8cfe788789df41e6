using System.Text.Json;
using System.Text.Json.Nodes;

namespace NextGpt.Server.Commands;

/// <summary>What a command reads from and writes to; the process in life, strings in tests.</summary>
internal sealed class Surroundings
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>Bytes piped in.</summary>
    public required Stream Input { get; init; }

    /// <summary>Results.</summary>
    public required TextWriter Output { get; init; }

    /// <summary>Everything that is not a result.</summary>
    public required TextWriter Error { get; init; }

    /// <summary>Whether a person sits at input and output.</summary>
    public bool IsInteractive { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Replaces services, for tests.</summary>
    public Action<IServiceCollection>? Configure { get; init; }

    /// <summary>The process.</summary>
    public static Surroundings OfProcess() => new()
    {
        Input = Console.OpenStandardInput(),
        Output = Console.Out,
        Error = Console.Error,
        IsInteractive = !Console.IsInputRedirected && !Console.IsOutputRedirected,
    };

    /// <summary>Writes a result as JSON, or as lines for people.</summary>
    public void Write(bool asJson, JsonObject json, Func<IEnumerable<string>> lines)
    {
        if (asJson)
        {
            Output.WriteLine(json.ToJsonString(Indented));
            return;
        }

        foreach (var line in lines())
        {
            Output.WriteLine(line);
        }
    }
}
