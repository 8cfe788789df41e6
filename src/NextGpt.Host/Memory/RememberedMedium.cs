using System.Security.Cryptography;
using System.Text;
using NextGpt.Conversations;
using NextGpt.Media;

namespace NextGpt.Host.Memory;

/// <summary>A medium of a turn as remembered: the file itself, or where the log keeps it, or why there is none.</summary>
internal sealed record RememberedMedium
{
    public required string MediaId { get; init; }

    public required bool FromPerson { get; init; }

    public required MediaKind Kind { get; init; }

    public required MediaFormat? Format { get; init; }

    /// <summary>The file while it is in memory.</summary>
    public MediaFile? File { get; init; }

    /// <summary>The medium itself while its turn is under way, so that nobody decodes it again; never remembered.</summary>
    public Medium? Decoded { get; init; }

    /// <summary>SHA-256 under which the log has it, or null.</summary>
    public string? Hash { get; init; }

    /// <summary>Alternative text; of a person's file its name.</summary>
    public required string Caption { get; init; }

    /// <summary>Its place in the answer's text.</summary>
    public int TextOffset { get; init; }

    /// <summary>What stands in its place where it could not be made, or null.</summary>
    public string? Lost { get; init; }

    /// <summary>Whether a file can still be had.</summary>
    public bool IsThere => File is not null || Hash is not null;

    /// <summary>
    /// The id of a turn's medium: as hard to guess as the turn's own random id, from which it is made, and the same again
    /// after a restart.
    /// </summary>
    public static string IdOf(string turnId, bool fromPerson, int number) => Convert.ToHexStringLower(SHA256.HashData(
        Encoding.UTF8.GetBytes($"{turnId}/{(fromPerson ? "asked" : "answered")}/{number}")))[..32];

    public static RememberedMedium OfPerson(string turnId, int number, MediaFile file, string name) => new()
    {
        MediaId = IdOf(turnId, fromPerson: true, number),
        FromPerson = true,
        Kind = file.Kind,
        Format = file.Format,
        File = file,
        Caption = name,
    };

    /// <summary>The media of a kept turn; their files are fetched when they are needed.</summary>
    public static IReadOnlyList<RememberedMedium> Of(LoggedTurn logged)
    {
        var numbers = new Dictionary<bool, int> { [true] = 0, [false] = 0 };
        return
        [
            .. logged.Media.Select(medium =>
            {
                var format = MediaFormat.All.FirstOrDefault(known => known.MediaType == medium.MediaType);
                var kind = medium.Kind ?? format?.Kind ?? MediaKind.Image;
                return new RememberedMedium
                {
                    MediaId = IdOf(logged.Turn.TurnId, medium.FromPerson, numbers[medium.FromPerson]++),
                    FromPerson = medium.FromPerson,
                    Kind = kind,
                    Format = format,
                    Hash = medium.Hash,
                    Caption = string.IsNullOrWhiteSpace(medium.Caption) ? NameOf(kind, medium.FromPerson) : medium.Caption,
                    TextOffset = medium.TextOffset,
                };
            }),
        ];
    }

    /// <summary>What to call a medium of which nothing better is known.</summary>
    public static string NameOf(MediaKind kind, bool fromPerson) => (kind, fromPerson) switch
    {
        (MediaKind.Image, true) => "Your picture",
        (MediaKind.Audio, true) => "Your sound",
        (_, true) => "Your clip",
        (MediaKind.Image, _) => "Picture made by the AI",
        (MediaKind.Audio, _) => "Sound made by the AI",
        _ => "Clip made by the AI",
    };

    public PastMedium ToPast() => new(MediaId, FromPerson, Kind, Caption)
    {
        MediaType = Format?.MediaType ?? "application/octet-stream",
        TextOffset = TextOffset,
        Lost = Lost,
        IsThere = IsThere,
    };
}
