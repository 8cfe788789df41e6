using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using NextGpt.Model;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the model. Nothing is read and no thread starts before the first request.</summary>
public static class NextGptModelServiceCollectionExtensions
{
    /// <summary>
    /// Adds the model as <see cref="IGenerator"/> and as <see cref="ModelThread"/>, with the settings of the section
    /// <c>NextGpt:Model</c> where the container has a configuration, else with the defaults: the embedded model.
    /// </summary>
    /// <param name="services">The collection.</param>
    /// <returns>The collection.</returns>
    /// <exception cref="ArgumentNullException">The collection is null.</exception>
    public static IServiceCollection AddNextGptModel(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddOptions<ModelOptions>()
            .Configure<IServiceProvider>((options, provider) =>
                provider.GetService<IConfiguration>()?.GetSection(ModelOptions.SectionName).Bind(options))
            .ValidateDataAnnotations()
            .ValidateOnStart();
        return services.AddThread();
    }

    /// <summary>Adds the model with given settings instead of those of the configuration.</summary>
    /// <param name="services">The collection.</param>
    /// <param name="options">The settings.</param>
    /// <returns>The collection.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ValidationException">A setting is out of its range.</exception>
    public static IServiceCollection AddNextGptModel(this IServiceCollection services, ModelOptions options)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(options);
        Validator.ValidateObject(options, new ValidationContext(options), validateAllProperties: true);
        services.AddSingleton(Options.Options.Create(options));
        return services.AddThread();
    }

    private static IServiceCollection AddThread(this IServiceCollection services)
    {
        services.TryAddSingleton(provider =>
        {
            var options = provider.GetRequiredService<IOptions<ModelOptions>>().Value;
            return ModelThread.Of(options, provider.GetService<TimeProvider>(), provider.GetService<ILogger<ModelThread>>());
        });
        services.TryAddSingleton<IGenerator>(provider => provider.GetRequiredService<ModelThread>());
        return services;
    }
}
