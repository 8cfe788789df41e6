using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using NextGpt.Bots.Discord.Tests.Gateway;
using NextGpt.Bots.Discord.Tests.Simulator;
using NextGpt.Conversations;
using NextGpt.Host;
using NextGpt.Host.Tests;
using NextGpt.Media;

namespace NextGpt.Bots.Discord.Tests;

/// <summary>The bot as it is registered, at the simulator, with a scripted model and codecs.</summary>
internal sealed class BotBench : IAsyncDisposable
{
    private readonly ServiceProvider _provider;
    private readonly DiscordService _service;

    private BotBench(DiscordSimulator simulator, ServiceProvider provider, DiscordService service)
    {
        (Simulator, _provider, _service) = (simulator, provider, service);
        Kept = provider.GetRequiredService<KeptTurns>();
    }

    public DiscordSimulator Simulator { get; }

    public ScriptedChatClient Model => (ScriptedChatClient)_provider.GetRequiredService<IChatClient>();

    public KeptTurns Kept { get; }

    public DiscordService Service => _service;

    public DiscordBot Bot => _service.Bot ?? throw new InvalidOperationException("The bot does not run.");

    public LogLines Log => _provider.GetRequiredService<LogLines>();

    public static async Task<BotBench> StartAsync(
        DiscordSimulator? simulator = null, ConversationLog? log = null, Action<DiscordSimulator>? prepare = null,
        Func<string, string?>? environment = null, bool ready = true, TimeProvider? time = null, params (string Key, string Value)[] settings)
    {
        simulator ??= await DiscordSimulator.StartAsync();
        prepare?.Invoke(simulator);
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["NextGpt:Discord:Enabled"] = "true",
            ["NextGpt:Discord:ApiAddress"] = simulator.ApiAddress.ToString(),
            ["NextGpt:Discord:CdnAddresses:0"] = simulator.CdnAddress.ToString(),
            ["NextGpt:Turns:MaxWorking"] = "16",
            ["NextGpt:Turns:MaxPerGroup"] = "100",
            ["NextGpt:Turns:MaxPerPerson"] = "50",
            ["NextGpt:Turns:MaxWaiting"] = "1000",
            ["NextGpt:Turns:FirstTokenTimeout"] = "00:10:00",
        }).AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value))).Build();
        var services = new ServiceCollection();
        var lines = new LogLines();
        services.AddSingleton<IConfiguration>(configuration).AddSingleton(lines);
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(lines));
        services.AddSingleton<IChatClient>(new ScriptedChatClient());
        var codecs = new ScriptedMedia();
        MediaKind[] all = [MediaKind.Image, MediaKind.Audio, MediaKind.Video];
        services.AddSingleton(new ModelSenses(all, all)).AddSingleton<IMediaReader>(codecs).AddSingleton<IMediaWriter>(codecs);
        services.AddSingleton(TimeProvider.System);
        if (log is not null)
        {
            services.AddSingleton(log);
        }

        services.AddNextGptHost();
        services.AddNextGptDiscord();
        var provider = services.BuildServiceProvider();
        provider.GetRequiredService<ModelReadiness>().Ready();
        DiscordOptions Options() => provider.GetRequiredService<Microsoft.Extensions.Options.IOptionsMonitor<DiscordOptions>>().CurrentValue;
        var service = new DiscordService(
            () => new BotSurroundings(
                provider.GetRequiredService<ConversationRouter>(), provider.GetRequiredService<KeptTurns>(),
                provider.GetRequiredService<Microsoft.Extensions.Options.IOptions<TurnOptions>>().Value, codecs, codecs, Options,
                time ?? TimeProvider.System, provider.GetRequiredService<ILogger<DiscordService>>()),
            Options, environment ?? (name => name == "NEXTGPT_DISCORD_TOKEN" ? DiscordSimulator.Token : null), TimeProvider.System,
            provider.GetRequiredService<ILogger<DiscordService>>(), GatewayBench.Quick);
        await service.StartAsync(CancellationToken.None);
        var bench = new BotBench(simulator, provider, service);
        if (ready)
        {
            await DiscordSimulator.UntilAsync(() => service.Bot is { Gateway.IsReady: true } && simulator.Rest.Commands is not null, "the bot is ready");
        }

        return bench;
    }

    /// <summary>Every call is answered at once with "re: " and the question.</summary>
    public BotBench Echoing()
    {
        Model.Rule = call => call.Say("re: ").Say(call.Question).End();
        return this;
    }

    /// <summary>First lines of the messages that stand whole (they have their buttons).</summary>
    public System.Collections.Concurrent.ConcurrentDictionary<string, byte> Shown => Simulator.Rest.Whole;

    /// <summary>The bot's messages in a place, oldest first.</summary>
    public IReadOnlyList<JsonObject> Answers(string channel = SimulatedWorld.DirectId) => Simulator.Rest.MessagesOfBot(channel);

    public static string Text(JsonNode message) => (string?)message["content"] ?? "";

    /// <summary>Waits for a whole answer (it has its buttons) that contains the text.</summary>
    public async Task<JsonObject> AnsweredAsync(string text, string channel = SimulatedWorld.DirectId)
    {
        JsonObject? found = null;
        await DiscordSimulator.UntilAsync(
            () => (found = Answers(channel).LastOrDefault(message => Text(message).Contains(text, StringComparison.Ordinal)
                && message["components"]!.ToJsonString().Contains("fb:v1", StringComparison.Ordinal))) is not null,
            $"an answer with \"{text}\" in {channel}; there are: {string.Join(" / ", Answers(channel).Select(Text))}");
        return found!;
    }

    public static string TurnOf(JsonNode message)
    {
        var json = message["components"]!.ToJsonString();
        var from = json.IndexOf("fb:v1:up:", StringComparison.Ordinal) + "fb:v1:up:".Length;
        return json[from..json.IndexOf('"', from)];
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await Simulator.DisposeAsync();
    }

    /// <summary>Stops the bot alone.</summary>
    public async Task StopAsync()
    {
        await _service.StopAsync(CancellationToken.None);
        _service.Dispose();
        await _provider.DisposeAsync();
    }
}

/// <summary>Keeps every log line of every logger.</summary>
internal sealed class LogLines : ILoggerProvider
{
    private readonly List<string> _lines = [];

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lines)
            {
                return [.. _lines];
            }
        }
    }

    public ILogger CreateLogger(string categoryName) => new Writer(this);

    public void Dispose()
    {
    }

    private sealed class Writer(LogLines lines) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (lines._lines)
            {
                lines._lines.Add($"{logLevel} {formatter(state, exception)} {exception}");
            }
        }
    }
}
