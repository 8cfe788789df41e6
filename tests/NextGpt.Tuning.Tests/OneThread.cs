using System.Runtime.CompilerServices;
using NextGpt.Model;
using TorchSharp;

namespace NextGpt.Tuning.Tests;

/// <summary>Toy networks gain nothing from a second thread, and on a busy machine two that wait for each other lose a hundredfold.</summary>
internal static class OneThread
{
    [ModuleInitializer]
    internal static void Set()
    {
        TorchRuntime.Load();
        torch.set_num_threads(1);
    }
}
