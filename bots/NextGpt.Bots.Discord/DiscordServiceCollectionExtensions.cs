using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using NextGpt.Bots.Discord;
using NextGpt.Host;
using NextGpt.Media;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the Discord bot.</summary>
public static class DiscordServiceCollectionExtensions
{
    /// <summary>
    /// Adds the bot, which runs only if <see cref="DiscordOptions.Enabled"/> says so. Needs <c>AddNextGptHost</c>; what is
    /// registered of <see cref="IMediaReader"/> and <see cref="IMediaWriter"/> is used to make large files smaller.
    /// </summary>
    /// <param name="services">The collection.</param>
    public static IServiceCollection AddNextGptDiscord(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddOptions<DiscordOptions>().BindConfiguration(DiscordOptions.SectionName)
            .ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<IHostedService>(static provider =>
        {
            var settings = provider.GetRequiredService<IOptionsMonitor<DiscordOptions>>();   // lists change without a restart
            DiscordOptions Options() => settings.CurrentValue;
            var logger = provider.GetRequiredService<ILogger<DiscordService>>();
            var time = provider.GetService<TimeProvider>() ?? TimeProvider.System;
            return new DiscordService(
                () => new BotSurroundings(
                    provider.GetRequiredService<ConversationRouter>(), provider.GetRequiredService<KeptTurns>(),
                    provider.GetRequiredService<IOptions<TurnOptions>>().Value, provider.GetService<IMediaReader>(),
                    provider.GetService<IMediaWriter>(), Options, time, logger),
                Options, Environment.GetEnvironmentVariable, time, logger);
        });
        return services;
    }
}
