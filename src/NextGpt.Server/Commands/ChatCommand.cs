using System.CommandLine;
using NextGpt.Conversations;
using NextGpt.Host;
using NextGpt.Media;
using NextGpt.Model;
using NextGpt.Server.Instance;
using NextGpt.Server.Terminal;
using Spectre.Console;

namespace NextGpt.Server.Commands;

/// <summary><c>chat</c>: talk at the terminal, or through a pipe.</summary>
internal static class ChatCommand
{
    public static Command Create(Surroundings surroundings, SharedOptions shared)
    {
        var temperature = new Option<double?>("--temperature")
        {
            Description = "0 takes the likeliest words, 2 is wild. Default: the model's.",
        };
        var seed = new Option<long?>("--seed") { Description = "The same seed and question give the same answer." };
        var maxTokens = new Option<int?>("--max-tokens") { Description = "Most tokens of an answer." };
        var system = new Option<string?>("--system") { Description = "What the model is told before the conversation." };
        var chat = new Command(
            "chat", "Talk at the terminal. Lines piped in are answered one by one, with nothing else on the output.")
        {
            temperature, seed, maxTokens, system,
        };
        chat.SetAction(async (parsed, cancellationToken) =>
        {
            var settings = new TurnSettings
            {
                Temperature = parsed.GetValue(temperature),
                Seed = parsed.GetValue(seed),
                MaxTokens = parsed.GetValue(maxTokens),
                SystemText = parsed.GetValue(system),
            };
            await using var partner = await MeetAsync(surroundings, shared.CheckedSettings(parsed), cancellationToken);
            return surroundings.IsInteractive
                ? await TalkAsync(partner, settings, surroundings, cancellationToken)
                : await PipeAsync(partner, settings, surroundings, cancellationToken);
        });
        return chat;
    }

    /// <summary>The running server if there is one, else the model in this process.</summary>
    private static async Task<IChatPartner> MeetAsync(
        Surroundings surroundings, IConfigurationRoot settings, CancellationToken cancellationToken)
    {
        if (await RunningServer.FindAsync(SharedOptions.FolderOf(settings), cancellationToken) is { } server)
        {
            return await RemotePartner.ConnectAsync(server, cancellationToken);
        }

        var (log, because) = await OpenLogAsync(settings, surroundings, cancellationToken);
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(settings);
        services.AddSingleton(surroundings.Time);
        services.AddLogging();   // to nowhere: the terminal belongs to the conversation
        if (log is not null)
        {
            services.AddSingleton(log);
        }

        services.AddNextGptMedia(MediaChildCommand.Of(typeof(ChatCommand).Assembly));
        services.AddNextGptModel().AddNextGpt("nextgpt").AddNextGptHost(because).AddModelSenses();
        surroundings.Configure?.Invoke(services);
        var provider = services.BuildServiceProvider();
        var model = provider.GetService<IGenerator>() as ModelThread;
        if (model is not null)
        {
            await LoadAsync(model, surroundings, cancellationToken);
        }

        return new LocalPartner(
            provider.GetRequiredService<ConversationRouter>(), provider.GetRequiredService<KeptTurns>(),
            model?.ModelId ?? "nextgpt", model?.Status.Engine ?? "this process", provider);
    }

    /// <summary>Another chat may hold the log; this one then goes on without keeping.</summary>
    private static async Task<(ConversationLog? Log, string Because)> OpenLogAsync(
        IConfiguration settings, Surroundings surroundings, CancellationToken cancellationToken)
    {
        try
        {
            return await LogOpening.TryOpenAsync(settings, surroundings.Time, cancellationToken);
        }
        catch (LogLockedException locked)
        {
            return (null, locked.Message);
        }
    }

    private static async Task LoadAsync(ModelThread model, Surroundings surroundings, CancellationToken cancellationToken)
    {
        if (!surroundings.IsInteractive)
        {
            await model.LoadAsync(cancellationToken: cancellationToken);
            return;
        }

        await AnsiConsole.Progress().AutoClear(true).HideCompleted(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn())
            .StartAsync(async context =>
            {
                var task = context.AddTask("Loading the model");
                await model.LoadAsync(
                    new Watcher<ModelStatus>(status => task.Value = status.Percent), cancellationToken);
            });
    }

    private static async Task<int> TalkAsync(
        IChatPartner partner, TurnSettings settings, Surroundings surroundings, CancellationToken cancellationToken)
    {
        var chat = new ConsoleChat(partner, new ConsoleScreen(AnsiConsole.Console, Console.ReadLine), settings, Attachments.OfProcess(),
            OutFolder.OfProcess(surroundings.Time), surroundings.Time);
        ConsoleCancelEventHandler onInterrupt = (_, pressed) =>
        {
            pressed.Cancel = true;
            if (chat.Interrupt())
            {
                Console.WriteLine();
                partner.DisposeAsync().AsTask().Wait(TimeSpan.FromSeconds(5));
                Environment.Exit(ExitCode.Stopped);   // the prompt waits for a line that will not come
            }
        };
        Console.CancelKeyPress += onInterrupt;
        try
        {
            return await chat.RunAsync(cancellationToken);
        }
        finally
        {
            Console.CancelKeyPress -= onInterrupt;
        }
    }

    private static async Task<int> PipeAsync(
        IChatPartner partner, TurnSettings settings, Surroundings surroundings, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        ConsoleCancelEventHandler onInterrupt = (_, pressed) =>
        {
            pressed.Cancel = !stop.IsCancellationRequested;   // the second one ends the process
            stop.Cancel();
        };
        Console.CancelKeyPress += onInterrupt;
        try
        {
            return await new PipedChat(partner, surroundings, settings, OutFolder.OfProcess(surroundings.Time))
                .RunAsync(stop.Token);
        }
        finally
        {
            Console.CancelKeyPress -= onInterrupt;
        }
    }
}
