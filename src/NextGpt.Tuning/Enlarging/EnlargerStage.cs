using NextGpt.Tuning.Data;
using NextGpt.Tuning.Optimisation;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Enlarging;

/// <summary>The stage <c>enlarger</c> of <c>nextgpt train</c>.</summary>
internal static class EnlargerStage
{
    private const int Pixels = 256;
    private const int UsualCount = 2_000;   // drawings of 256 pixels take 0.5 GB, twice

    internal static void Train(
        TrainArguments options, TrainingSchedule schedule, Device device, TextWriter output, CancellationToken cancellationToken)
    {
        var atlas = PictureAtlas.Build(
            options.Required("world"), Pixels,
            pictures => EnlargerTrainer.Choose(pictures, options.Whole("count") ?? UsualCount, schedule.Seed));
        var trainer = new EnlargerTrainer(atlas, schedule, device, options.Required("out"), output, TimeProvider.System)
        {
            Autoencoder = options.Required("autoencoder"),
        };
        trainer.Train(options.Has("resume"), cancellationToken);
    }
}
