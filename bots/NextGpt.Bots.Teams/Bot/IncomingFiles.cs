using NextGpt.Bots.Teams.Activities;
using NextGpt.Bots.Teams.Connector;
using NextGpt.Bots.Teams.Inbound;
using NextGpt.Host;
using NextGpt.Media;

namespace NextGpt.Bots.Teams.Bot;

/// <summary>Reads what a person attached; what lies elsewhere is said, not fetched.</summary>
internal sealed class IncomingFiles(FileTransfer transfer, TeamsOptions options)
{
    private const string DownloadInfo = "application/vnd.microsoft.teams.file.download.info";
    private const int MostRead = 8;   // the router refuses more than it allows, with its sentence

    private readonly HostList _services = new(options.ServiceHosts, options.LocalMode);

    /// <summary>Whether a message brings files.</summary>
    public static bool Any(IncomingActivity activity) => activity.Attachments.Any(IsFile);

    /// <summary>The files of a message, and a sentence for each that was not read.</summary>
    public async Task<(IReadOnlyList<IncomingFile> Files, IReadOnlyList<string> Problems)> ReadAsync(
        IncomingActivity activity, CancellationToken cancellationToken)
    {
        List<IncomingFile> files = [];
        List<string> problems = [];
        foreach (var attachment in activity.Attachments.Where(IsFile).Take(MostRead))
        {
            try
            {
                files.Add(await ReadAsync(attachment, files.Count + 1, cancellationToken));
            }
            catch (FileTransferException problem)
            {
                problems.Add(problem.Message);
            }
        }

        return (files, problems);
    }

    private async Task<IncomingFile> ReadAsync(IncomingAttachment attachment, int number, CancellationToken cancellationToken)
    {
        var name = attachment.Name is { Length: > 0 } given ? given : $"file {number}";
        if (attachment.ContentType == DownloadInfo)
        {
            var bytes = await transfer.ReadAsync(attachment.Content?.Text("downloadUrl"), withToken: false, cancellationToken);
            var type = attachment.Content?.Text("fileType") ?? Path.GetExtension(name).TrimStart('.');
            return new IncomingFile(name, bytes, TypeOf(type));
        }

        if (!_services.Allows(attachment.ContentUrl))
        {
            throw new FileTransferException("A file that lies elsewhere was not fetched; attach it to the message itself.");
        }

        var picture = await transfer.ReadAsync(attachment.ContentUrl, withToken: true, cancellationToken);
        return new IncomingFile(name, picture, attachment.ContentType.EndsWith('*') ? null : attachment.ContentType);
    }

    private static bool IsFile(IncomingAttachment attachment) => attachment.ContentType == DownloadInfo
        || (attachment.ContentUrl is not null && !attachment.ContentType.StartsWith("text/", StringComparison.OrdinalIgnoreCase)
            && !attachment.ContentType.StartsWith("application/vnd.microsoft.", StringComparison.OrdinalIgnoreCase));

    private static string? TypeOf(string extension) => extension.ToUpperInvariant() switch
    {
        "JPEG" => MediaFormat.Jpeg.MediaType,
        var other => MediaFormat.All.FirstOrDefault(
            format => string.Equals(format.Extension, other, StringComparison.OrdinalIgnoreCase))?.MediaType,
    };
}
