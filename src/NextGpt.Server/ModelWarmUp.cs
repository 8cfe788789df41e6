using System.Globalization;
using Microsoft.Extensions.AI;
using NextGpt.Host;
using NextGpt.Model;
using NextGpt.Server.Commands;

namespace NextGpt.Server;

/// <summary>Loads the model while the server already listens, and says how far it is (<c>/readyz</c>, the start's lines).</summary>
internal sealed class ModelWarmUp(IServiceProvider services, ModelReadiness readiness) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var answers = services.GetRequiredService<IChatClient>().GetService(typeof(ChatClientMetadata)) as ChatClientMetadata;
        if (answers?.ProviderName != "nextgpt" || services.GetService<IGenerator>() is not ModelThread model)
        {
            return;   // another client answers; there is nothing to load
        }

        var output = services.GetService<Surroundings>()?.Output;
        readiness.Loading(0);
        output?.WriteLine($"model     loading {model.ModelId} from {model.Status.Source}");
        try
        {
            await model.LoadAsync(new Watcher<ModelStatus>(Watch), stoppingToken);
            readiness.Ready();
            output?.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"model     ready: {model.ModelId}, {model.Status.Engine}, loaded in {model.Status.LoadTime?.TotalSeconds:0.0} s"));
        }
        catch (GenerationRefusedException refused)
        {
            readiness.Failed("its weights could not be loaded; the operator has been told.");
            output?.WriteLine($"model     {refused.Message}");
        }
        catch (OperationCanceledException)
        {
            // Stopped while loading.
        }
    }

    private void Watch(ModelStatus status)
    {
        if (status.State == ModelState.Loading)
        {
            readiness.Loading(Math.Min(0.99, status.Percent / 100.0));
        }
    }
}
