namespace NextGpt.Host;

/// <summary>Names a conversation across surfaces; random where we make it, platform-derived where a platform does.</summary>
/// <param name="Value">At most 200 characters of letters, digits and <c>-_:.</c></param>
public readonly record struct ConversationId(string Value)
{
    /// <summary>A new random id (128 bits).</summary>
    public static ConversationId New() => new(Guid.NewGuid().ToString("N"));

    /// <inheritdoc/>
    public override string ToString() => Value;
}
