using System.CommandLine;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using NextGpt.Server.Instance;
using NextGpt.Server.Keys;
using NextGpt.Server.Settings;
using NextGpt.Server.Web;

namespace NextGpt.Server.Commands;

/// <summary><c>serve</c>: checks settings, takes the data folder, listens, loads the model, runs until it is stopped.</summary>
internal static class ServeCommand
{
    public static Command Create(Surroundings surroundings, SharedOptions shared)
    {
        var serve = new Command("serve", "Answer on the web page and the HTTP API. This is also what no command does.");
        serve.SetAction((parsed, cancellationToken) => RunAsync(surroundings, shared, parsed, cancellationToken));
        return serve;
    }

    /// <summary>Serves until it is stopped.</summary>
    public static async Task<int> RunAsync(
        Surroundings surroundings, SharedOptions shared, ParseResult parsed, CancellationToken cancellationToken)
    {
        var begun = surroundings.Time.GetTimestamp();
        var settings = shared.CheckedSettings(parsed);
        var folder = SharedOptions.FolderOf(settings);
        var server = settings.GetSection(ServerOptions.SectionName).Get<ServerOptions>() ?? new ServerOptions();
        ThrowIfAny(ExitCode.Failed, ListeningRules.Mistakes(server));
        if (shared.DryRun(parsed))
        {
            surroundings.Output.WriteLine($"The settings are good; the server would listen on {server.Address}.");
            return ExitCode.Done;
        }

        using var held = DataLock.Take(folder);
        ThrowIfAny(
            ExitCode.Refused, ListeningRules.Refusals(server, new KeyStore(folder, surroundings.Time).HasValidKey()));
        var (log, because) = await LogOpening.TryOpenAsync(settings, surroundings.Time, cancellationToken);
        await using var closingLog = log;
        surroundings.Output.WriteLine($"data      {folder}");
        surroundings.Output.WriteLine(
            $"log       {(log is null ? $"nothing is kept: {because}" : LogOpening.OptionsOf(settings).Folder)}");
        await using var app = ServerApplication.Build(settings, log, because, services =>
        {
            services.AddSingleton(surroundings);
            surroundings.Configure?.Invoke(services);
        });
        using var second = EndAtSecondSignal();
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch (IOException taken)
        {
            throw new CommandFailure(
                ExitCode.Failed,
                $"{server.Address} cannot be listened on: {taken.Message} Name another address with "
                + $"{ServerOptions.SectionName}:{nameof(ServerOptions.Address)}.");
        }

        var address = AddressOf(app);
        new RunningServer(Environment.ProcessId, Reachable(address), app.Services.GetRequiredService<InstanceToken>().Text)
            .Announce(folder);
        try
        {
            surroundings.Output.WriteLine(
                $"listening {address.GetLeftPart(UriPartial.Authority)} after "
                + $"{surroundings.Time.GetElapsedTime(begun).TotalSeconds:0.0} s");
            if (WebChat.OneTimeLink(app.Services, Reachable(address)) is { } link)
            {
                surroundings.Output.WriteLine($"open      {link} (works once)");
            }

            await app.WaitForShutdownAsync(cancellationToken);
            return ExitCode.Done;
        }
        finally
        {
            RunningServer.Withdraw(folder);
        }
    }

    private static void ThrowIfAny(int exitCode, IEnumerable<SettingsProblem> problems)
    {
        var sentences = string.Join(Environment.NewLine, problems.Select(problem => problem.Sentence));
        if (sentences.Length > 0)
        {
            throw new CommandFailure(exitCode, sentences);
        }
    }

    /// <summary>Where it really listens (port 0 has become a number).</summary>
    private static Uri AddressOf(WebApplication app) => new(
        app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses.First()
            ?? throw new InvalidOperationException("The server listens nowhere."));

    /// <summary>An address that listens everywhere is reached here on this machine's own.</summary>
    private static Uri Reachable(Uri address) => address.Host is "0.0.0.0" or "[::]" or "::"
        ? new UriBuilder(address) { Host = "127.0.0.1" }.Uri
        : address;

    /// <summary>The first signal lets turns finish (QUE-5); the second ends the process at once.</summary>
    private static Signals EndAtSecondSignal() => new();

    private sealed class Signals : IDisposable
    {
        private readonly PosixSignalRegistration _interrupt;
        private readonly PosixSignalRegistration _terminate;
        private int _count;

        public Signals()
        {
            _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, _ => Count());
            _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, _ => Count());
        }

        public void Dispose()
        {
            _interrupt.Dispose();
            _terminate.Dispose();
        }

        private void Count()
        {
            if (Interlocked.Increment(ref _count) == 2)
            {
                Environment.Exit(ExitCode.Stopped);
            }
        }
    }
}
