using NextGpt.Media;
using NextGpt.Model.Decoders.Schedulers;
using NextGpt.Model.Decoders.StableDiffusion;
using NextGpt.Model.Weights;
using static TorchSharp.torch;

namespace NextGpt.Model.Decoders.AudioLdm;

/// <summary>U-Net, autoencoder and vocoder of an AudioLDM folder.</summary>
internal sealed class AudioLdmNetworks : IDiffusionNetworks
{
    private readonly UNet2DCondition _unet;
    private readonly AutoencoderKL _autoencoder;
    private readonly HifiGan _vocoder;
    private readonly AudioLdmPipeline _pipeline;

    internal AudioLdmNetworks(string folder, SchedulerConfig scheduler, Device device, ScalarType type)
    {
        _unet = UNet2DCondition.Load(Path.Combine(folder, "unet"), device, type);
        _autoencoder = AutoencoderKL.Load(Path.Combine(folder, "vae"), device, type);
        _vocoder = HifiGan.Load(Path.Combine(folder, "vocoder"), device, type);
        _unet.eval();
        _autoencoder.eval();
        _vocoder.eval();
        Type = type;
        _pipeline = new AudioLdmPipeline(_unet, _autoencoder, _vocoder, scheduler);
    }

    public ScalarType Type { get; }

    public long[] LatentShape(RenderPlan plan) => _pipeline.LatentShape(plan.Seconds);

    public Tensor Predict(Tensor sample, Tensor timestep, Tensor condition) => _unet.call(sample, timestep, null, condition);

    public IReadOnlyList<Medium> Decode(Tensor latent, RenderPlan plan, CancellationToken cancellationToken)
    {
        var sounds = new List<Medium>();
        foreach (var row in latent.split(1))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var samples = _pipeline.Speak(_pipeline.DecodeSpectrogram(row), plan.Seconds).cpu();
            sounds.Add(new AudioClip
            {
                Channels = [samples.data<float>().ToArray()],
                SampleRateHz = _vocoder.Config.SampleRateHz,
            });
        }

        return sounds;
    }

    public void Save(string folder, SafetensorsType type)
    {
        _unet.Save(Path.Combine(folder, "unet"), type);
        _autoencoder.Save(Path.Combine(folder, "vae"), type);
        _vocoder.Save(Path.Combine(folder, "vocoder"), type);
    }

    public void Dispose()
    {
        _unet.Dispose();
        _autoencoder.Dispose();
        _vocoder.Dispose();
    }
}
