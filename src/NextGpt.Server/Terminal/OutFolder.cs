using System.Globalization;
using NextGpt.Media;
using NextGpt.Server.Endpoints;

namespace NextGpt.Server.Terminal;

/// <summary>Where the console puts media: <c>./out/</c>, under names of our own making, never over another file (CON-2).</summary>
/// <param name="folder">The folder; made when the first file comes.</param>
/// <param name="time">For the names.</param>
internal sealed class OutFolder(string folder, TimeProvider time)
{
    /// <summary>The folder of the process: <c>out</c> in the current one.</summary>
    public static OutFolder OfProcess(TimeProvider time) => new(Path.Combine(".", "out"), time);

    /// <summary>Writes a file and says where, or why not.</summary>
    /// <returns>The path; null and a sentence if it could not be written.</returns>
    public async Task<(string? Path, string? Problem)> SaveAsync(MediaFile file, CancellationToken cancellationToken = default)
    {
        try
        {
            Directory.CreateDirectory(folder);
            var stem = string.Create(
                CultureInfo.InvariantCulture, $"{MediaWords.FileWordOf(file.Kind)}-{time.GetLocalNow():yyyyMMdd-HHmmss}");
            for (var number = 1; ; number++)
            {
                var path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{stem}-{number}.{file.Format.Extension}"));
                if (File.Exists(path))
                {
                    continue;
                }

                var stream = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None);
                await using (stream)
                {
                    await stream.WriteAsync(file.Bytes, cancellationToken);
                }

                return (path, null);
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return (null, $"The {MediaWords.FileWordOf(file.Kind)} could not be written to {folder}: {failure.Message}");
        }
    }
}
