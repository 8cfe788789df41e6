using NextGpt.Media;
using NextGpt.Model.Weights;
using static TorchSharp.torch;

namespace NextGpt.Model.Decoders;

/// <summary>Makes one kind of medium from a conditioning, or from words: a latent diffusion model as a whole.</summary>
/// <remarks>
/// What the assembled model, training and picture services see of Stable Diffusion, AudioLDM and Zeroscope alike;
/// <see cref="DiffusionDecoder.Load"/> opens one. Its networks are read when they are first needed and can be let go
/// again. Not thread-safe: it belongs to the thread of its model. Same conditioning, options and batch on the CPU: same
/// bytes.
/// </remarks>
public interface IDiffusionDecoder : IDisposable
{
    /// <summary>What it makes.</summary>
    MediaKind Kind { get; }

    /// <summary>
    /// Shape of one conditioning: [tokens, width] where it enters by cross-attention (pictures, clips), [width] where it
    /// enters as a class embedding (sounds). Known without the weights.
    /// </summary>
    IReadOnlyList<long> ConditioningShape { get; }

    /// <summary>What is used where the options of a request do not say.</summary>
    RenderDefaults Defaults { get; }

    /// <summary>Where its networks lie, or will lie.</summary>
    Device Device { get; }

    /// <summary>Whether the networks that render are in memory.</summary>
    bool IsLoaded { get; }

    /// <summary>Whether it can turn words into a conditioning: whether there is a text encoder with a tokenizer.</summary>
    bool ReadsText { get; }

    /// <summary>Turns words into what <see cref="Render"/> takes.</summary>
    /// <param name="prompts">One or more texts; the empty text is the conditioning of nothing.</param>
    /// <returns>[batch, .. ConditioningShape] float on <see cref="Device"/>, owned by the caller's dispose scope.</returns>
    /// <exception cref="InvalidOperationException"><see cref="ReadsText"/> is false.</exception>
    /// <exception cref="InvalidDataException">The weights do not fit, by name.</exception>
    Tensor Encode(IReadOnlyList<string> prompts);

    /// <summary>Makes media, all of one batch together.</summary>
    /// <param name="conditioning">
    /// [batch, .. ConditioningShape] float on any device; from a projection or from <see cref="Encode"/>. The number of
    /// tokens may differ where <paramref name="negative"/> has the same or guidance is off.
    /// </param>
    /// <param name="negative">
    /// [batch or 1, .. ConditioningShape], what the guidance leads away from; null is the empty text. Not looked at without
    /// guidance.
    /// </param>
    /// <param name="options">Seeds (one per row of the batch), steps, guidance, size.</param>
    /// <param name="progress">Gets the share that is done, 0 to 1, after every denoising step; called on this thread.</param>
    /// <param name="cancellationToken">Looked at before every denoising step and before decoding.</param>
    /// <returns>One medium per row: pictures, clips, or sounds of 16 kHz and one channel.</returns>
    /// <exception cref="ArgumentException">The conditioning has another shape, or an option is out of its range.</exception>
    /// <exception cref="InvalidDataException">The weights do not fit, by name.</exception>
    IReadOnlyList<Medium> Render(
        Tensor conditioning, Tensor? negative, RenderOptions options, IProgress<double>? progress = null,
        CancellationToken cancellationToken = default);

    /// <summary>Reads the networks now rather than at the first request.</summary>
    /// <exception cref="InvalidDataException">The weights do not fit, by name.</exception>
    void LoadNetworks();

    /// <summary>Lets the networks go; they are read again when they are next needed.</summary>
    void OffLoad();

    /// <summary>Writes networks, configurations, scheduler and tokenizer as a folder that <see cref="DiffusionDecoder.Load"/> reads.</summary>
    /// <param name="folder">Made where it is missing; files of the same names are replaced.</param>
    /// <param name="type">How numbers are stored.</param>
    void Save(string folder, SafetensorsType type = SafetensorsType.F16);
}
