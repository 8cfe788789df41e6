using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using NextGpt.Bots.Teams;
using NextGpt.Bots.Teams.Bot;
using NextGpt.Bots.Teams.Connector;
using NextGpt.Bots.Teams.Inbound;
using NextGpt.Conversations;
using NextGpt.Host;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the Teams bot and maps where its activities arrive.</summary>
public static class TeamsServiceCollectionExtensions
{
    internal const string OutboundClient = "NextGpt.Teams";

    /// <summary>Adds the bot; it answers nothing unless <see cref="TeamsOptions.Enabled"/> is set and it is mapped.</summary>
    /// <param name="services">The collection, with <see cref="ConversationRouter"/> and its kin.</param>
    public static IServiceCollection AddNextGptTeams(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddOptions<TeamsOptions>().BindConfiguration(TeamsOptions.SectionName)
            .ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<TeamsHealth>();
        services.AddKeyedSingleton<HttpMessageHandler>(
            OutboundClient, static (provider, _) => PublicAddress.Handler(OptionsOf(provider).LocalMode));
        services.AddSingleton(TokensOf);
        services.AddSingleton(static provider => new ConnectorClient(
            ClientOf(provider), provider.GetRequiredService<ITokenSource>(), OptionsOf(provider),
            provider.GetRequiredService<TeamsHealth>(), provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<ConnectorClient>>()));
        services.AddSingleton(static provider => new FileTransfer(
            ClientOf(provider), provider.GetRequiredService<ITokenSource>(), OptionsOf(provider),
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(static provider => new IncomingFiles(
            provider.GetRequiredService<FileTransfer>(), OptionsOf(provider)));
        services.AddSingleton(static provider => new TeamsState(
            OptionsOf(provider).StateFileBeside(provider.GetService<ConversationLog>() is null
                ? null
                : provider.GetRequiredService<IOptions<ConversationOptions>>().Value.Folder),
            provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<TeamsState>>()));
        services.AddSingleton(static provider => new OfferedFiles(
            OptionsOf(provider), provider.GetRequiredService<TeamsState>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(static provider => new TenantRules(
            OptionsOf(provider), provider.GetRequiredService<KeptTurns>(), provider.GetRequiredService<TeamsState>()));
        services.AddSingleton(static provider => new MediaDelivery(
            provider.GetRequiredService<ConnectorClient>(), provider.GetRequiredService<FileTransfer>(),
            provider.GetRequiredService<OfferedFiles>(), provider.GetRequiredService<TeamsState>(),
            provider.GetRequiredService<ConversationShelf>(), OptionsOf(provider)));
        services.AddSingleton<SentMessages>();
        services.AddSingleton<Conversations>();
        services.AddSingleton(static provider => new Commands(
            provider.GetRequiredService<ConnectorClient>(), provider.GetRequiredService<KeptTurns>(),
            provider.GetRequiredService<TenantRules>(), provider.GetRequiredService<OfferedFiles>(),
            provider.GetRequiredService<SentMessages>(), provider.GetRequiredService<MediaDelivery>(),
            provider.GetRequiredService<Conversations>(), provider.GetRequiredService<TeamsState>(), OptionsOf(provider)));
        services.AddSingleton(static provider => new TurnDelivery(
            provider.GetRequiredService<ConversationRouter>(), provider.GetRequiredService<ConnectorClient>(),
            provider.GetRequiredService<IncomingFiles>(), provider.GetRequiredService<MediaDelivery>(),
            provider.GetRequiredService<SentMessages>(), provider.GetRequiredService<KeptTurns>(),
            provider.GetRequiredService<TenantRules>(), OptionsOf(provider),
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(static provider => new ConversationQueue(
            OptionsOf(provider).MaxQueued, provider.GetRequiredService<ILogger<ConversationQueue>>()));
        services.AddSingleton(static provider => new TeamsMeter(provider.GetService<IMeterFactory>()));
        services.AddSingleton<TeamsBot>();
        services.AddSingleton(static provider => new TenantOffboarding(
            provider.GetRequiredService<KeptTurns>(), provider.GetRequiredService<TeamsState>(),
            provider.GetRequiredService<OfferedFiles>(), provider.GetRequiredService<SentMessages>(),
            provider.GetRequiredService<Conversations>(), provider.GetRequiredService<TimeProvider>()));
        services.AddHostedService<TenantRetention>();
        return services;
    }

    /// <summary>Maps where activities arrive and where linked media lie; does nothing while the bot is off.</summary>
    /// <param name="app">The application.</param>
    /// <param name="listensOnlyHere">Whether nobody but this machine can reach the server; local mode needs it.</param>
    /// <exception cref="InvalidOperationException">Local mode on a server that others can reach.</exception>
    public static void MapNextGptTeams(this WebApplication app, bool listensOnlyHere)
    {
        ArgumentNullException.ThrowIfNull(app);
        var provider = app.Services;
        var options = OptionsOf(provider);
        if (!options.Enabled)
        {
            return;
        }

        if (options.LocalMode && !listensOnlyHere)
        {
            throw new InvalidOperationException(
                "NextGpt:Teams:LocalMode believes everybody, but others can reach this server; set NextGpt:Server:Address to "
                + "http://127.0.0.1:3978 or switch LocalMode off.");
        }

        var time = provider.GetRequiredService<TimeProvider>();
        var health = provider.GetRequiredService<TeamsHealth>();
        _ = provider.GetRequiredService<ITokenSource>();   // says at once if the secret is missing
        TokenCheck? tokens = null;
        if (!options.LocalMode)
        {
            var http = ClientOf(provider);
            http.Timeout = options.CallTimeout;
            http.MaxResponseContentBufferSize = 1024 * 1024;
            var keys = new SigningKeys(
                http, new Uri(options.MetadataAddress), time, provider.GetRequiredService<ILogger<SigningKeys>>());
            tokens = new TokenCheck(keys, options.Issuer, options.AppId ?? "", time);
        }

        var endpoint = new ActivityEndpoint(
            options, tokens, new ClaimsCheck(options), new Repeats(time), provider.GetRequiredService<TeamsBot>(), health, time,
            provider.GetRequiredService<ILogger<ActivityEndpoint>>());
        if (options.LocalMode)
        {
            LocalModeWarning.Begin(app.Lifetime, time, provider.GetRequiredService<ILoggerFactory>());
        }

        app.Map(options.Path, endpoint.HandleAsync).ExcludeFromDescription();
        var offers = provider.GetRequiredService<OfferedFiles>();
        app.MapGet("/teams/media/{id}", (HttpContext context, string id, long until, string mark) =>
            MediaLinkEndpoint.Get(offers, context, id, until, mark)).ExcludeFromDescription();
        var days = provider.GetRequiredService<KeptTurns>().RetentionDays;
        app.MapGet("/teams/privacy", () => Results.Text(PublicPages.Privacy(options, days))).ExcludeFromDescription();
        app.MapGet("/teams/terms", () => Results.Text(PublicPages.Terms(options))).ExcludeFromDescription();
    }

    private static ITokenSource TokensOf(IServiceProvider provider)
    {
        var options = OptionsOf(provider);
        if (options.LocalMode)
        {
            return new NoToken();
        }

        try
        {
            return new ServiceTokens(options);
        }
        catch (Exception failure) when (failure is InvalidDataException or IOException or UnauthorizedAccessException
            or ArgumentException or Microsoft.Identity.Client.MsalException)
        {
            var because = failure is InvalidDataException
                ? failure.Message
                : $"The Teams bot's credential cannot be used ({failure.GetType().Name}); check the section NextGpt:Teams.";
            provider.GetRequiredService<TeamsHealth>().Fail(because);
            LocalModeWarning.LogOff(provider.GetRequiredService<ILoggerFactory>(), because);
            return new NoToken();
        }
    }

    private static HttpClient ClientOf(IServiceProvider provider) => new(
        provider.GetRequiredKeyedService<HttpMessageHandler>(OutboundClient), disposeHandler: false)
    {
        Timeout = Timeout.InfiniteTimeSpan,   // every call brings its own
    };

    private static TeamsOptions OptionsOf(IServiceProvider provider) =>
        provider.GetRequiredService<IOptions<TeamsOptions>>().Value;
}
