using NextGpt.Model.Encoders;
using NextGpt.Model.Weights;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Tests.Evaluation;

/// <summary>An encoder of a few channels with strong weights from a seed: untrained, but different media lie in different places.</summary>
internal static class TinyJudge
{
    internal static void Write(string folder)
    {
        var config = new ImageBindConfig
        {
            OutputSize = 48,
            Vision = new ImageBindVisionConfig { Width = 32, Layers = 1, Heads = 2, ImageSize = 16, PatchSize = 4, ClipsPerVideo = 3, CropsPerClip = 1, ClipSeconds = 0.6 },
            Audio = new ImageBindAudioConfig { Width = 32, Layers = 1, Heads = 2, MelBins = 32, TargetFrames = 52, PatchSize = 16, Stride = 8, ClipSeconds = 0.5 },
        };
        using var generator = new Generator(5, CPU);
        using var network = new ImageBind(config);
        network.Initialise(generator);
        using (no_grad())
        {
            foreach (var weight in network.parameters().Where(weight => weight.dim() > 1))
            {
                weight.normal_(0, 0.3, generator);
            }
        }

        Directory.CreateDirectory(folder);
        network.Save(folder, SafetensorsType.F32);
    }
}
