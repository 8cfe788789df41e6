using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace NextGpt.Bots.Teams.AppPackage;

/// <summary>Makes the ZIP that an administrator uploads to Teams: manifest and two icons.</summary>
public static class TeamsAppPackage
{
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true };

    /// <summary>Writes the package.</summary>
    /// <param name="options">Who the bot is; needs <see cref="TeamsOptions.AppId"/> and <see cref="TeamsOptions.PublicAddress"/>.</param>
    /// <param name="version">The package's version, for example <c>1.0.0</c>.</param>
    /// <param name="destination">Where to; stays open.</param>
    /// <exception cref="InvalidDataException">A setting that the package names is missing.</exception>
    public static void Write(TeamsOptions options, string version, Stream destination)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (!Guid.TryParse(options.AppId, out var appId))
        {
            throw new InvalidDataException("NextGpt:Teams:AppId is missing; set it to the bot's application id from the Azure portal.");
        }

        if (!Uri.TryCreate(options.PublicAddress, UriKind.Absolute, out var own) || own.Scheme != Uri.UriSchemeHttps)
        {
            throw new InvalidDataException(
                "NextGpt:Teams:PublicAddress is missing; set it to this server's https address, whose pages the package names.");
        }

        using var zip = new ZipArchive(destination, ZipArchiveMode.Create, leaveOpen: true);
        Add(zip, "manifest.json", JsonSerializer.SerializeToUtf8Bytes(Manifest(options.Name, appId.ToString("D"), own, version), Readable));
        Add(zip, "color.png", IconDrawing.Color());
        Add(zip, "outline.png", IconDrawing.Outline());
    }

    private static JsonObject Manifest(string name, string appId, Uri own, string version)
    {
        JsonArray Commands() => [.. Bot.Commands.All.Select(command =>
            new JsonObject { ["title"] = command.Name, ["description"] = command.Description })];
        var address = own.GetLeftPart(UriPartial.Authority);
        return new JsonObject
        {
            ["$schema"] = "https://developer.microsoft.com/json-schemas/teams/v1.22/MicrosoftTeams.schema.json",
            ["manifestVersion"] = "1.22",
            ["version"] = version,
            ["id"] = appId,
            ["developer"] = new JsonObject
            {
                ["name"] = name,
                ["websiteUrl"] = address,
                ["privacyUrl"] = $"{address}/teams/privacy",
                ["termsOfUseUrl"] = $"{address}/teams/terms",
            },
            ["name"] = new JsonObject { ["short"] = name, ["full"] = $"{name}, an AI that runs on our own machine" },
            ["description"] = new JsonObject
            {
                ["short"] = "An AI that reads and makes text, pictures, sounds and clips.",
                ["full"] = "An AI around a research model that runs on our own machine and errs. It reads and makes text, pictures, "
                    + "sounds and short clips; it neither speaks nor transcribes speech. Nothing is kept unless you allow it.",
            },
            ["icons"] = new JsonObject { ["color"] = "color.png", ["outline"] = "outline.png" },
            ["accentColor"] = "#2B4C7E",
            ["bots"] = new JsonArray(new JsonObject
            {
                ["botId"] = appId,
                ["scopes"] = new JsonArray("personal", "groupChat", "team"),
                ["supportsFiles"] = true,
                ["isNotificationOnly"] = false,
                ["commandLists"] = new JsonArray(
                    new JsonObject
                    {
                        ["scopes"] = new JsonArray("personal", "groupChat", "team"),
                        ["commands"] = Commands(),
                    }),
            }),
            ["validDomains"] = new JsonArray(own.Host),
            ["webApplicationInfo"] = new JsonObject { ["id"] = appId, ["resource"] = $"api://{own.Host}/{appId}" },
        };
    }

    private static void Add(ZipArchive zip, string name, byte[] bytes)
    {
        var entry = zip.CreateEntry(name);
        entry.LastWriteTime = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);   // same settings, same bytes
        using var stream = entry.Open();
        stream.Write(bytes);
    }
}
