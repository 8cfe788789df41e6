using System.Security.Cryptography;

namespace NextGpt.Server.Instance;

/// <summary>The secret with which the program's own command line reaches the running server; new at every start.</summary>
internal sealed class InstanceToken
{
    /// <summary>256 random bits.</summary>
    public string Text { get; } = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
}
