using Microsoft.Extensions.Logging.Abstractions;
using NextGpt.Bots.Discord.Rest;

namespace NextGpt.Bots.Discord;

/// <summary>Looks whether the bot could run with these settings (for <c>doctor</c>).</summary>
public static class DiscordCheck
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Asks Discord whether the token works; the token itself is never shown.</summary>
    /// <param name="options">The settings; null is the defaults.</param>
    /// <param name="environment">Reads an environment variable.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Whether all is well, and a sentence that says so or what to do.</returns>
    public static async Task<(bool IsOk, string Message)> RunAsync(
        DiscordOptions? options, Func<string, string?> environment, TimeProvider time, CancellationToken cancellationToken = default)
    {
        if (options is not { Enabled: true })
        {
            return (true, "switched off");
        }

        var (token, problem) = DiscordToken.Read(options, environment);
        if (token is null)
        {
            return (false, problem);
        }

        using var late = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        using var handler = new SocketsHttpHandler { AllowAutoRedirect = false };
        using var rest = new RestClient(handler, new Uri(options.ApiAddress), token, DiscordBot.UserAgent, time, NullLogger.Instance);
        var api = new DiscordApi(rest);
        try
        {
            var name = await api.GetOwnNameAsync(either.Token);
            var gateway = await api.GetGatewayAsync(either.Token);
            if (options.Shards is { } shards && shards < gateway.Shards)
            {
                return (false, $"Discord asks for {gateway.Shards} shards; raise {DiscordOptions.SectionName}:Shards, or set it to null.");
            }

            return (true, $"the token works, the bot is called {name}; {gateway.Starts.Remaining} starts left today");
        }
        catch (RestException refused) when (refused.Status == 401)
        {
            return (false, "Discord refuses the token; make a new one in the developer portal (Bot, Reset Token) and store it.");
        }
        catch (Exception failure) when (failure is RestException or HttpRequestException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return (false, $"{new Uri(options.ApiAddress).Host} does not answer as expected ({failure.Message}); look at the network.");
        }
    }
}
