using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Time.Testing;
using NextGpt.Bots.Discord.Questions;
using NextGpt.Bots.Discord.Tests.Simulator;

namespace NextGpt.Bots.Discord.Tests.Questions;

public sealed class AccessTests
{
    private static readonly Asker InThread = new("1", "20", "2", "3", ["4", "5"]);
    private static readonly Asker Direct = new("1", "9", null, null, []);

    [Fact]
    public void DIS_3_lists_allow_and_block_people_channels_roles_servers_and_messages()
    {
        Assert.Null(AccessRules.Refusal(new DiscordOptions(), InThread));
        Assert.Null(AccessRules.Refusal(new DiscordOptions(), Direct));
        Assert.NotNull(AccessRules.Refusal(new DiscordOptions { BlockedPeople = ["1"], AllowedPeople = ["1"] }, Direct));
        Assert.NotNull(AccessRules.Refusal(new DiscordOptions { AllowedPeople = ["7"] }, Direct));
        Assert.NotNull(AccessRules.Refusal(new DiscordOptions { AllowDirectMessages = false }, Direct));
        Assert.Null(AccessRules.Refusal(new DiscordOptions { AllowDirectMessages = false }, InThread));
        Assert.NotNull(AccessRules.Refusal(new DiscordOptions { BlockedServers = ["3"] }, InThread));
        Assert.NotNull(AccessRules.Refusal(new DiscordOptions { AllowedServers = ["8"] }, InThread));
        Assert.NotNull(AccessRules.Refusal(new DiscordOptions { BlockedChannels = ["2"] }, InThread));
        Assert.Null(AccessRules.Refusal(new DiscordOptions { AllowedChannels = ["2"] }, InThread));
        Assert.NotNull(AccessRules.Refusal(new DiscordOptions { AllowedChannels = ["6"] }, InThread));
        Assert.NotNull(AccessRules.Refusal(new DiscordOptions { BlockedRoles = ["5"] }, InThread));
        Assert.Null(AccessRules.Refusal(new DiscordOptions { AllowedRoles = ["4"] }, InThread));
        Assert.NotNull(AccessRules.Refusal(new DiscordOptions { AllowedRoles = ["6"] }, InThread));
    }

    [Fact]
    public void DIS_3_quotas_count_an_hour_of_a_person_and_of_a_server_and_name_the_next_time()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 8, 1, 13, 5, 0, TimeSpan.Zero));
        var quota = new HourlyQuota(time);
        var options = new DiscordOptions { TurnsPerPersonAndHour = 2, TurnsPerServerAndHour = 3 };

        Assert.Null(quota.Take(options, InThread));
        Assert.Null(quota.Take(options, InThread));
        Assert.Equal("You asked 2 times in the last hour, 2 are allowed; the next one at 14:05 UTC.", quota.Take(options, InThread));
        Assert.Null(quota.Take(options, InThread with { Person = "2" }));
        Assert.Contains("This server asked 3", quota.Take(options, InThread with { Person = "2" }), StringComparison.Ordinal);
        time.Advance(TimeSpan.FromHours(1));
        Assert.Null(quota.Take(options, InThread));
    }

    [Fact]
    public async Task DIS_3_a_refused_person_gets_one_private_sentence_a_day()
    {
        await using var bench = (await BotBench.StartAsync(settings: ("NextGpt:Discord:BlockedPeople:0", SimulatedWorld.AnaId))).Echoing();

        await bench.Simulator.SayAsync($"<@{SimulatedWorld.BotId}> one", SimulatedWorld.ChannelId);
        await bench.Simulator.SayAsync($"<@{SimulatedWorld.BotId}> two", SimulatedWorld.ChannelId);
        var allowed = await bench.Simulator.SayAsync($"<@{SimulatedWorld.BotId}> three", SimulatedWorld.ChannelId, SimulatedWorld.BoId);
        await bench.AnsweredAsync("re: three", allowed);

        Assert.Single(bench.Answers(), message => BotBench.Text(message).Contains("not set up to answer you", StringComparison.Ordinal));
        Assert.Single(bench.Model.Calls);
    }

    [Fact]
    public void Settings_that_are_wrong_are_named()
    {
        var problems = new List<ValidationResult>();
        var options = new DiscordOptions { BlockedPeople = ["ana"], ApiAddress = "http://example.org/" };

        Assert.False(Validator.TryValidateObject(options, new ValidationContext(options), problems, validateAllProperties: true));

        Assert.Contains(problems, problem => problem.ErrorMessage!.Contains("NextGpt:Discord:BlockedPeople holds \"ana\"", StringComparison.Ordinal));
        Assert.Contains(problems, problem => problem.ErrorMessage!.Contains("must begin with https://", StringComparison.Ordinal));
        var slow = new DiscordOptions { EditInterval = TimeSpan.FromMilliseconds(200) };
        Assert.False(Validator.TryValidateObject(slow, new ValidationContext(slow), [], validateAllProperties: true));
        Assert.False(new DiscordOptions().Enabled);
    }
}
