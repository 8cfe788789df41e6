using NextGpt.Bots.Discord.Tests.Simulator;

namespace NextGpt.Bots.Discord.Tests;

public sealed class TokenTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    [Fact]
    public void THR_11_the_token_comes_from_the_environment_or_a_file_of_its_owner_alone()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "File modes are not Windows'.");
        var options = new DiscordOptions { TokenFile = _file };
        File.WriteAllText(_file, " from-file \n");
        Allow(UnixFileMode.None);

        Assert.Equal("from-environment", DiscordToken.Read(options, name => name == "NEXTGPT_DISCORD_TOKEN" ? "from-environment" : null).Token);
        Assert.Equal("from-file", DiscordToken.Read(options, _ => null).Token);
        Assert.Contains("NEXTGPT_DISCORD_TOKEN", DiscordToken.Read(new DiscordOptions(), _ => null).Problem, StringComparison.Ordinal);
        Allow(UnixFileMode.GroupRead);
        Assert.Contains("chmod 600", DiscordToken.Read(options, _ => null).Problem, StringComparison.Ordinal);
        Assert.DoesNotContain(typeof(DiscordOptions).GetProperties(), property => property.Name == "Token");
    }

    [Fact]
    public async Task P2_THR_11_the_token_is_in_no_log_line_whatever_fails()
    {
        await using var bench = (await BotBench.StartAsync()).Echoing();
        bench.Simulator.Fault = request => request.Method == "POST" && request.Path.EndsWith("/messages", StringComparison.Ordinal)
            ? SimulatedAnswer.Error(400, 50035, "Invalid Form Body") : null;
        await bench.Simulator.SayAsync("one");
        await DiscordSimulator.UntilAsync(() => bench.Log.Lines.Any(line => line.Contains("50035", StringComparison.Ordinal)), "a refusal in the log");
        bench.Simulator.Gateway.Connections[0].Cut();
        await DiscordSimulator.UntilAsync(() => bench.Simulator.Gateway.Connections.Count > 1, "a second connection");
        await bench.Simulator.Gateway.Connections[^1].CloseAsync(4004);
        await DiscordSimulator.UntilAsync(() => bench.Service.StoppedBecause is not null, "the bot has stopped");

        Assert.NotEmpty(bench.Log.Lines);
        Assert.All(bench.Log.Lines, line => Assert.DoesNotContain("planted-secret", line, StringComparison.Ordinal));
        Assert.DoesNotContain(DiscordSimulator.Token, Gateway.GatewayBench.Identity.ToString(), StringComparison.Ordinal);
        Assert.Contains("make a new one in the developer portal", bench.Service.StoppedBecause, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DEG_1_a_refused_token_stops_the_bot_alone_and_is_not_tried_again()
    {
        await using var bench = await BotBench.StartAsync(environment: _ => "wrong", ready: false);

        await DiscordSimulator.UntilAsync(() => bench.Service.StoppedBecause is not null, "the bot has stopped");

        Assert.Contains("refuses the token", bench.Service.StoppedBecause, StringComparison.Ordinal);
        Assert.Equal(TaskStatus.RanToCompletion, bench.Service.ExecuteTask!.Status);
        Assert.Single(bench.Simulator.Requests);
    }

    [Fact]
    public async Task DEG_1_without_a_token_or_switched_off_nothing_is_called()
    {
        await using var without = await BotBench.StartAsync(environment: _ => null, ready: false);
        await DiscordSimulator.UntilAsync(() => without.Service.StoppedBecause is not null, "the bot has stopped");
        await using var off = await BotBench.StartAsync(ready: false, settings: ("NextGpt:Discord:Enabled", "false"));
        await off.Service.ExecuteTask!.WaitAsync(TimeSpan.FromSeconds(20));

        Assert.Empty(without.Simulator.Requests);
        Assert.Empty(off.Simulator.Requests);
        Assert.Null(off.Service.StoppedBecause);
    }

    [Fact]
    public async Task CLI_3_doctor_says_whether_the_token_works_and_never_shows_it()
    {
        await using var simulator = await DiscordSimulator.StartAsync();
        var options = new DiscordOptions { Enabled = true, ApiAddress = simulator.ApiAddress.ToString() };

        var good = await DiscordCheck.RunAsync(options, _ => DiscordSimulator.Token, TimeProvider.System, TestContext.Current.CancellationToken);
        var bad = await DiscordCheck.RunAsync(options, _ => "wrong-token", TimeProvider.System, TestContext.Current.CancellationToken);
        var off = await DiscordCheck.RunAsync(null, _ => null, TimeProvider.System, TestContext.Current.CancellationToken);

        Assert.Equal((true, "the token works, the bot is called nextgpt; 1000 starts left today"), good);
        Assert.False(bad.IsOk);
        Assert.DoesNotContain("wrong-token", bad.Message, StringComparison.Ordinal);
        Assert.Equal((true, "switched off"), off);
    }

    public void Dispose() => File.Delete(_file);

    private void Allow(UnixFileMode others)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(_file, UnixFileMode.UserRead | UnixFileMode.UserWrite | others);
        }
    }
}
