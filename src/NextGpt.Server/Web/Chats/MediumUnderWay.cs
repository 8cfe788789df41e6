using NextGpt.Media;

namespace NextGpt.Server.Web.Chats;

/// <summary>A medium that is being made.</summary>
/// <param name="Index">Its number in the answer.</param>
/// <param name="Kind">Picture, sound or clip.</param>
/// <param name="Share">How far it is, 0 to 1.</param>
internal sealed record MediumUnderWay(int Index, MediaKind Kind, double Share);
