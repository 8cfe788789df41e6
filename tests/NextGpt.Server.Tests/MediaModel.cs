using Microsoft.Extensions.DependencyInjection;
using NextGpt.Host;
using NextGpt.Host.Tests;
using NextGpt.Media;

namespace NextGpt.Server.Tests;

/// <summary>A model that reads and makes everything, with scripted codecs.</summary>
internal static class MediaModel
{
    public static void AddScriptedMedia(this IServiceCollection services)
    {
        MediaKind[] all = [MediaKind.Image, MediaKind.Audio, MediaKind.Video];
        var codecs = new ScriptedMedia();
        services.AddSingleton(new ModelSenses(all, all)).AddSingleton<IMediaReader>(codecs).AddSingleton<IMediaWriter>(codecs);
    }
}
