using System.Diagnostics;
using NextGpt.Media;
using NextGpt.Model.Decoders.AudioLdm;
using NextGpt.Model.Decoders.StableDiffusion;
using NextGpt.Model.Decoders.TextToVideo;
using NextGpt.Model.Encoders;
using static TorchSharp.torch;

namespace NextGpt.Benchmarks;

/// <summary>One network with random weights and inputs, ready to be called.</summary>
internal sealed class NetworkWork : IDisposable
{
    private readonly nn.Module _network;
    private readonly Func<Tensor> _call;
    private readonly List<Tensor> _inputs = [];

    /// <summary>Builds the network of a row and calls it once.</summary>
    public NetworkWork(NetworkRow row)
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, row.Config.GetRawText());
            (_network, _call) = Build(row, file);
        }
        finally
        {
            File.Delete(file);
        }

        _network.eval();
        Measure(1);
    }

    /// <summary>Milliseconds of one call: wall clock and processor time of all threads, the means of some repeats.</summary>
    public (double Wall, double Processor) Measure(int repeats)
    {
        using var noGradient = no_grad();
        using var process = Process.GetCurrentProcess();
        var processor = process.TotalProcessorTime;
        var begin = Stopwatch.GetTimestamp();
        for (var repeat = 0; repeat < repeats; repeat++)
        {
            using var scope = NewDisposeScope();
            _call();
        }

        var wall = Stopwatch.GetElapsedTime(begin).TotalMilliseconds / repeats;
        process.Refresh();
        return (wall, (process.TotalProcessorTime - processor).TotalMilliseconds / repeats);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _network.Dispose();
        _inputs.ForEach(input => input.Dispose());
    }

    private (nn.Module Network, Func<Tensor> Call) Build(NetworkRow row, string config)
    {
        switch (row.Network)
        {
            case "unet2d":
                var unet = new UNet2DCondition(UNet2DConditionConfig.Load(config));
                var (sample, context, classes) = (Input(row, "sample")!, Input(row, "context"), Input(row, "classes"));
                var time = Kept(tensor(new[] { 500f }));
                return (unet, () => unet.call(sample, time, context, classes));
            case "unet3d":
                var clips = new UNet3DCondition(UNet3DConditionConfig.Load(config));
                var (frames, words) = (Input(row, "sample")!, Input(row, "context")!);
                var step = Kept(tensor(new[] { 500f }));
                return (clips, () => clips.call(frames, step, words));
            case "vae":
                var autoencoder = new AutoencoderKL(AutoencoderKLConfig.Load(config));
                var latent = Input(row, "latent")!;
                return (autoencoder, () => autoencoder.Decode(latent));
            case "hifigan":
                var vocoder = new HifiGan(HifiGanConfig.Load(config));
                var spectrogram = Input(row, "spectrogram")!;
                return (vocoder, () => vocoder.call(spectrogram));
            case "clip_text":
                var encoder = new ClipTextEncoder(ClipTextEncoderConfig.Load(config));
                var tokens = Kept(full(row.Inputs["tokens"], 7L, ScalarType.Int64));
                return (encoder, () => encoder.call(tokens));
            case "clap_text":
                var captions = new ClapTextEncoder(ClapTextEncoderConfig.Load(config));
                var ids = Kept(full(row.Inputs["tokens"], 7L, ScalarType.Int64));
                var all = Kept(ones_like(ids));
                return (captions, () => captions.call(ids, all));
            case "imagebind_vision" or "imagebind_audio":
                var reader = new ImageBind(ImageBindConfig.Load(config));
                var media = Input(row, "media")!;
                var kind = row.Network == "imagebind_audio" ? MediaKind.Audio
                    : media.dim() == 4 ? MediaKind.Image : MediaKind.Video;
                return (reader, () => reader.Pool(kind, media));
            default:
                throw new InvalidDataException($"{row.Name}: there is no network called {row.Network}.");
        }
    }

    private Tensor? Input(NetworkRow row, string name) =>
        row.Inputs.TryGetValue(name, out var shape) ? Kept(randn(shape)) : null;

    private Tensor Kept(Tensor input)
    {
        _inputs.Add(input);
        return input;
    }
}
