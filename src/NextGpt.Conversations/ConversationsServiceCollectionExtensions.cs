using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using NextGpt.Conversations;
using NextGpt.Conversations.Retention;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the log of conversations.</summary>
public static class ConversationsServiceCollectionExtensions
{
    /// <summary>
    /// Adds <see cref="ConversationLog"/> and its daily retention. The log opens when it is first asked for, at the latest
    /// when the host starts; a log in use ends the start with <see cref="LogLockedException"/>.
    /// </summary>
    /// <param name="services">Where to.</param>
    /// <param name="configuration">
    /// Holds the section <see cref="ConversationOptions.SectionName"/>; null reads the host's configuration.
    /// </param>
    public static IServiceCollection AddNextGptConversations(
        this IServiceCollection services, IConfiguration? configuration = null)
    {
        var options = services.AddOptions<ConversationOptions>();
        if (configuration is null)
        {
            options.BindConfiguration(ConversationOptions.SectionName);
        }
        else
        {
            options.Bind(configuration.GetSection(ConversationOptions.SectionName));
        }

        options.ValidateDataAnnotations().ValidateOnStart();
        services.TryAddEnumerable(
            ServiceDescriptor.Singleton<IValidateOptions<ConversationOptions>, ConversationOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(provider => Open(provider));
        services.AddHostedService<RetentionJob>();
        return services;
    }

    // Containers build synchronously. Opening runs on threads of its own, so waiting here cannot lock anything up.
    private static ConversationLog Open(IServiceProvider provider) => ConversationLog.OpenAsync(
        provider.GetRequiredService<IOptions<ConversationOptions>>().Value,
        provider.GetRequiredService<TimeProvider>(),
        provider.GetRequiredService<ILogger<ConversationLog>>()).GetAwaiter().GetResult();
}
