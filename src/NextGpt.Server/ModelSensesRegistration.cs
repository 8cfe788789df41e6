using NextGpt.Host;
using NextGpt.Model;

namespace NextGpt.Server;

/// <summary>Tells the host what the configured model reads and makes; known without loading weights.</summary>
internal static class ModelSensesRegistration
{
    public static IServiceCollection AddModelSenses(this IServiceCollection services) =>
        services.AddSingleton(static provider =>
        {
            var abilities = provider.GetRequiredService<IGenerator>().Abilities;
            return new ModelSenses(abilities.Reads, abilities.Makes);
        });
}
