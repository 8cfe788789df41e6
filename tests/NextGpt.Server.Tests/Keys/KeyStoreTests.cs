using System.Net;
using Microsoft.Extensions.Time.Testing;
using NextGpt.Server.Keys;

namespace NextGpt.Server.Tests.Keys;

public sealed class KeyStoreTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nextgpt-keys-").FullName;
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 8, 1, 12, 0, 0, TimeSpan.Zero));

    [Fact]
    public void API_3_a_key_is_found_by_its_text_which_is_stored_nowhere()
    {
        var (key, text) = Store().Add("bot", [Scope.Chat], null);

        Assert.Equal(key.Id, Store().Find(text)?.Id);
        Assert.DoesNotContain(text, File.ReadAllText(Path.Combine(_folder, "keys.json")), StringComparison.Ordinal);
        Assert.DoesNotContain(
            text.Split('_')[2], File.ReadAllText(Path.Combine(_folder, "keys.json")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("ngk")]
    [InlineData("ngk_abcdefgh_x")]
    [InlineData("sk_abcdefgh_secret")]
    public void API_3_a_wrong_key_is_not_found(string text)
    {
        var store = Store();
        store.Add("bot", [Scope.Chat], null);

        Assert.Null(store.Find(text));
    }

    [Fact]
    public void API_3_a_key_with_another_secret_is_not_found()
    {
        var store = Store();
        var (_, text) = store.Add("bot", [Scope.Chat], null);

        Assert.Null(store.Find(text[..^1] + (text[^1] == 'A' ? 'B' : 'A')));
    }

    [Fact]
    public void API_3_an_expired_key_and_a_revoked_key_do_not_work()
    {
        var store = Store();
        var (_, expiring) = store.Add("a", [Scope.Chat], _time.GetUtcNow().AddDays(1));
        var (revoked, text) = store.Add("b", [Scope.Chat], null);

        Assert.True(store.Revoke(revoked.Id));
        Assert.Null(store.Find(text));
        Assert.False(store.Revoke(revoked.Id));
        Assert.NotNull(store.Find(expiring));
        _time.Advance(TimeSpan.FromDays(1));
        Assert.Null(store.Find(expiring));
        Assert.False(store.HasValidKey());
    }

    [Fact]
    public void API_3_the_last_use_is_noted_to_the_minute_and_survives()
    {
        var store = Store();
        var (_, text) = store.Add("a", [Scope.Chat], null);
        Assert.Null(store.List()[0].LastUsed);

        store.Find(text);
        _time.Advance(TimeSpan.FromSeconds(59));
        store.Find(text);

        Assert.Equal(_time.GetUtcNow().AddSeconds(-59), Store().List()[0].LastUsed);
    }

    [Fact]
    public void API_3_an_unknown_scope_or_a_past_expiry_is_refused_in_words()
    {
        Assert.Contains("There is no scope \"fly\"", Assert.Throws<ArgumentException>(
            () => Store().Add("a", ["fly"], null)).Message, StringComparison.Ordinal);
        Assert.Contains("expired already", Assert.Throws<ArgumentException>(
            () => Store().Add("a", [Scope.Chat], _time.GetUtcNow())).Message, StringComparison.Ordinal);
        Assert.Empty(Store().List());
    }

    [Fact]
    public void THR_11_the_file_of_keys_is_readable_by_its_owner_only()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "File modes are of Unix.");
        Store().Add("a", [Scope.Chat], null);

        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(
                UnixFileMode.UserRead | UnixFileMode.UserWrite,
                File.GetUnixFileMode(Path.Combine(_folder, "keys.json")));
        }
    }

    [Fact]
    public void A_damaged_file_of_keys_is_said_and_not_overwritten()
    {
        var file = Path.Combine(_folder, "keys.json");
        File.WriteAllText(file, "{");

        Assert.Contains("damaged", Assert.Throws<InvalidDataException>(Store).Message, StringComparison.Ordinal);
        Assert.Equal("{", File.ReadAllText(file));
    }

    [Fact]
    public void API_3_ten_failures_a_minute_slow_an_address_down_and_no_other()
    {
        var brake = new FailureBrake(10, _time);
        var (bad, good) = (IPAddress.Parse("10.0.0.1"), IPAddress.Parse("10.0.0.2"));
        for (var i = 0; i < 9; i++)
        {
            brake.Failed(bad);
        }

        Assert.Equal(TimeSpan.Zero, brake.WaitOf(bad));
        _time.Advance(TimeSpan.FromSeconds(20));
        brake.Failed(bad);
        Assert.Equal(TimeSpan.FromSeconds(40), brake.WaitOf(bad));
        Assert.Equal(TimeSpan.Zero, brake.WaitOf(good));
        _time.Advance(TimeSpan.FromSeconds(40));
        Assert.Equal(TimeSpan.Zero, brake.WaitOf(bad));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private KeyStore Store() => new(_folder, _time);
}
