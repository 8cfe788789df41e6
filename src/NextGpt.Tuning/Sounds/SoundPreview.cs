using System.Diagnostics;
using System.Globalization;
using NextGpt.Model.Decoders.AudioLdm;
using NextGpt.Model.Decoders.StableDiffusion;
using NextGpt.Tuning.Data;
using NextGpt.Tuning.Optimisation;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Sounds;

/// <summary>Makes sounds with a network in training: files to listen to, sheets to look at, a score and the time it takes.</summary>
internal sealed class SoundPreview(
    SoundNetworks networks, AutoencoderKL autoencoder, HifiGan vocoder, Func<IReadOnlyList<string>, Tensor> tokens,
    SoundJudge judge, WorldRow[] seen, WorldRow[] unseen, Device device, string folder, TrainingJournal journal)
{
    private static readonly string[] Wishes =
    [
        "a cat meowing", "a dog barking", "rain falling", "thunder rumbling", "a trumpet playing a rising tune", "a violin playing a high note",
        "a church bell playing a low note", "a snare drum played in rhythm", "a helicopter flying", "rain falling and thunder rumbling",
        "a piano playing a low note, faster", "a fire burning",
    ];

    /// <summary>Writes the files and says the score.</summary>
    /// <param name="step">For the file names.</param>
    /// <param name="count">Sounds per judgement.</param>
    /// <param name="cancellationToken">Looked at before every sampling step.</param>
    internal void Show(int step, int count, CancellationToken cancellationToken)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var pipeline = new AudioLdmPipeline(networks.UNet, autoencoder, vocoder, MiniSounds.Scheduler);
        var request = new DiffusionRequest { Steps = 20, Guidance = 3 };
        var wished = Draw(pipeline, Wishes, request, cancellationToken);
        SpectrogramSheet.Write(Path.Combine(folder, $"sheet-{step:000000}.png"), wished.squeeze(1), 4);
        for (var at = 0; at < Wishes.Length; at++)
        {
            using var inner = NewDisposeScope();
            var name = $"{at:00}-{Wishes[at].Replace(' ', '-').Replace(",", string.Empty, StringComparison.Ordinal)}.wav";
            VocoderTrainer.WriteSound(
                Path.Combine(folder, $"sounds-{step:000000}", name), pipeline.Speak(wished.narrow(0, at, 1), MiniSounds.Seconds));
        }

        WorldRow[] known = [.. seen.Take(count)], kept = [.. unseen.Take(count)];
        foreach (var settings in new[] { request with { Guidance = 1.5 }, request, request with { Guidance = 5 }, request with { Steps = 10 } })
        {
            var first = judge.Score(Draw(pipeline, [.. known.Select(row => row.Caption)], settings, cancellationToken).squeeze(1), known);
            var second = judge.Score(Draw(pipeline, [.. kept.Select(row => row.Caption)], settings, cancellationToken).squeeze(1), kept);
            journal.Say(string.Create(
                CultureInfo.InvariantCulture,
                $"step {step}, {settings.Steps} steps, guidance {settings.Guidance}: seen {first.Top1:0.0%} (five {first.Top5:0.0%}), "
                + $"unseen pairs {second.Top1:0.0%} (five {second.Top5:0.0%})"));
        }

        SayTime(pipeline, request, cancellationToken);
    }

    private void SayTime(AudioLdmPipeline pipeline, DiffusionRequest request, CancellationToken cancellationToken)
    {
        using var process = Process.GetCurrentProcess();
        var before = process.TotalProcessorTime;
        var clock = Stopwatch.StartNew();
        pipeline.Speak(Draw(pipeline, [Wishes[0]], request, cancellationToken), MiniSounds.Seconds).Dispose();
        process.Refresh();
        journal.Say(string.Create(
            CultureInfo.InvariantCulture,
            $"One sound of {MiniSounds.Seconds:0} s in {request.Steps} steps: {(process.TotalProcessorTime - before).TotalSeconds:0.0} s of processor time, "
            + $"{clock.Elapsed.TotalSeconds:0.0} s passed."));
    }

    /// <returns>[prompts, 1, frames, mels]</returns>
    private Tensor Draw(AudioLdmPipeline pipeline, string[] prompts, DiffusionRequest request, CancellationToken cancellationToken)
    {
        using var scope = NewDisposeScope();
        var negative = networks.Condition(tokens([string.Empty]));
        var type = networks.UNet.parameters().First().dtype;
        var parts = new List<Tensor>();
        using var random = new StepRandom(device, 7);
        foreach (var chunk in prompts.Chunk(16))
        {
            random.Begin(parts.Count);
            var noise = random.Normal([chunk.Length, .. pipeline.LatentShape(MiniSounds.Seconds)]);
            var latent = pipeline.Denoise(networks.Condition(tokens(chunk)).to(type), negative.to(type), noise, request, null, cancellationToken);
            parts.Add(pipeline.DecodeSpectrogram(latent).narrow(2, 0, MiniSounds.Samples / MelSpectrogram.Hop));
        }

        return cat(parts).MoveToOuterDisposeScope();
    }
}
