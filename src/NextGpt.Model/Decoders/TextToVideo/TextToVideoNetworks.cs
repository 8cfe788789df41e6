using NextGpt.Media;
using NextGpt.Model.Decoders.Schedulers;
using NextGpt.Model.Decoders.StableDiffusion;
using NextGpt.Model.Weights;
using static TorchSharp.torch;

namespace NextGpt.Model.Decoders.TextToVideo;

/// <summary>U-Net and autoencoder of a Zeroscope folder.</summary>
internal sealed class TextToVideoNetworks : IDiffusionNetworks
{
    private const long PixelsAtOnce = 512 * 512;   // decoding takes about 10 KB of memory per pixel at published width

    private readonly UNet3DCondition _unet;
    private readonly AutoencoderKL _autoencoder;
    private readonly TextToVideoPipeline _pipeline;

    internal TextToVideoNetworks(string folder, SchedulerConfig scheduler, Device device, ScalarType type)
    {
        _unet = UNet3DCondition.Load(Path.Combine(folder, "unet"), device, type);
        _autoencoder = AutoencoderKL.Load(Path.Combine(folder, "vae"), device, type);
        _unet.eval();
        _autoencoder.eval();
        Type = type;
        _pipeline = new TextToVideoPipeline(_unet, _autoencoder, scheduler);
    }

    public ScalarType Type { get; }

    public long[] LatentShape(RenderPlan plan)
    {
        var (height, width) = plan.LatentSize(_autoencoder.Config.Downscale, _unet.Config.SampleSize, _unet.Config.SampleSize);
        return [_unet.Config.InputChannels, plan.Frames, height, width];
    }

    public Tensor Predict(Tensor sample, Tensor timestep, Tensor condition) => _unet.call(sample, timestep, condition);

    public IReadOnlyList<Medium> Decode(Tensor latent, RenderPlan plan, CancellationToken cancellationToken)
    {
        using var scope = NewDisposeScope();
        var downscale = _autoencoder.Config.Downscale;
        var together = Math.Max(1, PixelsAtOnce / (latent.shape[3] * latent.shape[4] * downscale * downscale));
        var clips = new List<Medium>();
        foreach (var row in latent.unbind(0))   // [latent, frames, height, width]
        {
            var frames = new List<Picture>();
            foreach (var part in row.transpose(0, 1).split(together))
            {
                cancellationToken.ThrowIfCancellationRequested();
                using var step = NewDisposeScope();
                frames.AddRange(Pixels.ToPictures(_pipeline.Decode(part)));
            }

            clips.Add(new VideoClip { Frames = frames, FramesPerSecond = plan.FramesPerSecond });
        }

        return clips;
    }

    public void Save(string folder, SafetensorsType type)
    {
        _unet.Save(Path.Combine(folder, "unet"), type);
        _autoencoder.Save(Path.Combine(folder, "vae"), type);
    }

    public void Dispose()
    {
        _unet.Dispose();
        _autoencoder.Dispose();
    }
}
