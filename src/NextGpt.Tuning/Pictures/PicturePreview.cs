using System.Globalization;
using NextGpt.Model.Decoders.StableDiffusion;
using NextGpt.Tuning.Data;
using NextGpt.Tuning.Optimisation;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Pictures;

/// <summary>Draws with a network in training: sheets to look at and a score.</summary>
internal sealed class PicturePreview(
    PictureAtlas atlas, PictureNetworks networks, AutoencoderKL autoencoder, ClipTokenizer tokenizer, PictureJudge judge,
    Device device, string folder, TrainingJournal journal)
{
    private static readonly string[] Things =
        ["a red apple", "a dog face", "a cat", "a rocket", "a guitar", "a sunflower", "a smiling face with sunglasses", "a bicycle"];

    private static readonly string[] Styles = ["flat", "shaded", "rounded", "plain", "soft", "doodle", "silhouette", "3D"];

    private static readonly string[] Scenes =
    [
        "a red apple on a light blue background", "a small dog at the top left", "two cats", "three red apples",
        "a dog to the left of a tree", "a rocket above a house", "a fish and a fish", "four stars, yellow background",
        "a small 3D cow at the bottom right", "a penguin on a green background", "a banana and a pear", "two hearts on a pink background",
        "a tiger", "a birthday cake", "a violin", "an owl",
    ];

    /// <summary>Writes the sheets and says the score.</summary>
    /// <param name="step">For the file names.</param>
    /// <param name="count">Drawings per sheet and judgement.</param>
    /// <param name="cancellationToken">Looked at before every sampling step.</param>
    internal void Show(int step, int count, CancellationToken cancellationToken)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var request = new DiffusionRequest { Steps = 20, Guidance = 4 };
        string[] grid = [.. Things.SelectMany(thing => Styles.Select(style => $"{thing} in {style} style")).Concat(Scenes).Take(count + (count / 4))];
        ContactSheet.Write(Path.Combine(folder, $"sheet-{step:000000}.png"), Draw(grid, request, cancellationToken), 8);

        var seen = Asked("train", count);
        var unseen = Asked("test_pair", count);
        if (seen.Length == 0 || unseen.Length == 0)
        {
            return;   // a world without pairs that are kept back has nothing to judge
        }

        foreach (var guidance in new[] { 2.0, 4.0, 7.0 })
        {
            var settings = request with { Guidance = guidance };
            var first = judge.Score(Draw([.. seen.Select(Prompt)], settings, cancellationToken), seen);
            var pictures = Draw([.. unseen.Select(Prompt)], settings, cancellationToken);
            var second = judge.Score(pictures, unseen);
            if (guidance == 4)
            {
                ContactSheet.Write(Path.Combine(folder, $"pairs-{step:000000}.png"), pictures, 8);
            }

            journal.Say(string.Create(
                CultureInfo.InvariantCulture,
                $"step {step}, guidance {guidance}: seen {first.Top1:0.0%} (five {first.Top5:0.0%}, style {first.Style:0.0%}), "
                + $"unseen pairs {second.Top1:0.0%} (five {second.Top5:0.0%}, style {second.Style:0.0%})"));
        }
    }

    private static string Prompt(WorldPicture picture) => $"{picture.Caption} in {picture.Style} style";

    private WorldPicture[] Asked(string split, int count)
    {
        var all = atlas.Pictures.Where(picture => picture.Split == split).ToArray();
        new Random(7).Shuffle(all);
        return [.. all.Take(count)];
    }

    private Tensor Draw(string[] prompts, DiffusionRequest request, CancellationToken cancellationToken)
    {
        using var scope = NewDisposeScope();
        var unet = networks.UNet.Config;
        var pipeline = new StableDiffusionPipeline(networks.UNet, autoencoder, MiniPictures.Scheduler);
        var negative = Context([string.Empty]);
        var parts = new List<Tensor>();
        using var random = new StepRandom(device, 7);
        foreach (var chunk in prompts.Chunk(64))
        {
            random.Begin(parts.Count);
            var noise = random.Normal(chunk.Length, unet.InputChannels, unet.SampleSize, unet.SampleSize);
            parts.Add(pipeline.Draw(Context(chunk), negative, noise, request, cancellationToken));
        }

        return cat(parts).MoveToOuterDisposeScope();
    }

    private Tensor Context(string[] prompts)
    {
        var tokens = prompts.SelectMany(prompt => tokenizer.Encode(prompt, MiniPictures.CaptionTokens)).ToArray();
        return networks.TextEncoder.call(tensor(tokens, [prompts.Length, MiniPictures.CaptionTokens]).to(device));
    }
}
