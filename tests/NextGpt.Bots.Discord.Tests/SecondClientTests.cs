using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;
using NextGpt.Bots.Discord.Gateway;
using NextGpt.Bots.Discord.Rest;
using NextGpt.Bots.Discord.Tests.Simulator;

namespace NextGpt.Bots.Discord.Tests;

/// <summary>
/// discord.js at the simulator: a scenario that it cannot pass is a fault of the simulator. Needs Node and
/// <c>npm ci</c> in SecondClient, which <c>tests/run</c> does.
/// </summary>
public sealed class SecondClientTests
{
    [Fact]
    public async Task G1_G4_M1_C1_I1_another_client_connects_answers_edits_starts_threads_answers_commands_and_resumes()
    {
        var folder = Path.Combine(RepositoryRoot(), "tests", "NextGpt.Bots.Discord.Tests", "SecondClient");
        Assert.SkipUnless(
            Directory.Exists(Path.Combine(folder, "node_modules", "discord.js")), "discord.js is not installed: tests/run does it (npm ci).");
        await using var simulator = await DiscordSimulator.StartAsync();
        var lines = new ConcurrentQueue<string>();
        using var node = Start(folder, simulator, lines);
        try
        {
            await SaidAsync("ready nextgpt in 1");
            CompareNumbers(lines.Single(line => line.StartsWith("numbers ", StringComparison.Ordinal)));

            var first = await simulator.SayAsync($"<@{SimulatedWorld.BotId}> thread please", SimulatedWorld.ChannelId);
            await SaidAsync("answered @nextgpt thread please");
            Assert.EndsWith("edited", (string?)simulator.Rest.MessagesOfBot(SimulatedWorld.ChannelId).Single()["content"], StringComparison.Ordinal);
            Assert.Equal("in it", (string?)simulator.Rest.MessagesOfBot(first).Single()["content"]);
            var file = simulator.Requests.Single(request => request.Files.Count > 0).Files[0];
            Assert.Equal(("file.txt", "words"), (file.Name, file.Description));

            var command = await simulator.CommandAsync("chat", SimulatedWorld.ChannelId, options: ("prompt", "x"));
            await SaidAsync("command chat");
            Assert.Equal("command chat", (string?)command.Message!["content"]);
            Assert.Single(command.FollowUps);

            simulator.Gateway.Connections[0].Cut();
            await SaidAsync("resumed");
            await simulator.SayAsync($"<@{SimulatedWorld.BotId}> after", SimulatedWorld.ChannelId);
            await SaidAsync("answered @nextgpt after");
            Assert.Single(simulator.Gateway.Frames(2));
            Assert.Single(simulator.Gateway.Frames(6));
            Assert.DoesNotContain(lines, line => line.StartsWith("error", StringComparison.Ordinal));
        }
        finally
        {
            node.Kill();
            await node.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        Task SaidAsync(string line) => DiscordSimulator.UntilAsync(
            () => lines.Contains(line), $"\"{line}\"; it said: {string.Join(" / ", lines.Where(said => said.Length < 300))}", 60);
    }

    private static void CompareNumbers(string line)
    {
        var theirs = JsonNode.Parse(line["numbers ".Length..])!;
        foreach (var (ours, name) in ((GatewayOpcode, string)[])[
            (GatewayOpcode.Dispatch, "Dispatch"), (GatewayOpcode.Heartbeat, "Heartbeat"), (GatewayOpcode.Identify, "Identify"),
            (GatewayOpcode.Resume, "Resume"), (GatewayOpcode.Reconnect, "Reconnect"), (GatewayOpcode.InvalidSession, "InvalidSession"),
            (GatewayOpcode.Hello, "Hello"), (GatewayOpcode.HeartbeatAcknowledged, "HeartbeatAck")])
        {
            Assert.Equal((int)ours, (int?)theirs["opcodes"]![name]);
        }

        foreach (var intent in Enum.GetValues<GatewayIntents>().Where(intent => int.IsPow2((int)intent)))
        {
            Assert.Equal((int)intent, (int?)theirs["intents"]![intent.ToString()]);
        }

        foreach (var (ours, name) in ((int, string)[])[
            (RestCode.UnknownChannel, "UnknownChannel"), (RestCode.UnknownMessage, "UnknownMessage"),
            (RestCode.UnknownWebhook, "UnknownWebhook"), (RestCode.UnknownInteraction, "UnknownInteraction"),
            (RestCode.AlreadyAcknowledged, "InteractionHasAlreadyBeenAcknowledged"), (RestCode.MissingAccess, "MissingAccess"),
            (RestCode.EmptyMessage, "CannotSendAnEmptyMessage"), (RestCode.CannotMessageUser, "CannotSendMessagesToThisUser"),
            (RestCode.TooLarge, "RequestEntityTooLarge"), (RestCode.ThreadExists, "ThreadAlreadyCreatedForMessage"),
            (RestCode.NotOurMessage, "CannotEditMessageAuthoredByAnotherUser"), (RestCode.InvalidWebhookToken, "InvalidWebhookToken")])
        {
            Assert.Equal(ours, (int?)theirs["errors"]![name]);
        }

        Assert.Equal(CloseVerdict.Stop, CloseCode.VerdictOf((int)theirs["closeCodes"]!["AuthenticationFailed"]!));
        Assert.Equal(CloseVerdict.Stop, CloseCode.VerdictOf((int)theirs["closeCodes"]!["DisallowedIntents"]!));
        Assert.Equal(CloseVerdict.NewSession, CloseCode.VerdictOf((int)theirs["closeCodes"]!["InvalidSeq"]!));
    }

    private static Process Start(string folder, DiscordSimulator simulator, ConcurrentQueue<string> lines)
    {
        var start = new ProcessStartInfo("node", "client.mjs")
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            Environment = { ["SIMULATOR"] = simulator.Address.ToString().TrimEnd('/'), ["SIMULATOR_TOKEN"] = DiscordSimulator.Token },
        };
        var node = Process.Start(start) ?? throw new InvalidOperationException("Node did not start.");
        node.OutputDataReceived += (_, line) => lines.Enqueue(line.Data ?? "");
        node.ErrorDataReceived += (_, line) => lines.Enqueue(line.Data is { Length: > 0 } text ? $"stderr {text}" : "");
        node.BeginOutputReadLine();
        node.BeginErrorReadLine();
        return node;
    }

    private static string RepositoryRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "NextGpt.Chat.sln")))
        {
            folder = folder.Parent;
        }

        return Assert.IsType<DirectoryInfo>(folder).FullName;
    }
}
