namespace NextGpt.Bots.Discord.Rest;

/// <summary>Discord refused a call.</summary>
internal sealed class RestException(int status, int code, string message)
    : Exception($"Discord answered {status} (code {code}): {message}")
{
    /// <summary>The HTTP status.</summary>
    public int Status { get; } = status;

    /// <summary>Discord's own code, see <see cref="RestCode"/>; 0 if it gave none.</summary>
    public int Code { get; } = code;
}

/// <summary>The codes of Discord that we act on (documented under "JSON error codes").</summary>
internal static class RestCode
{
    public const int UnknownChannel = 10003;
    public const int UnknownMessage = 10008;
    public const int UnknownWebhook = 10015;
    public const int UnknownInteraction = 10062;
    public const int TooLarge = 40005;
    public const int AlreadyAcknowledged = 40060;
    public const int MissingAccess = 50001;
    public const int NotOurMessage = 50005;
    public const int EmptyMessage = 50006;
    public const int CannotMessageUser = 50007;
    public const int MissingPermissions = 50013;
    public const int InvalidWebhookToken = 50027;
    public const int ThreadArchived = 50083;
    public const int ThreadExists = 160004;

    /// <summary>The interaction is gone: answer by an ordinary message instead.</summary>
    public static bool IsGone(int code) => code is UnknownWebhook or UnknownInteraction or InvalidWebhookToken or UnknownMessage;
}
