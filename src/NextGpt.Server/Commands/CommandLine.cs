using System.CommandLine;
using NextGpt.Conversations;
using NextGpt.Model;
using NextGpt.Server.Instance;
using NextGpt.Server.Settings;

namespace NextGpt.Server.Commands;

/// <summary>All verbs of the program, and how their failures become exit codes (CLI-1, CLI-2).</summary>
internal static class CommandLine
{
    /// <summary>Runs one command.</summary>
    /// <param name="arguments">What was typed; nothing is <c>serve</c>.</param>
    /// <param name="surroundings">What it reads and writes.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>One of <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(
        IReadOnlyList<string> arguments, Surroundings surroundings, CancellationToken cancellationToken = default)
    {
        var shared = new SharedOptions();
        var root = new RootCommand("NextGpt.Chat: a chat bot around a model that runs on this machine.")
        {
            ServeCommand.Create(surroundings, shared),
            ChatCommand.Create(surroundings, shared),
            DoctorCommand.Create(surroundings, shared),
            ConfigCommand.Create(surroundings, shared),
            LogCommand.Create(surroundings, shared),
            PrivacyCommand.Create(surroundings, shared),
            KeysCommand.Create(surroundings, shared),
            ModelCommand.Create(surroundings, shared),
            TrainCommand.Create(surroundings),
            EvaluateCommand.Create(surroundings, shared),
            DataCommand.Create(surroundings, shared),
            TeamsCommand.Create(surroundings, shared),
        };
        shared.AddTo(root);
        root.SetAction((parsed, token) => ServeCommand.RunAsync(surroundings, shared, parsed, token));
        var parsed = root.Parse(arguments);
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors)
            {
                surroundings.Error.WriteLine(error.Message);
            }

            SuggestVerb(parsed, surroundings);
            surroundings.Error.WriteLine("`nextgpt --help` lists what can be done.");
            return ExitCode.Usage;
        }

        try
        {
            return await parsed.InvokeAsync(
                new InvocationConfiguration
                {
                    Output = surroundings.Output,
                    Error = surroundings.Error,
                    EnableDefaultExceptionHandler = false,
                    ProcessTerminationTimeout = null,   // Ctrl+C is the commands' own matter
                },
                cancellationToken);
        }
        catch (CommandFailure failure)
        {
            surroundings.Error.WriteLine(failure.Message);
            return failure.ExitCode;
        }
        catch (OperationCanceledException)
        {
            return ExitCode.Stopped;
        }
        catch (Exception locked) when (locked is LogLockedException or DataLockedException)
        {
            surroundings.Error.WriteLine(locked.Message);
            return ExitCode.Locked;
        }
        catch (Exception failure) when (failure is InvalidDataException or IOException or UnauthorizedAccessException
            or HttpRequestException or InvalidOperationException or LogUnavailableException or LogTooNewException
            or GenerationRefusedException)
        {
            surroundings.Error.WriteLine(failure.Message);
            return ExitCode.Failed;
        }
    }

    private static void SuggestVerb(ParseResult parsed, Surroundings surroundings)
    {
        var verbs = parsed.CommandResult.Command.Subcommands.Select(verb => verb.Name).ToList();
        foreach (var word in parsed.UnmatchedTokens)
        {
            if (NearestName.To(word, verbs) is { } nearest)
            {
                surroundings.Error.WriteLine($"Did you mean `{nearest}`?");
            }
        }
    }
}

/// <summary>Options that every verb knows.</summary>
internal sealed class SharedOptions
{
    private readonly Option<string?> _config = new("--config")
    {
        Description = "A further settings file (JSON); environment variables such as NextGpt__Model__Device win over it.",
        HelpName = "FILE",
        Recursive = true,
    };

    private readonly Option<bool> _json = new("--json")
    {
        Description = "Write the result as JSON.",
        Recursive = true,
    };

    private readonly Option<bool> _dryRun = new("--dry-run")
    {
        Description = "Say what would be done, and do nothing.",
        Recursive = true,
    };

    private readonly Option<bool> _yes = new("--yes", "-y")
    {
        Description = "Do not ask before something is removed or replaced.",
        Recursive = true,
    };

    public void AddTo(Command root)
    {
        root.Add(_config);
        root.Add(_json);
        root.Add(_dryRun);
        root.Add(_yes);
    }

    /// <summary>Whether the result is wanted as JSON.</summary>
    public bool Json(ParseResult parsed) => parsed.GetValue(_json);

    /// <summary>Whether nothing may be done.</summary>
    public bool DryRun(ParseResult parsed) => parsed.GetValue(_dryRun);

    /// <summary>Whether nothing needs to be asked.</summary>
    public bool Yes(ParseResult parsed) => parsed.GetValue(_yes);

    /// <summary>The settings, unchecked.</summary>
    public IConfigurationRoot ReadSettings(ParseResult parsed) => SettingsSource.Read(parsed.GetValue(_config));

    /// <summary>The settings, checked.</summary>
    /// <exception cref="CommandFailure">Some are wrong; the message names each.</exception>
    public IConfigurationRoot CheckedSettings(ParseResult parsed)
    {
        var settings = ReadSettings(parsed);
        var problems = SettingsCheck.Run(settings);
        return problems.Count == 0
            ? settings
            : throw new CommandFailure(
                ExitCode.Failed, string.Join(Environment.NewLine, problems.Select(problem => problem.Sentence)));
    }

    /// <summary>The data folder of settings.</summary>
    public static string FolderOf(IConfiguration settings) =>
        (settings.GetSection(DataOptions.SectionName).Get<DataOptions>() ?? new DataOptions()).Folder;
}
