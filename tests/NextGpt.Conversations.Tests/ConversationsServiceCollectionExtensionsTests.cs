using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace NextGpt.Conversations.Tests;

public sealed class ConversationsServiceCollectionExtensionsTests : IDisposable
{
    private readonly LogFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_host_opens_the_log_at_start_and_closes_it_in_order()
    {
        using (var host = Build(("Folder", _folder.Folder), ("BackupFolder", _folder.Backups)))
        {
            await host.StartAsync(TestContext.Current.CancellationToken);
            Assert.True(host.Services.GetRequiredService<ConversationLog>().IsAvailable);
            await host.StopAsync(TestContext.Current.CancellationToken);
        }

        Assert.True(File.Exists(Path.Combine(_folder.Folder, "index.mark")));
    }

    [Fact]
    [Trait("Product", "LOG-2")]
    public async Task A_log_in_use_ends_the_start()
    {
        await using var log = await _folder.OpenAsync();
        using var host = Build(("Folder", _folder.Folder), ("BackupFolder", _folder.Backups));
        await Assert.ThrowsAsync<LogLockedException>(() => host.StartAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("TurnRetentionDays", "0", "must lie between 1 and 3,650 days")]
    [InlineData("BackupRetentionDays", "31", "must lie between 1 and 30 days")]
    [InlineData("MinimumAge", "12", "must lie between 13 and 18 years")]
    [InlineData("MediaRetentionDays", "200", "media go with their turns")]
    [InlineData("BackupFolder", "log/backups", "lie within each other")]
    [InlineData("Folder", " ", "give the path of a folder")]
    [InlineData("Folder", "THIS FILE", "names a file")]
    public async Task A_wrong_setting_is_said_in_words_before_anything_is_opened(string setting, string value, string said)
    {
        value = value switch
        {
            "log/backups" => Path.Combine(_folder.Folder, "backups"),
            "THIS FILE" => typeof(ConversationLog).Assembly.Location,
            _ => value,
        };
        using var host = Build(("Folder", _folder.Folder), ("BackupFolder", _folder.Backups), (setting, value));
        var failure = await Assert.ThrowsAsync<OptionsValidationException>(
            () => host.StartAsync(TestContext.Current.CancellationToken));
        Assert.Contains(said, failure.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.Folder));
    }

    private static IHost Build(params (string Key, string Value)[] settings)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Configuration.AddInMemoryCollection(settings
            .GroupBy(setting => setting.Key)
            .Select(group => KeyValuePair.Create(
                ConversationOptions.SectionName + ":" + group.Key, (string?)group.Last().Value)));
        builder.Services.AddNextGptConversations();
        return builder.Build();
    }
}
