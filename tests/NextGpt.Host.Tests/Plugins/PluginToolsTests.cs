using System.Security.Cryptography;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using NextGpt.Host.Plugins;

namespace NextGpt.Host.Tests.Plugins;

public sealed class PluginToolsTests
{
    [Fact]
    public async Task SKP_4_the_functions_that_settings_name_are_offered_with_a_turn_and_a_skipped_plugin_is_in_the_log()
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "Plugins");
        var hash = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(folder, "NextGpt.Plugins.Media.dll"))));
        var log = new RecordingLogger();
        var (client, router) = Build(log, new()
        {
            ["NextGpt:Plugins:Folder"] = "Plugins",
            ["NextGpt:Plugins:Load:0:Assembly"] = "NextGpt.Plugins.Media.dll",
            ["NextGpt:Plugins:Load:0:Sha256"] = hash,
            ["NextGpt:Plugins:Load:0:Functions:0"] = "describe",
            ["NextGpt:Plugins:Load:1:Assembly"] = "absent.dll",
            ["NextGpt:Plugins:Load:1:Functions:0"] = "send",
        });

        await RouterBench.CollectAsync(router.AskAsync(Turn()));

        var function = Assert.IsAssignableFrom<AIFunction>(Assert.Single(Assert.Single(client.Calls).Options.Tools ?? []));
        Assert.EndsWith("describe", function.Name, StringComparison.Ordinal);
        Assert.Equal(
            "No file is attached to this conversation; ask the person to attach one.",
            $"{await function.InvokeAsync(new AIFunctionArguments { ["file"] = "a.png" }, TestContext.Current.CancellationToken)}");
        Assert.Contains(
            log.Lines, line => line == (LogLevel.Warning, "The plugin absent.dll was skipped: the file is not in the folder."));
    }

    [Fact]
    public async Task SKP_4_without_settings_no_function_is_offered()
    {
        var (client, router) = Build(new RecordingLogger(), []);

        await RouterBench.CollectAsync(router.AskAsync(Turn()));

        Assert.Null(Assert.Single(client.Calls).Options.Tools);
    }

    [Fact]
    public async Task THR_5_a_function_that_does_not_answer_is_given_up_after_half_a_minute()
    {
        var time = new FakeTimeProvider();
        var never = new TaskCompletionSource<string>();
        var bounded = new PluginTools.BoundedFunction(AIFunctionFactory.Create(() => never.Task, "wait"), time);

        var answer = bounded.InvokeAsync(cancellationToken: TestContext.Current.CancellationToken).AsTask();
        Assert.False(answer.IsCompleted);
        time.Advance(PluginTools.BoundedFunction.Limit);

        Assert.Equal("The function wait did not answer within 30 s and was given up.", await answer);
    }

    private static IncomingTurn Turn() => new()
    {
        Surface = "test",
        Conversation = new ConversationId("c1"),
        PersonId = "ana",
        MessageId = "m1",
        Text = "What is in it?",
    };

    private static (ScriptedChatClient Client, ConversationRouter Router) Build(
        RecordingLogger log, Dictionary<string, string?> settings)
    {
        var client = new ScriptedChatClient { Rule = call => call.Say("A dot.").End() };
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(settings).Build());
        services.AddSingleton<IChatClient>(client).AddSingleton<ILogger<ConversationRouter>>(log);
        return (client, services.AddNextGptHost().BuildServiceProvider().GetRequiredService<ConversationRouter>());
    }
}
