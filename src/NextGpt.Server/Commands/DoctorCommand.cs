using System.CommandLine;
using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using NextGpt.Bots.Discord;
using NextGpt.Bots.Teams;
using NextGpt.Conversations;
using NextGpt.Model;
using NextGpt.Server.Instance;
using NextGpt.Server.Keys;
using NextGpt.Server.Settings;

namespace NextGpt.Server.Commands;

/// <summary><c>doctor</c>: looks at everything the program needs; each line is ok or what to do (CLI-3).</summary>
internal static class DoctorCommand
{
    private const long LeastFreeBytes = 2L * 1024 * 1024 * 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(25);

    public static Command Create(Surroundings surroundings, SharedOptions shared)
    {
        var doctor = new Command("doctor", "Look at everything the program needs; each line is ok or says what to do.");
        doctor.SetAction(async (parsed, cancellationToken) =>
        {
            var findings = new List<Finding>();
            var settings = shared.ReadSettings(parsed);
            var problems = SettingsCheck.Run(settings);
            findings.Add(problems.Count == 0
                ? Finding.Ok("settings", "all names and values are valid")
                : Finding.Bad("settings", string.Join(' ', problems.Select(problem => problem.Sentence))));
            if (problems.Count == 0)
            {
                await ExamineAsync(settings, surroundings, findings, cancellationToken);
            }

            surroundings.Write(
                shared.Json(parsed),
                new JsonObject
                {
                    ["ok"] = findings.All(finding => finding.IsOk),
                    ["findings"] = new JsonArray([.. findings.Select(finding => new JsonObject
                    {
                        ["name"] = finding.Name, ["ok"] = finding.IsOk, ["message"] = finding.Message,
                    })]),
                },
                () => findings.Select(finding => $"{(finding.IsOk ? "ok  " : "FIX ")} {finding.Name,-12} {finding.Message}"));
            return findings.All(finding => finding.IsOk) ? ExitCode.Done : ExitCode.Failed;
        });
        return doctor;
    }

    private static async Task ExamineAsync(
        IConfigurationRoot settings, Surroundings surroundings, List<Finding> findings, CancellationToken cancellationToken)
    {
        var folder = SharedOptions.FolderOf(settings);
        var server = settings.GetSection(ServerOptions.SectionName).Get<ServerOptions>() ?? new ServerOptions();
        var running = await RunningServer.FindAsync(folder, cancellationToken);
        findings.Add(ExamineFolder(folder));
        findings.Add(ExamineDisk(folder));
        findings.Add(ExamineFiles(folder));
        findings.Add(ExamineClock(surroundings.Time));
        findings.Add(ExamineKeys(folder, server, surroundings.Time));
        findings.Add(await ExamineDiscordAsync(settings, surroundings.Time, cancellationToken));
        findings.Add(MediaExamination.OfFfmpeg(settings));
        if (server.Certificate is { Length: > 0 } certificate)
        {
            findings.Add(ExamineCertificate(certificate, surroundings.Time));
        }

        findings.Add(ExamineTeams(settings, server));
        if (running is not null)
        {
            findings.Add(Finding.Ok("server", $"runs as process {running.ProcessId} at {running.Address}; it holds port, log and model"));
            return;
        }

        findings.Add(ExaminePort(server));
        findings.Add(await ExamineLogAsync(settings, surroundings.Time, cancellationToken));
        if (MediaExamination.OfPackage(settings) is { } fit)
        {
            findings.Add(fit);
        }

        findings.Add(await ExamineModelAsync(settings, surroundings, cancellationToken));
        findings.Add(ExamineMemory());
    }

    private static Finding ExamineTeams(IConfiguration settings, ServerOptions server)
    {
        var (isOk, sentence) = TeamsCheck.Run(
            settings.GetSection(TeamsOptions.SectionName).Get<TeamsOptions>() ?? new TeamsOptions(),
            ListeningRules.ListensOnlyHere(server.AddressUri));
        return isOk ? Finding.Ok("teams", sentence) : Finding.Bad("teams", sentence);
    }

    private static Finding ExamineFolder(string folder)
    {
        try
        {
            PrivateFile.MakeFolder(folder);
            var probe = Path.Combine(folder, $"doctor.{Environment.ProcessId}.tmp");
            PrivateFile.Write(probe, [1]);
            File.Delete(probe);
            return Finding.Ok("data folder", folder);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return Finding.Bad("data folder", $"{folder} cannot be written ({failure.Message}); change its rights or set NextGpt:DataFolder.");
        }
    }

    private static Finding ExamineDisk(string folder)
    {
        try
        {
            var free = new DriveInfo(Path.GetFullPath(folder)).AvailableFreeSpace;
            var text = string.Create(CultureInfo.InvariantCulture, $"{free / 1e9:0.0} GB free");
            return free >= LeastFreeBytes
                ? Finding.Ok("disk", text)
                : Finding.Bad("disk", $"{text}; free at least 2 GB, or set NextGpt:DataFolder to another disk.");
        }
        catch (Exception failure) when (failure is IOException or ArgumentException or UnauthorizedAccessException)
        {
            return Finding.Bad("disk", $"The free space cannot be read: {failure.Message}");
        }
    }

    private static Finding ExamineFiles(string folder)
    {
        if (OperatingSystem.IsWindows() || !Directory.Exists(folder))
        {
            return Finding.Ok("file modes", "nothing to check");
        }

        var open = new List<string>();
        foreach (var file in Directory.EnumerateFiles(
            folder, "*", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 3 }))
        {
            const UnixFileMode others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead
                | UnixFileMode.OtherWrite;
            if ((Path.GetExtension(file) is ".json" or ".key" or ".secret" or ".pem")
                && (File.GetUnixFileMode(file) & others) != 0)
            {
                open.Add(Path.GetRelativePath(folder, file));
            }
        }

        return open.Count == 0
            ? Finding.Ok("file modes", "secrets are readable by their owner only")
            : Finding.Bad("file modes", $"others can read {string.Join(", ", open)}; run chmod 600 on them.");
    }

    private static Finding ExamineClock(TimeProvider time) => time.GetUtcNow() is { Year: >= 2026 and < 2100 } now
        ? Finding.Ok("clock", now.UtcDateTime.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture))
        : Finding.Bad("clock", "The clock is wrong; set it, consent and retention depend on it.");

    private static Finding ExamineKeys(string folder, ServerOptions server, TimeProvider time)
    {
        try
        {
            var keys = new KeyStore(folder, time);
            var refusals = ListeningRules.Mistakes(server).ToList();
            if (refusals.Count == 0)
            {
                refusals.AddRange(ListeningRules.Refusals(server, keys.HasValidKey()));
            }

            return refusals.Count == 0
                ? Finding.Ok("keys", $"{keys.List().Count(key => key.IsValid(time.GetUtcNow()))} working; listens on {server.Address}")
                : Finding.Bad("keys", string.Join(' ', refusals.Select(refusal => refusal.Sentence)));
        }
        catch (InvalidDataException damaged)
        {
            return Finding.Bad("keys", damaged.Message);
        }
    }

    /// <summary>Two weeks are enough to renew a certificate without haste.</summary>
    internal static Finding ExamineCertificate(string path, TimeProvider time)
    {
        try
        {
            using var certificate = X509CertificateLoader.LoadCertificateFromFile(path);
            var ends = new DateTimeOffset(certificate.NotAfter);
            var until = ends.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
            var left = ends - time.GetUtcNow();
            return left <= TimeSpan.Zero
                ? Finding.Bad("certificate", $"It expired on {until}; renew {path}.")
                : left < TimeSpan.FromDays(14)
                    ? Finding.Bad("certificate", $"It expires on {until}, in {left.Days} days; renew {path}.")
                    : Finding.Ok("certificate", $"good until {until}");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or CryptographicException)
        {
            return Finding.Bad("certificate", $"{path} cannot be read as a certificate ({failure.Message}); name a PEM file.");
        }
    }

    private static async Task<Finding> ExamineDiscordAsync(
        IConfiguration settings, TimeProvider time, CancellationToken cancellationToken)
    {
        var options = settings.GetSection(DiscordOptions.SectionName).Get<DiscordOptions>();
        var (isOk, message) = await DiscordCheck.RunAsync(options, Environment.GetEnvironmentVariable, time, cancellationToken);
        return isOk ? Finding.Ok("discord", message) : Finding.Bad("discord", message);
    }

    private static Finding ExaminePort(ServerOptions server)
    {
        var address = server.AddressUri;
        try
        {
            using var listener = TcpListener.Create(address.Port);
            listener.ExclusiveAddressUse = true;
            listener.Start();
            return Finding.Ok("port", $"{address.Port} is free");
        }
        catch (SocketException taken)
        {
            return Finding.Bad(
                "port", $"{address.Port} cannot be used ({taken.SocketErrorCode}); set NextGpt:Server:Address to another port.");
        }
    }

    private static async Task<Finding> ExamineLogAsync(
        IConfiguration settings, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            await using var log = await ConversationLog.OpenAsync(LogOpening.OptionsOf(settings), time, cancellationToken);
            var stats = log.GetStats();
            return stats.DamagedRecords == 0
                ? Finding.Ok("log", $"{stats.Turns} kept turns")
                : Finding.Bad("log", $"{stats.DamagedRecords} records are damaged; `nextgpt log verify` lists them.");
        }
        catch (LogLockedException locked)
        {
            return Finding.Bad("log", locked.Message);
        }
        catch (Exception failure) when (failure is LogUnavailableException or LogTooNewException or IOException
            or UnauthorizedAccessException or InvalidDataException)
        {
            return Finding.Bad("log", failure.Message);
        }
    }

    /// <summary>Loads the model (which checks its hash and libtorch) and lets it say a word.</summary>
    private static async Task<Finding> ExamineModelAsync(
        IConfigurationRoot settings, Surroundings surroundings, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(Patience, surroundings.Time);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(settings);
        services.AddLogging();
        services.AddNextGptModel();
        surroundings.Configure?.Invoke(services);
        await using var provider = services.BuildServiceProvider();
        var generator = provider.GetRequiredService<IGenerator>();
        try
        {
            if (generator is ModelThread model)
            {
                await model.LoadAsync(cancellationToken: any.Token);
            }

            var begun = surroundings.Time.GetTimestamp();
            var request = new GenerationRequest
            {
                Messages = [PromptMessage.Of(PromptRole.User, "Hello")],
                MaxTokens = 4,
                Sampling = new SamplingOptions { Temperature = 0 },
            };
            await foreach (var _ in generator.GenerateAsync(request, any.Token))
            {
            }

            var status = (generator as ModelThread)?.Status;
            if (status is { Lost.Count: > 0 })
            {
                return Finding.Bad("model", $"{generator.ModelId} answers, and goes without a part. {string.Join(' ', status.Lost)}");
            }

            return Finding.Ok("model", string.Create(
                CultureInfo.InvariantCulture,
                $"{generator.ModelId}, {status?.Engine ?? "scripted"}, loaded in {status?.LoadTime?.TotalSeconds ?? 0:0.0} s, "
                + $"first words in {surroundings.Time.GetElapsedTime(begun).TotalSeconds:0.0} s"));
        }
        catch (GenerationRefusedException refused)
        {
            return Finding.Bad("model", refused.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Finding.Bad("model", $"It was not ready within {Patience.TotalSeconds:0} s; free the machine, or choose a smaller model.");
        }
    }

    private static Finding ExamineMemory()
    {
        var info = GC.GetGCMemoryInfo();
        var free = info.TotalAvailableMemoryBytes - info.MemoryLoadBytes;
        var text = string.Create(
            CultureInfo.InvariantCulture,
            $"{Environment.WorkingSet / 1e9:0.0} GB used with the model loaded, {free / 1e9:0.0} GB free");
        return free > 200_000_000
            ? Finding.Ok("memory", text)
            : Finding.Bad("memory", $"{text}; close other programs or choose a smaller model.");
    }

    internal sealed record Finding(string Name, bool IsOk, string Message)
    {
        public static Finding Ok(string name, string message) => new(name, true, message);

        public static Finding Bad(string name, string message) => new(name, false, message);
    }
}
