namespace NextGpt.Bots.Discord.Gateway;

/// <summary>Connecting again makes no sense; the message says what to change.</summary>
internal sealed class GatewayRefusedException(string message, int? closeCode = null) : Exception(message)
{
    /// <summary>The code Discord closed with, or null.</summary>
    public int? CloseCode { get; } = closeCode;
}
