using NextGpt.Model.Decoders.StableDiffusion;
using NextGpt.Model.Decoders.TextToVideo;
using NextGpt.Tuning.Data;
using NextGpt.Tuning.Optimisation;
using NextGpt.Tuning.Pictures;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Clips;

/// <summary>Films with a network in training: a sheet to look at, a clip a row.</summary>
internal sealed class ClipPreview(
    ClipNetworks networks, AutoencoderKL autoencoder, ClipTokenizer tokenizer, Device device, string folder)
{
    private const int ClipsAtOnce = 4;

    private static readonly string[] Things = ["a soccer ball", "a rocket", "a red apple", "a cat", "a fish", "a red heart", "a guitar", "a bus"];

    /// <summary>What is filmed: every motion of some thing, and animations of the world.</summary>
    internal static IReadOnlyList<string> Prompts { get; } =
    [
        .. Motion.All.Select((motion, index) => $"{Things[index % Things.Length]} {motion.Name}"),
        "a dog, moving", "a butterfly, moving", "a soccer ball bouncing quickly", "a rocket rising on a light blue background",
    ];

    /// <summary>Writes the sheet.</summary>
    /// <param name="step">For the file name.</param>
    /// <param name="count">Clips.</param>
    /// <param name="cancellationToken">Looked at before every sampling step.</param>
    internal void Show(int step, int count, CancellationToken cancellationToken)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var (unet, pipeline) = (networks.UNet.Config, new TextToVideoPipeline(networks.UNet, autoencoder, MiniPictures.Scheduler));
        var request = new DiffusionRequest { Steps = 20, Guidance = 4 };
        var negative = Context([string.Empty]);
        var rows = new List<Tensor>();
        using var random = new StepRandom(device, 7);
        foreach (var chunk in Prompts.Take(count).Chunk(ClipsAtOnce))
        {
            random.Begin(rows.Count);
            var noise = random.Normal(chunk.Length, unet.InputChannels, WorldStudio.Frames, unet.SampleSize, unet.SampleSize);
            var latents = pipeline.Denoise(Context(chunk), negative, noise, request, null, cancellationToken);
            rows.Add(pipeline.Decode(latents.transpose(1, 2).flatten(0, 1)));
        }

        ContactSheet.Write(Path.Combine(folder, $"clips-{step:000000}.png"), cat(rows), WorldStudio.Frames);
    }

    private Tensor Context(string[] prompts)
    {
        var length = networks.TextEncoder.Config.MaxTokens;
        var tokens = prompts.SelectMany(prompt => tokenizer.Encode(prompt, length)).ToArray();
        return networks.TextEncoder.call(tensor(tokens, [prompts.Length, length]).to(device));
    }
}
