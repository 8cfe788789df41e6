using NextGpt.Model.Decoders.StableDiffusion;
using NextGpt.Model.Weights;
using NextGpt.Tuning.Optimisation;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Pictures;

/// <summary>Every scene as a latent and every wording as tokens, on the training device, computed once.</summary>
public sealed class LatentCache : IDisposable
{
    private const string TensorName = "latents";

    private readonly Tensor _latents;      // [scenes, latent, height, width]
    private readonly Tensor _tokens;       // [scenes * wordings, seq] int64
    private readonly Tensor _cumulative;   // [scenes] float64
    private readonly int _wordings;

    /// <summary>Takes latents and makes tokens.</summary>
    /// <param name="scenes">What is shown; all with the same number of wordings.</param>
    /// <param name="latents">Gives [scenes, latent, height, width], see <see cref="Encode"/>.</param>
    /// <param name="tokenizer">Makes tokens of the wordings.</param>
    /// <param name="device">Where everything lies.</param>
    /// <param name="dtype">How latents are kept.</param>
    public LatentCache(
        IReadOnlyList<PictureScene> scenes, Func<Tensor> latents, ClipTokenizer tokenizer, Device device, ScalarType dtype)
        : this(
            [.. scenes.Select(scene => scene.Weight)],
            [.. scenes.SelectMany(scene => scene.Captions).Select(text => tokenizer.Encode(text, MiniPictures.CaptionTokens))],
            latents, device, dtype)
    {
    }

    /// <summary>Takes latents and tokens.</summary>
    /// <param name="weights">How often each scene is drawn, in proportion.</param>
    /// <param name="captions">Tokens of the wordings, scene by scene, as many for each scene and all of one length.</param>
    /// <param name="latents">Gives [scenes, latent, height, width].</param>
    /// <param name="device">Where everything lies.</param>
    /// <param name="dtype">How latents are kept.</param>
    internal LatentCache(
        IReadOnlyList<double> weights, IReadOnlyList<long[]> captions, Func<Tensor> latents, Device device, ScalarType dtype)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        _latents = latents().to(dtype, device).alias().DetachFromDisposeScope();
        _wordings = captions.Count / weights.Count;
        var tokens = captions.SelectMany(row => row).ToArray();
        _tokens = tensor(tokens, [captions.Count, captions[0].Length]).to(device).alias().DetachFromDisposeScope();
        _cumulative = tensor(weights.ToArray()).cumsum(0).to(device).alias().DetachFromDisposeScope();
    }

    /// <summary>Renders and encodes, or reads what an earlier run encoded.</summary>
    /// <param name="scenes">What to show.</param>
    /// <param name="renderer">Makes pixels.</param>
    /// <param name="autoencoder">Makes latents of them.</param>
    /// <param name="file">Where they are kept, as float16.</param>
    /// <param name="key">Names everything they depend on; a file with another key is made anew.</param>
    /// <param name="device">Where the autoencoder lies.</param>
    /// <returns>[scenes, latent, height, width] float32 on the CPU, owned by the caller's dispose scope; the same whether read or made.</returns>
    public static Tensor Encode(
        IReadOnlyList<PictureScene> scenes, SceneRenderer renderer, AutoencoderKL autoencoder, string file, string key, Device device) =>
        Keep(file, key, scenes.Chunk(128).Select<PictureScene[], Func<Tensor>>(
            chunk => () => autoencoder.Encode(renderer.Render(chunk)).Mean * autoencoder.Config.ScalingFactor));

    /// <summary>Reads what an earlier run kept, or makes it part by part and keeps it.</summary>
    /// <param name="file">Where latents are kept, as float16.</param>
    /// <param name="key">Names everything they depend on; a file with another key is made anew.</param>
    /// <param name="parts">Make the parts, in order: [some, latent, height, width], on any device.</param>
    /// <returns>All parts after each other, float32 on the CPU, owned by the caller's dispose scope; the same whether read or made.</returns>
    internal static Tensor Keep(string file, string key, IEnumerable<Func<Tensor>> parts)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        if (File.Exists(file))
        {
            using var kept = SafetensorsFile.Open(file);
            if (kept.Metadata.TryGetValue("key", out var found) && found == key)
            {
                var values = new float[kept.Tensors[TensorName].Count];
                kept.Read(TensorName, values);
                return tensor(values, [.. kept.Tensors[TensorName].Shape]).MoveToOuterDisposeScope();
            }
        }

        var made = new List<Tensor>();
        foreach (var make in parts)
        {
            using var part = NewDisposeScope();
            made.Add(make().to(ScalarType.Float16).to(ScalarType.Float32).cpu().alias().MoveToOuterDisposeScope());
        }

        var latents = cat(made);
        var writer = new SafetensorsWriter();
        writer.Add(TensorName, latents, SafetensorsType.F16);
        writer.Metadata["key"] = key;
        writer.Save(file);
        return latents.MoveToOuterDisposeScope();
    }

    /// <summary>Number of scenes.</summary>
    public long Count => _latents.shape[0];

    /// <summary>Draws a batch.</summary>
    /// <param name="batch">Samples.</param>
    /// <param name="random">Chooses scenes and wordings.</param>
    /// <returns>[batch, latent, height, width] float32 and [batch, seq] int64, owned by the caller's dispose scope.</returns>
    public (Tensor Latents, Tensor Tokens) Draw(int batch, StepRandom random)
    {
        using var scope = NewDisposeScope();
        var scenes = random.Weighted(_cumulative, batch);
        var wordings = (scenes * _wordings) + random.Whole(_wordings, batch);
        var latents = _latents.index_select(0, scenes).to(ScalarType.Float32);
        return (latents.MoveToOuterDisposeScope(), _tokens.index_select(0, wordings).MoveToOuterDisposeScope());
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _latents.Dispose();
        _tokens.Dispose();
        _cumulative.Dispose();
    }
}
