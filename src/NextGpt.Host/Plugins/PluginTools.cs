using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;
using Microsoft.SemanticKernel;

namespace NextGpt.Host.Plugins;

/// <summary>The functions of the loaded plugins as the chat client takes them.</summary>
/// <param name="tools">Functions that the model may call.</param>
internal sealed partial class PluginTools(IReadOnlyList<AITool> tools)
{
    /// <summary>No functions: the chat client is told of none.</summary>
    public static PluginTools None { get; } = new([]);

    /// <summary>What is offered with every turn; null is nothing.</summary>
    public IList<AITool>? Offered => tools.Count == 0 ? null : [.. tools];

    /// <summary>Loads the plugins of the settings, and says in the log which were skipped.</summary>
    /// <param name="options">The settings.</param>
    /// <param name="services">What the functions may ask of the kernel.</param>
    /// <param name="time">The clock of their limit.</param>
    /// <param name="logger">Hears of plugins that were skipped.</param>
    public static PluginTools Load(PluginOptions options, IServiceProvider services, TimeProvider time, ILogger logger)
    {
        if (options.Load.Count == 0)
        {
            return None;
        }

        var loaded = PluginFolder.Load(options, AppContext.BaseDirectory);
        foreach (var sentence in loaded.Skipped)
        {
            LogSkipped(logger, sentence);
        }

        var kernel = new Kernel(services, [.. loaded.Plugins]);
        return new PluginTools(
            [.. loaded.Plugins.SelectMany(plugin => plugin.AsAIFunctions(kernel)).Select(function => new BoundedFunction(function, time))]);
    }

    [LoggerMessage(2030, LogLevel.Warning, "{Sentence}")]
    private static partial void LogSkipped(ILogger logger, string sentence);

    /// <summary>A function that is given up after half a minute (THR-5).</summary>
    internal sealed class BoundedFunction(AIFunction function, TimeProvider time) : DelegatingAIFunction(function)
    {
        public static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

        protected override async ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken)
        {
            using var late = new CancellationTokenSource(Limit, time);
            using var any = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
            try
            {
                return await base.InvokeCoreAsync(arguments, any.Token).AsTask().WaitAsync(any.Token);
            }
            catch (OperationCanceledException) when (late.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                return $"The function {Name} did not answer within {Limit.TotalSeconds:0} s and was given up.";
            }
        }
    }
}
