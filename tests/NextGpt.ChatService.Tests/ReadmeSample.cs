// <sample>
using Microsoft.SemanticKernel;
using NextGpt.ChatService;

// </sample>
namespace Readme;

/// <summary>The sample of the README between its marks, compiled and run as printed (SKP-1).</summary>
/// <remarks>A namespace of its own, so that it needs the same usings as a program of the reader.</remarks>
internal static class ReadmeSample
{
    /// <summary>Runs it.</summary>
    /// <param name="Console">Takes the console's place.</param>
    public static async Task RunAsync(TextWriter Console)
    {
        // <sample>
        var builder = Kernel.CreateBuilder();
        builder.AddNextGpt("mini");
        var kernel = builder.Build();

        var settings = new NextGptPromptExecutionSettings { Temperature = 0, MaxTokens = 100 };
        var answer = kernel.InvokePromptStreamingAsync<string>("What is the capital of France?", new(settings));
        await foreach (var text in answer)
        {
            Console.Write(text);
        }
        // </sample>

        await ((IAsyncDisposable)kernel.Services).DisposeAsync();
    }
}
