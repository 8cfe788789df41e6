using NextGpt.Bots.Teams.Tests.Bot;
using NextGpt.Bots.Teams.Tests.Inbound;

namespace NextGpt.Bots.Teams.Tests.Counterparts;

/// <summary>The cases of teams.md 12 about tokens, against tokens that a provider of others has signed.</summary>
public sealed class TokenIssuerTests : IAsyncLifetime
{
    private const string Service = "https://smba.trafficmanager.net/emea/";

    private TokenIssuer _issuer = null!;

    public async ValueTask InitializeAsync()
    {
        NodeProgram.SkipUnlessInstalled();
        _issuer = await TokenIssuer.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_issuer is not null)
        {
            await _issuer.StopAsync();
        }
    }

    [Fact]
    public async Task A1_A2_TEA_3_a_providers_tokens_are_believed_only_where_everything_in_them_holds()
    {
        await using var world = await StartAsync();
        world.Model.Rule = call => call.Say("Hi").End();
        var good = await _issuer.TokenAsync(FakeIssuer.AppId, Service);
        foreach (var algorithm in (string[])["RS256", "RS384", "RS512"])
        {
            Assert.Equal(202, await SayAsync(world, await _issuer.TokenAsync(FakeIssuer.AppId, Service, algorithm: algorithm)));
        }

        await world.MessagesAsync(3);
        var calls = world.Service.Calls.Count;
        var parts = good.Split('.');
        foreach (var (status, token) in ((int, string)[])
        [
            (401, await _issuer.TokenAsync("99999999-2222-3333-4444-555555555555", Service)),
            (401, await _issuer.TokenAsync(FakeIssuer.AppId, Service, algorithm: "ES256")),
            (401, await _issuer.TokenAsync(FakeIssuer.AppId, Service, algorithm: "PS256")),
            (401, await _issuer.TokenAsync(FakeIssuer.AppId, Service, algorithm: "HS256")),
            (401, $"{parts[0]}.{parts[1]}.{new string(parts[2][0] == 'A' ? 'B' : 'A', 1)}{parts[2][1..]}"),
            (401, $"eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{parts[1]}."),
            (403, await _issuer.TokenAsync(FakeIssuer.AppId, null)),
            (403, await _issuer.TokenAsync(FakeIssuer.AppId, "https://other.trafficmanager.net/emea/")),
            (403, await _issuer.TokenAsync(FakeIssuer.AppId, "https://smba.trafficmanager.net/amer/")),
        ])
        {
            Assert.Equal(status, await SayAsync(world, token));
        }

        await world.SettleAsync();
        Assert.Equal(calls, world.Service.Calls.Count);   // no outbound call was made for any of them
    }

    [Fact]
    public async Task A1_a_token_expires_five_minutes_after_its_end()
    {
        await using var world = await StartAsync();
        world.Model.Rule = call => call.Say("Hi").End();
        var token = await _issuer.TokenAsync(FakeIssuer.AppId, Service, seconds: 60);

        world.Time.Advance(TimeSpan.FromMinutes(4));
        Assert.Equal(202, await SayAsync(world, token));
        world.Time.Advance(TimeSpan.FromMinutes(4));
        Assert.Equal(401, await SayAsync(world, token));
    }

    [Fact]
    public async Task A1_after_the_providers_keys_were_changed_new_tokens_are_believed_and_without_it_known_keys_go_on()
    {
        await using var world = await StartAsync();
        world.Model.Rule = call => call.Say("Hi").End();
        var old = await _issuer.TokenAsync(FakeIssuer.AppId, Service);
        _issuer.IsDown = true;
        Assert.Equal(503, await SayAsync(world, old));   // never seen: neither believed nor refused
        _issuer.IsDown = false;
        world.Time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(202, await SayAsync(world, old));
        _issuer.IsDown = true;
        Assert.Equal(202, await SayAsync(world, old));

        _issuer.IsDown = false;
        _issuer.Rotate();
        world.Time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(202, await SayAsync(world, await _issuer.TokenAsync(FakeIssuer.AppId, Service)));
        Assert.Equal(401, await SayAsync(world, old));
        Assert.Equal(2, _issuer.Reads);
    }

    [Fact]
    public async Task A2_a_key_that_may_not_speak_for_Teams_is_answered_403()
    {
        _issuer.Endorsements = ["webchat"];
        await using var world = await StartAsync();

        Assert.Equal(403, await SayAsync(world, await _issuer.TokenAsync(FakeIssuer.AppId, Service)));
        Assert.Empty(world.Service.Calls);
    }

    private Task<TeamsWorld> StartAsync() => TeamsWorld.StartAsync(
        settings: new() { ["NextGpt:Teams:Issuer"] = TokenIssuer.Name }, keys: _issuer);

    private static async Task<int> SayAsync(TeamsWorld world, string token) =>
        (int)(await world.PostAsync(world.Activity("message", "groupChat").With("text", "Hello"), token)).StatusCode;
}
