using NextGpt.Tuning.Data;
using NextGpt.Tuning.Optimisation;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Clips;

/// <summary>The stage <c>clips</c> of <c>nextgpt train</c>.</summary>
internal static class ClipStage
{
    internal static void Train(
        TrainArguments options, TrainingSchedule schedule, Device device, ScalarType precision, TextWriter output,
        CancellationToken cancellationToken)
    {
        var trainer = new ClipTrainer(
            WorldData.Load(options.Required("world")), schedule, device, options.Required("out"), output, TimeProvider.System)
        {
            Autoencoder = options.Required("autoencoder"),
            Pictures = options.Required("pictures"),
            Precision = precision,
            Count = options.Whole("count") ?? 10_000,
            AverageDecay = options.Number("average") ?? 0.999,
            PreviewCount = options.Whole("previews") ?? ClipPreview.Prompts.Count,
        };
        trainer.Train(options.Has("resume"), cancellationToken);
    }
}
