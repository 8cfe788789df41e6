using NextGpt.Media;
using NextGpt.Model.Decoders.StableDiffusion;
using NextGpt.Model.Weights;
using NextGpt.Tuning.Data;
using NextGpt.Tuning.Optimisation;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Clips;

/// <summary>Every clip as latents of its frames and every wording as tokens, on the training device, computed once.</summary>
internal sealed class ClipCache : IDisposable
{
    private const string TensorName = "latents";
    private const int ClipsAtOnce = 8;

    private readonly Tensor _latents;      // [clips, frames, latent, height, width] float16
    private readonly Tensor _tokens;       // [clips * wordings, seq] int64
    private readonly Tensor _cumulative;   // [clips] float64
    private readonly int _wordings;

    /// <summary>Takes latents and makes tokens.</summary>
    /// <param name="scenes">What is shown; all with the same number of wordings.</param>
    /// <param name="latents">Gives [clips, frames, latent, height, width], see <see cref="Encode"/>.</param>
    /// <param name="tokenizer">Makes tokens of the wordings.</param>
    /// <param name="length">Tokens of a wording.</param>
    /// <param name="device">Where everything lies.</param>
    internal ClipCache(IReadOnlyList<ClipScene> scenes, Func<Tensor> latents, ClipTokenizer tokenizer, int length, Device device)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        _latents = latents().to(ScalarType.Float16, device).alias().DetachFromDisposeScope();
        _wordings = scenes[0].Captions.Count;
        var tokens = scenes.SelectMany(scene => scene.Captions).SelectMany(text => tokenizer.Encode(text, length)).ToArray();
        _tokens = tensor(tokens, [(long)scenes.Count * _wordings, length]).to(device).alias().DetachFromDisposeScope();
        _cumulative = tensor(scenes.Select(scene => scene.Weight).ToArray()).cumsum(0).to(device).alias().DetachFromDisposeScope();
    }

    /// <summary>Renders and encodes, or reads what an earlier run encoded.</summary>
    /// <param name="scenes">What to show.</param>
    /// <param name="studio">Makes frames.</param>
    /// <param name="autoencoder">Makes latents of them.</param>
    /// <param name="file">Where they are kept, as float16.</param>
    /// <param name="key">Names everything they depend on; a file with another key is made anew.</param>
    /// <param name="device">Where the autoencoder lies.</param>
    /// <param name="told">Hears how many clips are done, every 500.</param>
    /// <param name="cancellationToken">Looked at now and then.</param>
    /// <returns>[clips, frames, latent, height, width] float16 on the CPU, owned by the caller's dispose scope.</returns>
    internal static Tensor Encode(
        IReadOnlyList<ClipScene> scenes, WorldStudio studio, AutoencoderKL autoencoder, string file, string key, Device device,
        Action<int> told, CancellationToken cancellationToken)
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
                return tensor(values, [.. kept.Tensors[TensorName].Shape]).to(ScalarType.Float16).MoveToOuterDisposeScope();
            }
        }

        var parts = new List<Tensor>();
        foreach (var chunk in scenes.Chunk(ClipsAtOnce))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var part = NewDisposeScope();
            var clips = chunk.AsParallel().AsOrdered().Select(scene => (VideoClip)studio.Make(scene.Recipe)).ToList();
            var pixels = stack([.. clips.SelectMany(clip => clip.Frames).Select(frame =>
                tensor(frame.Pixels, [frame.Height, frame.Width, 3], ScalarType.Byte))]).to(device);
            var (mean, _) = autoencoder.Encode((pixels.permute(0, 3, 1, 2).to(ScalarType.Float32) / 127.5) - 1);
            var latents = (mean * autoencoder.Config.ScalingFactor).to(ScalarType.Float16).cpu();
            parts.Add(latents.view([chunk.Length, clips[0].Frames.Count, .. latents.shape[1..]]).alias().MoveToOuterDisposeScope());
            if (parts.Count * ClipsAtOnce % 500 < ClipsAtOnce)
            {
                told(Math.Min(scenes.Count, parts.Count * ClipsAtOnce));
            }
        }

        var all = cat(parts);
        var writer = new SafetensorsWriter();
        writer.Add(TensorName, all, SafetensorsType.F16);
        writer.Metadata["key"] = key;
        writer.Save(file);
        return all.MoveToOuterDisposeScope();
    }

    /// <summary>Number of clips.</summary>
    internal long Count => _latents.shape[0];

    /// <summary>Draws a batch.</summary>
    /// <param name="batch">Samples.</param>
    /// <param name="random">Chooses clips and wordings.</param>
    /// <returns>[batch, latent, frames, height, width] float32 and [batch, seq] int64, owned by the caller's dispose scope.</returns>
    internal (Tensor Latents, Tensor Tokens) Draw(int batch, StepRandom random)
    {
        using var scope = NewDisposeScope();
        var clips = random.Weighted(_cumulative, batch);
        var wordings = (clips * _wordings) + random.Whole(_wordings, batch);
        var latents = _latents.index_select(0, clips).to(ScalarType.Float32).transpose(1, 2).contiguous();
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
