using System.Globalization;
using Microsoft.Extensions.AI;
using NextGpt.Media;
using NextGpt.Model;

namespace NextGpt.ChatService.Attachments;

/// <summary>Decodes the pictures, sounds and clips of a conversation, or says in a sentence why one is not taken.</summary>
/// <param name="files">Decodes; where nothing is registered that does, it only matters once a file comes.</param>
/// <param name="abilities">Which kinds the model reads.</param>
internal sealed class AttachmentReader(MediaFiles files, ModelAbilities abilities)
{
    private readonly List<string> _notices = [];

    /// <summary>Sentences about files of which not everything was taken, in order.</summary>
    public IReadOnlyList<string> Notices => _notices;

    /// <summary>Throws if a person's message holds more files than one may.</summary>
    /// <exception cref="MediaRefusedException">It does.</exception>
    public void ThrowIfTooMany(ChatMessage message)
    {
        var count = message.Contents.Count(content => content is DataContent or UriContent);
        if (message.Role == ChatRole.User && count > files.MaxFilesPerMessage)
        {
            throw new MediaRefusedException("too_many_files",
                $"{count} files came, {files.MaxFilesPerMessage} are allowed; send the others in a second message.");
        }
    }

    /// <summary>The medium in a content.</summary>
    /// <param name="content">
    /// A <see cref="DataContent"/>, or a <see cref="UriContent"/> with a data address. If the raw representation is a
    /// <see cref="Medium"/>, the caller has decoded the file already and it is not decoded again.
    /// </param>
    /// <param name="role">Who sent it. Media that the model made itself but cannot read are left out.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The part of the prompt, or null where it is left out.</returns>
    /// <exception cref="MediaRefusedException">It is not taken.</exception>
    /// <exception cref="ArgumentException">The content is empty.</exception>
    public async ValueTask<MediaPart?> ReadAsync(AIContent content, ChatRole role, CancellationToken cancellationToken)
    {
        var file = content as DataContent ?? FromAddress((UriContent)content);
        var isOwn = role == ChatRole.Assistant;
        if (file.RawRepresentation is Medium decoded)
        {
            return Accept(decoded, file.MediaType, isOwn);
        }

        if (file.Data.IsEmpty)
        {
            throw new ArgumentException($"The content ({file.MediaType}) is empty; attach its bytes.");
        }

        var megabytes = file.Data.Length / 1_048_576.0;
        if (megabytes > files.MaxFileMegabytes)
        {
            throw new MediaRefusedException("file_too_large", string.Create(CultureInfo.InvariantCulture,
                $"{NameOf(file)} has {megabytes:0.#} MiB, the limit is {files.MaxFileMegabytes}; send a smaller one."));
        }

        var format = Identify(file);
        if (!abilities.Reads.Any(format.MayHold))
        {
            return isOwn ? null : throw Unsupported(format.MediaType);
        }

        var read = await DecodeAsync(file, cancellationToken);
        if (read.Notice is { } notice)
        {
            _notices.Add(notice);
        }

        return Accept(read.Medium, format.MediaType, isOwn);   // a GIF may have turned out to be a clip
    }

    /// <summary>Throws if bytes are plainly not of the kind that a service takes; what is no file at all is refused later.</summary>
    /// <exception cref="MediaRefusedException">They are of another kind.</exception>
    public static void ThrowIfOther(ReadOnlyMemory<byte>? file, MediaKind kind)
    {
        if (file is { } bytes && MediaFormat.Sniff(bytes.Span) is { } format && format.Kind != kind)
        {
            throw new MediaRefusedException("unsupported_media",
                $"{format.MediaType} is not supported; send {NamesOf(kind)}.");
        }
    }

    private static DataContent FromAddress(UriContent address)
    {
        if (!address.Uri.IsAbsoluteUri || address.Uri.Scheme != "data")
        {
            throw new MediaRefusedException("url_not_allowed",
                "Files are read only from uploads and data: URLs; this address was not fetched.");
        }

        try
        {
            return new DataContent(address.Uri.OriginalString);
        }
        catch (Exception wrong) when (wrong is ArgumentException or FormatException)
        {
            throw new MediaRefusedException("corrupt_media",
                "The data: URL cannot be read; write it as data:image/png;base64, followed by the file in base64.", wrong);
        }
    }

    private MediaFormat Identify(DataContent file)
    {
        try
        {
            DeclaredType.Check(file.Data.Span, file.MediaType, file.Name);
        }
        catch (MediaException contradiction)
        {
            throw new MediaRefusedException(contradiction);
        }

        return MediaFormat.Sniff(file.Data.Span) ?? throw Unsupported(DeclaredType.Describe(file.Data.Span, file.MediaType));
    }

    private async ValueTask<ReadMedium> DecodeAsync(DataContent file, CancellationToken cancellationToken)
    {
        if (files.Reader is not { } reader)
        {
            throw new InvalidOperationException(
                "No reader of media is registered, so the file cannot be decoded; call AddNextGptMedia on the same collection.");
        }

        try
        {
            return await reader.ReadAsync(file.Data, file.Name, cancellationToken);
        }
        catch (MediaException refused)
        {
            throw new MediaRefusedException(refused);
        }
    }

    private MediaPart? Accept(Medium medium, string mediaType, bool isOwn) =>
        abilities.Reads.Contains(medium.Kind) ? new MediaPart(medium)
        : isOwn ? null
        : throw Unsupported(mediaType);

    private MediaRefusedException Unsupported(string what) =>
        new("unsupported_media", $"{what} is not supported; send {Readable()}.");

    private string Readable() => abilities.Reads.Count == 0 ? "text" : NamesOf([.. abilities.Reads]);

    private static string NamesOf(params IReadOnlyList<MediaKind> kinds)
    {
        string[] names = [.. MediaFormat.All.Where(format => kinds.Any(format.MayHold)).Select(format => format.DisplayName)];
        return $"{string.Join(", ", names[..^1])} or {names[^1]}";
    }

    private static string NameOf(DataContent file) => string.IsNullOrWhiteSpace(file.Name) ? "The file" : file.Name;
}
