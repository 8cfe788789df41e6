using NextGpt.Media;
using NextGpt.Model.Decoders.Schedulers;
using NextGpt.Model.Weights;
using static TorchSharp.torch;

namespace NextGpt.Model.Decoders.StableDiffusion;

/// <summary>U-Net and autoencoder of a Stable Diffusion folder.</summary>
internal sealed class StableDiffusionNetworks : IDiffusionNetworks
{
    private readonly UNet2DCondition _unet;
    private readonly AutoencoderKL _autoencoder;
    private readonly StableDiffusionPipeline _pipeline;

    internal StableDiffusionNetworks(string folder, SchedulerConfig scheduler, Device device, ScalarType type)
    {
        _unet = UNet2DCondition.Load(Path.Combine(folder, "unet"), device, type);
        _autoencoder = AutoencoderKL.Load(Path.Combine(folder, "vae"), device, type);
        _unet.eval();
        _autoencoder.eval();
        Type = type;
        _pipeline = new StableDiffusionPipeline(_unet, _autoencoder, scheduler);
    }

    public ScalarType Type { get; }

    public long[] LatentShape(RenderPlan plan)
    {
        var (height, width) = plan.LatentSize(_autoencoder.Config.Downscale, _unet.Config.SampleSize, _unet.Config.SampleSize);
        return [_unet.Config.InputChannels, height, width];
    }

    public Tensor Predict(Tensor sample, Tensor timestep, Tensor condition) => _unet.call(sample, timestep, condition, null);

    public IReadOnlyList<Medium> Decode(Tensor latent, RenderPlan plan, CancellationToken cancellationToken)
    {
        var pictures = new List<Medium>();
        foreach (var row in latent.split(1))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            pictures.AddRange(Pixels.ToPictures(_pipeline.Decode(row)));
        }

        return pictures;
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
