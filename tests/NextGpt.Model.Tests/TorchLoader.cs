using System.Runtime.CompilerServices;

namespace NextGpt.Model.Tests;

internal static class TorchLoader
{
    /// <summary>Before the first test of this assembly touches a tensor.</summary>
    [ModuleInitializer]
    internal static void Load() => TorchRuntime.Load();
}
