namespace NextGpt.Model.Language;

/// <summary>Even draws from a seed: SplitMix64 (Steele, Lea and Flood 2014), the same on every machine and version.</summary>
internal sealed class SeededDraws(long seed)
{
    private ulong _state = (ulong)seed;

    /// <summary>A number from 0 to below 1, of 53 bits.</summary>
    public double Next()
    {
        _state += 0x9E3779B97F4A7C15;
        var mixed = (_state ^ (_state >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        return ((mixed ^ (mixed >> 31)) >> 11) * (1.0 / (1UL << 53));
    }
}
