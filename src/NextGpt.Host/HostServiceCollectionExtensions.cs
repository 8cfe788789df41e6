using System.Diagnostics.Metrics;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using NextGpt.Conversations;
using NextGpt.Host;
using NextGpt.Host.Files;
using NextGpt.Host.Memory;
using NextGpt.Host.Plugins;
using NextGpt.Host.Turns;
using NextGpt.Media;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the routing of turns.</summary>
public static class HostServiceCollectionExtensions
{
    /// <summary>
    /// Adds <see cref="ConversationRouter"/>, <see cref="KeptTurns"/>, <see cref="ConversationShelf"/> and
    /// <see cref="ModelReadiness"/>. Needs an <see cref="IChatClient"/> and logging; a
    /// <see cref="ConversationLog"/> and an <see cref="IMeterFactory"/> are used if they are registered, and so are
    /// <see cref="IMediaReader"/>, <see cref="IMediaWriter"/> and <see cref="ModelSenses"/>, without which no files are read.
    /// </summary>
    /// <param name="services">The collection.</param>
    /// <param name="notKeptBecause">Why there is no log, as a sentence; said to people who allowed keeping.</param>
    public static IServiceCollection AddNextGptHost(
        this IServiceCollection services, string notKeptBecause = "no log is configured.")
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddOptions<TurnOptions>().BindConfiguration(TurnOptions.SectionName)
            .ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<PluginOptions>().BindConfiguration(PluginOptions.SectionName);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<ITurnStore>(provider => provider.GetService<ConversationLog>() is { } log
            ? new LoggedTurnStore(log)
            : new AbsentTurnStore(notKeptBecause));
        services.AddSingleton<ModelReadiness>();
        services.AddSingleton<ConversationMemory>();
        services.AddSingleton(provider => new TurnQueue(
            provider.GetRequiredService<IOptions<TurnOptions>>().Value, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new TurnMeter(
            provider.GetService<IMeterFactory>(), provider.GetRequiredService<TurnQueue>()));
        services.AddSingleton(provider => new ConversationRouter(
            provider.GetRequiredService<IChatClient>(),
            provider.GetRequiredService<ITurnStore>(),
            provider.GetRequiredService<ConversationMemory>(),
            provider.GetRequiredService<TurnQueue>(),
            provider.GetRequiredService<TurnMeter>(),
            provider.GetRequiredService<ModelReadiness>(),
            FilesOf(provider),
            provider.GetRequiredService<IOptions<TurnOptions>>().Value,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<ConversationRouter>>(),
            PluginTools.Load(
                provider.GetRequiredService<IOptions<PluginOptions>>().Value, provider,
                provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<ConversationRouter>>())));
        services.AddSingleton(provider => new KeptTurns(
            provider.GetRequiredService<ITurnStore>(),
            provider.GetRequiredService<ConversationMemory>(),
            provider.GetRequiredService<ConversationRouter>(),
            provider.GetRequiredService<TurnMeter>()));
        services.AddSingleton(provider => new ConversationShelf(
            provider.GetRequiredService<ITurnStore>(),
            provider.GetRequiredService<ConversationMemory>(),
            provider.GetRequiredService<KeptTurns>(),
            provider.GetRequiredService<ConversationRouter>()));
        return services;
    }

    private static FileReading FilesOf(IServiceProvider provider) => new(
        provider.GetService<IMediaReader>(),
        provider.GetService<IMediaWriter>(),
        provider.GetRequiredService<IOptions<TurnOptions>>().Value,
        provider.GetService<ModelSenses>() ?? ModelSenses.TextOnly);
}
