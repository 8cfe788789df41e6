using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;
using Microsoft.SemanticKernel;
using NextGpt.ChatService.Tools;

namespace NextGpt.ChatService;

/// <summary>The decorators around the model, built once per service id.</summary>
internal static class ChatPipeline
{
    /// <summary>Name of the trace source and of the meter.</summary>
    public const string SourceName = "NextGpt.Chat";

    /// <summary>Tools outermost, then telemetry and logs without content, then the model.</summary>
    /// <param name="model">Answers.</param>
    /// <param name="loggers">Null writes no logs.</param>
    /// <param name="services">Handed to the functions that are called.</param>
    public static IChatClient Build(IChatClient model, ILoggerFactory? loggers, IServiceProvider? services)
    {
        var builder = new ChatClientBuilder(model)
            .UseKernelFunctionInvocation(loggers)
            .Use(inner => new PromptedToolsChatClient(inner))
            .UseOpenTelemetry(loggers, SourceName, telemetry => telemetry.EnableSensitiveData = false);
        if (loggers is not null)
        {
            builder.UseLogging(loggers, logs => logs.JsonSerializerOptions = MediaBlindJson.Options);
        }

        return builder.Build(services);
    }

    /// <summary>Gives a client of the caller's the loop that calls functions, unless it has one.</summary>
    public static IChatClient BuildAround(IChatClient client, ILoggerFactory? loggers, IServiceProvider? services) =>
        client.GetService<FunctionInvokingChatClient>() is not null
            ? client
            : new ChatClientBuilder(client).UseKernelFunctionInvocation(loggers).Build(services);
}
