using NextGpt.Tuning.Data;
using NextGpt.Tuning.Optimisation;
using NextGpt.Tuning.Sounds;
using static TorchSharp.torch;

namespace NextGpt.Tuning;

/// <summary>The stages of <c>nextgpt train</c> that teach the sound decoder.</summary>
internal static class SoundStages
{
    internal static void TrainAutoencoder(
        TrainArguments options, TrainingSchedule schedule, Device device, TextWriter output, CancellationToken cancellationToken) =>
        new SoundAutoencoderTrainer(
            WorldData.Load(options.Required("world")), schedule, device, options.Required("out"), output, TimeProvider.System)
            .Train(options.Has("resume"), cancellationToken);

    internal static void TrainVocoder(
        TrainArguments options, TrainingSchedule schedule, Device device, TextWriter output, CancellationToken cancellationToken) =>
        new VocoderTrainer(
            WorldData.Load(options.Required("world")), schedule, device, options.Required("out"), output, TimeProvider.System)
        {
            Autoencoder = options.Text("autoencoder"),
        }.Train(options.Has("resume"), cancellationToken);

    internal static void Train(
        TrainArguments options, TrainingSchedule schedule, Device device, ScalarType precision, TextWriter output,
        CancellationToken cancellationToken) =>
        new SoundTrainer(
            WorldData.Load(options.Required("world")), schedule, device, options.Required("out"), output, TimeProvider.System)
        {
            Autoencoder = options.Required("autoencoder"),
            Vocoder = options.Required("vocoder"),
            Precision = precision,
            Variants = options.Whole("variants") ?? 8,
            AverageDecay = options.Number("average") ?? 0.999,
            PreviewCount = options.Whole("previews") ?? 64,
        }.Train(options.Has("resume"), cancellationToken);
}
