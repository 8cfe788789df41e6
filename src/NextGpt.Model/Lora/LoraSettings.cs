namespace NextGpt.Model.Lora;

/// <summary>Size and place of a low-rank correction, as in <c>adapter_config.json</c> of peft.</summary>
public sealed record LoraSettings
{
    /// <summary>Width of the bottleneck, 1 to 4,096.</summary>
    public required int Rank { get; init; }

    /// <summary>Strength; the correction is multiplied by alpha / rank, or alpha / √rank.</summary>
    public required double Alpha { get; init; }

    /// <summary>Whether the divisor is √rank (Kalajdzievski 2023) and not the rank.</summary>
    public bool RankStabilised { get; init; }

    /// <summary>Share of the inputs of the correction that training leaves out, 0 to below 1.</summary>
    public double Dropout { get; init; }

    /// <summary>Last parts of the paths of the layers that get a correction, for example <c>q_proj</c>.</summary>
    public required IReadOnlyList<string> TargetModules { get; init; }

    /// <summary>What the correction is multiplied by.</summary>
    public double Scale => Alpha / (RankStabilised ? Math.Sqrt(Rank) : Rank);

    /// <summary>Whether a layer gets a correction.</summary>
    /// <param name="path">The layer's path in the network, for example <c>model.layers.0.self_attn.q_proj</c>.</param>
    public bool Targets(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return TargetModules.Any(target =>
            path == target || path.EndsWith("." + target, StringComparison.Ordinal));
    }

    /// <summary>Refuses settings that make no correction.</summary>
    /// <param name="source">Where they came from, for the message.</param>
    /// <exception cref="InvalidDataException">Names the setting and its range.</exception>
    internal void Validate(string source)
    {
        var problem = Rank is < 1 or > 4_096 ? $"r is {Rank}, 1 to 4096 was expected"
            : !(Alpha > 0 && Alpha <= 1e6) ? FormattableString.Invariant($"lora_alpha is {Alpha}, above 0 to 1000000 was expected")
            : !(Dropout >= 0 && Dropout < 1) ? FormattableString.Invariant($"lora_dropout is {Dropout}, 0 to below 1 was expected")
            : TargetModules.Count == 0 || TargetModules.Any(string.IsNullOrEmpty) ? "target_modules is empty or has an empty name"
            : null;
        if (problem is not null)
        {
            throw new InvalidDataException($"{source}: {problem}.");
        }
    }
}
