using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using NextGpt.Media;

namespace NextGpt.Server.Commands;

/// <summary><c>model detect</c>: whether files carry the mark of what a model made, of which and when (AID-1).</summary>
internal static class DetectCommand
{
    private const long MostBytes = 2L * 1024 * 1024 * 1024;

    public static Command Create(Surroundings surroundings, SharedOptions shared)
    {
        var files = new Argument<string[]>("file")
        {
            Description = "PNG, WebP, GIF, WAV, MP4 or M4A; nothing of them is decoded.",
            Arity = ArgumentArity.OneOrMore,
        };
        var command = new Command(
            "detect", "Say whether a file carries our mark that a model made it, with the model's id and the date. Exit code 0: all do; 1: one does not.")
        {
            files,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var found = new List<(string File, GenerationMark? Mark)>();
            foreach (var file in parsed.GetRequiredValue(files))
            {
                found.Add((file, MediaMarks.Find(await ReadAsync(file, cancellationToken))));
            }

            surroundings.Write(
                shared.Json(parsed),
                new JsonObject
                {
                    ["all_marked"] = found.TrueForAll(one => one.Mark is not null),
                    ["files"] = new JsonArray([.. found.Select(one => Json(one.File, one.Mark))]),
                },
                () => found.Select(one => Line(one.File, one.Mark)));
            return found.TrueForAll(one => one.Mark is not null) ? ExitCode.Done : ExitCode.Failed;
        });
        return command;
    }

    private static async Task<byte[]> ReadAsync(string file, CancellationToken cancellationToken)
    {
        if (!File.Exists(file))
        {
            throw new CommandFailure(ExitCode.Usage, $"There is no file {file}; give the path of a picture, sound or clip.");
        }

        if (new FileInfo(file).Length >= MostBytes)
        {
            throw new CommandFailure(ExitCode.Usage, $"{file} has 2 GiB or more; what a model made here is smaller.");
        }

        try
        {
            return await File.ReadAllBytesAsync(file, cancellationToken);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Usage, $"{file} cannot be read: {failure.Message}");
        }
    }

    private static JsonObject Json(string file, GenerationMark? mark) => new()
    {
        ["file"] = file,
        ["marked"] = mark is not null,
        ["model"] = mark?.ModelId,
        ["created_at"] = mark?.CreatedAt.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture),
    };

    private static string Line(string file, GenerationMark? mark) => mark is null
        ? $"{file}: no mark of ours. That does not say that no model made it: marks are lost when a file is saved anew."
        : string.Create(CultureInfo.InvariantCulture, $"{file}: made by the model {mark.ModelId} on {mark.CreatedAt.UtcDateTime:yyyy-MM-dd}.");
}
