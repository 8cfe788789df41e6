using Microsoft.Extensions.Options;
using NextGpt.Conversations;
using NextGpt.Host;
using NextGpt.Media;
using NextGpt.Server.Commands;
using NextGpt.Server.Endpoints;
using NextGpt.Server.Guards;
using NextGpt.Server.Instance;
using NextGpt.Server.Keys;
using NextGpt.Server.Settings;
using NextGpt.Server.Web;

namespace NextGpt.Server;

/// <summary>The web application: services, guards, routes.</summary>
internal static class ServerApplication
{
    /// <summary>Builds it; nothing is loaded and nothing listens yet.</summary>
    /// <param name="configuration">All settings.</param>
    /// <param name="log">The opened log, or null.</param>
    /// <param name="notKeptBecause">Why there is no log.</param>
    /// <param name="configure">Replaces services, for tests.</param>
    public static WebApplication Build(
        IConfiguration configuration, ConversationLog? log = null, string notKeptBecause = "no log is open.",
        Action<IServiceCollection>? configure = null)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions
        {
            ContentRootPath = AppContext.BaseDirectory,
        });
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddConfiguration(LogOpening.WithFolder(configuration));
        builder.Logging.AddConfiguration(configuration.GetSection("Logging"));
        // Its pipeline logs cancelling as an error and quotes exceptions; the router says what became of each turn.
        builder.Logging.AddFilter("Microsoft.Extensions.AI", LogLevel.None);
        builder.Logging.AddSimpleConsole(static console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "HH:mm:ss ";
        });
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(static kestrel =>
        {
            var options = kestrel.ApplicationServices.GetRequiredService<IOptions<ServerOptions>>().Value;
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = options.MaxRequestMegabytes * 1024L * 1024;
            kestrel.Limits.RequestHeadersTimeout = options.RequestTimeout;
        });
        builder.WebHost.UseUrls(configuration[$"{ServerOptions.SectionName}:Address"] ?? new ServerOptions().Address);
        AddServices(builder.Services, log, notKeptBecause);
        configure?.Invoke(builder.Services);
        var app = builder.Build();
        MapRoutes(app);
        return app;
    }

    private static void AddServices(IServiceCollection services, ConversationLog? log, string notKeptBecause)
    {
        services.AddOptions<ServerOptions>().BindConfiguration(ServerOptions.SectionName)
            .ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<DataOptions>().BindConfiguration(DataOptions.SectionName);
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<InstanceToken>();
        services.AddSingleton(static provider => new KeyStore(
            provider.GetRequiredService<IOptions<DataOptions>>().Value.Folder,
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(static provider => new FailureBrake(
            provider.GetRequiredService<IOptions<ServerOptions>>().Value.MaxKeyFailuresPerMinute,
            provider.GetRequiredService<TimeProvider>()));
        if (log is not null)
        {
            services.AddSingleton(log).AddNextGptConversations();   // with its daily retention
        }

        services.AddNextGptMedia(MediaChildCommand.Of(typeof(ServerApplication).Assembly));
        services.AddNextGptModel().AddNextGpt("nextgpt").AddNextGptHost(notKeptBecause).AddModelSenses();
        services.Configure<ConsoleLifetimeOptions>(static lifetime => lifetime.SuppressStatusMessages = true);
        services.AddHostedService<ModelWarmUp>();
        services.AddHostedService<ClosingTurns>();
        services.Configure<HostOptions>(static options => options.ShutdownTimeout = TimeSpan.FromMinutes(2));
        services.AddMetricsText();
        services.AddOpenApi();
        services.AddWebChat();
        services.AddNextGptDiscord();
        services.AddNextGptTeams();
    }

    private static void MapRoutes(WebApplication app)
    {
        app.UseMiddleware<AnswerGuard>();
        app.UseMiddleware<HostGuard>();
        app.UseRouting();
        app.UseMiddleware<KeyGuard>();
        app.MapHealth();
        app.MapTurns();
        app.MapMedia();
        app.MapPrivacy();
        app.MapKeys();
        app.MapLog();
        app.MapCompletions();
        app.MapModelList();
        app.MapMetricsText();
        app.MapOpenApi("/openapi.json");
        app.MapWebChat();
        app.MapNextGptTeams(ListeningRules.ListensOnlyHere(app.Services.GetRequiredService<IOptions<ServerOptions>>().Value.AddressUri));
    }
}

/// <summary>At shutdown running turns get their grace before the server closes connections (QUE-5).</summary>
internal sealed class ClosingTurns(ConversationRouter router) : IHostedLifecycleService
{
    public Task StoppingAsync(CancellationToken cancellationToken) => router.CloseAsync(cancellationToken);

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
