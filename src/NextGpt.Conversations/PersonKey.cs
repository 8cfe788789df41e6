namespace NextGpt.Conversations;

/// <summary>A person as the log knows them: a keyed hash of surface and platform id, never the id itself (PRI-9).</summary>
/// <param name="Value">32 lower-case hexadecimal digits.</param>
public readonly record struct PersonKey(string Value)
{
    /// <inheritdoc/>
    public override string ToString() => Value;
}
