using System.Globalization;
using NextGpt.Media;
using NextGpt.Model;
using NextGpt.Model.Conversion;
using NextGpt.Model.Packages;

namespace NextGpt.Server.Commands;

/// <summary>What <c>doctor</c> says of media: what reads and writes them, and whether the package that makes them fits (CLI-3).</summary>
internal static class MediaExamination
{
    private const string LostWithoutFfmpeg =
        "MP3, OGG, FLAC, M4A, MP4 and WebM are not read, and clips are written as animated WebP instead of MP4. PNG, JPEG, WebP, GIF "
        + "and WAV need nothing. To have it: apt-get install ffmpeg, or name it in NextGpt:Media:Ffmpeg.";

    /// <summary>ffmpeg and ffprobe; their absence is no fault where no setting names them.</summary>
    public static DoctorCommand.Finding OfFfmpeg(IConfiguration settings)
    {
        var options = settings.GetSection(MediaFileOptions.SectionName).Get<MediaFileOptions>() ?? new();
        return options.FindFfmpeg() is { } file ? DoctorCommand.Finding.Ok("ffmpeg", file)
            : options.Ffmpeg is not { } named ? DoctorCommand.Finding.Ok("ffmpeg", $"not installed: {LostWithoutFfmpeg}")
            : DoctorCommand.Finding.Bad("ffmpeg", $"{named} or the ffprobe beside it is not there: {LostWithoutFfmpeg}");
    }

    /// <summary>Whether the package of the settings fits its device; null where a language model alone is used.</summary>
    public static DoctorCommand.Finding? OfPackage(IConfiguration settings)
    {
        var options = settings.GetSection(ModelOptions.SectionName).Get<ModelOptions>() ?? new();
        if (options.Path is not { } path || !File.Exists(Path.Combine(path, "nextgpt.json")))
        {
            return null;
        }

        try
        {
            var (device, bytes) = DeviceMemory.Of(options.Device);
            var report = PackageFit.Estimate(ModelPackage.Open(path), device, bytes, options.MaxContextTokens);
            var need = string.Create(
                CultureInfo.InvariantCulture, $"{report.NeededBytes / 1e9:0.0} GB for everything at once, {device} has {bytes / 1e9:0.0} GB");
            return report.Verdict switch
            {
                FitVerdict.Whole => DoctorCommand.Finding.Ok("package", need),
                FitVerdict.OffLoaded => DoctorCommand.Finding.Ok("package", $"{need}; off-loaded between uses: {string.Join(", ", report.OffLoaded)}"),
                _ => DoctorCommand.Finding.Bad("package", string.Create(
                    CultureInfo.InvariantCulture,
                    $"{need}, and {report.LeastBytes / 1e9:0.0} GB is the least; choose a smaller package, fewer tokens in NextGpt:Model:MaxContextTokens, or another device.")),
            };
        }
        catch (Exception failure) when (failure is InvalidDataException or IOException or InvalidOperationException or UnauthorizedAccessException)
        {
            return DoctorCommand.Finding.Bad("package", failure.Message);
        }
    }
}
