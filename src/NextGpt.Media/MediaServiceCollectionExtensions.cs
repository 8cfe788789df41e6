using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using NextGpt.Media;
using NextGpt.Media.Ffmpeg;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers reading and writing of media. No process starts before the first file.</summary>
public static class MediaServiceCollectionExtensions
{
    /// <summary>
    /// Adds <see cref="IMediaReader"/> and <see cref="IMediaWriter"/>, with the settings of the section
    /// <c>NextGpt:Media</c> where the container has a configuration, else with the defaults.
    /// </summary>
    /// <param name="services">The collection.</param>
    /// <param name="child">
    /// How a process that decodes files from strangers is started (THR-7); see <see cref="MediaChild"/>. Null (default)
    /// decodes in this process, under the same limits of size but without those of memory, time and rights: for programs
    /// whose files are their own.
    /// </param>
    /// <returns>The collection.</returns>
    /// <exception cref="ArgumentNullException">The collection is null.</exception>
    public static IServiceCollection AddNextGptMedia(this IServiceCollection services, MediaChildCommand? child = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddOptions<MediaFileOptions>()
            .Configure<IServiceProvider>((options, provider) =>
                provider.GetService<IConfiguration>()?.GetSection(MediaFileOptions.SectionName).Bind(options))
            .ValidateDataAnnotations()
            .ValidateOnStart();
        return services.AddFiles(child);
    }

    /// <summary>Adds them with given settings instead of those of the configuration.</summary>
    /// <param name="services">The collection.</param>
    /// <param name="options">The settings.</param>
    /// <param name="child">How a decoding process is started; null decodes in this process.</param>
    /// <returns>The collection.</returns>
    /// <exception cref="ArgumentNullException">The collection or the settings are null.</exception>
    /// <exception cref="ValidationException">A setting is out of its range.</exception>
    public static IServiceCollection AddNextGptMedia(
        this IServiceCollection services, MediaFileOptions options, MediaChildCommand? child = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(options);
        Validator.ValidateObject(options, new ValidationContext(options), validateAllProperties: true);
        services.AddSingleton(Options.Options.Create(options));
        return services.AddFiles(child);
    }

    private static IServiceCollection AddFiles(this IServiceCollection services, MediaChildCommand? child)
    {
        services.TryAddSingleton(provider =>
            FfmpegPrograms.Find(provider.GetRequiredService<IOptions<MediaFileOptions>>().Value.Ffmpeg));
        services.TryAddSingleton<IMediaReader>(provider => new MediaReader(
            provider.GetRequiredService<IOptions<MediaFileOptions>>().Value,
            provider.GetRequiredService<FfmpegPrograms>(),
            child));
        services.TryAddSingleton<IMediaWriter>(provider => new MediaWriter(provider.GetRequiredService<FfmpegPrograms>()));
        return services;
    }
}
