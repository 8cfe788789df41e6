using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization;
using NextGpt.Server.Settings;

namespace NextGpt.Server.Instance;

/// <summary>What a running server tells the command line: where it listens and how to be recognised.</summary>
/// <param name="ProcessId">Its process.</param>
/// <param name="Address">Where it listens, reachable from this machine.</param>
/// <param name="Token">See <see cref="InstanceToken"/>.</param>
internal sealed record RunningServer(int ProcessId, Uri Address, string Token)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Writes the note that a server runs on a data folder; readable by its owner only.</summary>
    public void Announce(string folder) =>
        PrivateFile.Write(FileIn(folder), JsonSerializer.SerializeToUtf8Bytes(this, RunningServerJson.Default.RunningServer));

    /// <summary>Removes the note.</summary>
    public static void Withdraw(string folder) => File.Delete(FileIn(folder));

    /// <summary>The server that runs on a data folder, or null; a note that a killed server left behind is ignored.</summary>
    public static async Task<RunningServer?> FindAsync(string folder, CancellationToken cancellationToken = default)
    {
        try
        {
            await using var stream = File.OpenRead(FileIn(folder));
            var server = await JsonSerializer.DeserializeAsync(
                stream, RunningServerJson.Default.RunningServer, cancellationToken);
            return server is not null && IsAlive(server.ProcessId) && await server.AnswersAsync(cancellationToken)
                ? server
                : null;
        }
        catch (Exception none) when (none is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    /// <summary>The process that the note names, or null.</summary>
    public static int? ProcessIn(string folder)
    {
        try
        {
            return JsonSerializer.Deserialize(
                File.ReadAllBytes(FileIn(folder)), RunningServerJson.Default.RunningServer)?.ProcessId;
        }
        catch (Exception none) when (none is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    /// <summary>A client that is recognised as the command line.</summary>
    public HttpClient Connect()
    {
        var client = new HttpClient(
            new SocketsHttpHandler { UseProxy = false, SslOptions = { RemoteCertificateValidationCallback = IsOwn } })
        {
            BaseAddress = Address,
            Timeout = Timeout.InfiniteTimeSpan,
        };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        return client;

        // The address is this machine's own, named by a file that only its owner may write; a certificate made for the
        // public name does not name it.
        bool IsOwn(object _, object? __, object? ___, System.Net.Security.SslPolicyErrors ____) => Address.IsLoopback;
    }

    private static string FileIn(string folder) => Path.Combine(folder, "server.json");

    private static bool IsAlive(int processId)
    {
        try
        {
            using var process = Process.GetProcessById(processId);
            return !process.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private async Task<bool> AnswersAsync(CancellationToken cancellationToken)
    {
        using var client = Connect();
        client.Timeout = Patience;
        try
        {
            using var answer = await client.GetAsync(new Uri("/healthz", UriKind.Relative), cancellationToken);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception silent) when (silent is HttpRequestException
            || (silent is TaskCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return false;
        }
    }
}

/// <summary>Reads and writes the note without reflection.</summary>
[JsonSerializable(typeof(RunningServer))]
internal sealed partial class RunningServerJson : JsonSerializerContext;
