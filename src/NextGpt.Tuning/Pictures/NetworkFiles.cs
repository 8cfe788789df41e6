using NextGpt.Model.Weights;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Pictures;

/// <summary>Writes trained networks in diffusers layout.</summary>
internal static class NetworkFiles
{
    /// <summary>Writes every weight under its name.</summary>
    /// <param name="network">On any device.</param>
    /// <param name="file">Path of the safetensors file.</param>
    /// <param name="type">How numbers are stored.</param>
    internal static void SaveWeights(nn.Module network, string file, SafetensorsType type = SafetensorsType.F16)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file) ?? ".");
        var writer = new SafetensorsWriter();
        foreach (var (name, weight) in network.state_dict())
        {
            writer.Add(name, weight, type);
        }

        writer.Save(file);
    }
}
