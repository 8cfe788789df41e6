using NextGpt.Media;
using NextGpt.Model.Decoders.StableDiffusion;
using NextGpt.Model.Encoders;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Contrastive;

/// <summary>Names media by the nearest text: no answer is learnt, any list of names will do.</summary>
/// <remarks>Belongs to one thread.</remarks>
public sealed class MediumNaming : IDisposable
{
    private const int Batch = 64;
    private readonly ImageBind _network;
    private readonly MediaPreparation _preparation;
    private readonly ImageBindTokenizer _tokenizer;
    private readonly Device _device;
    private readonly bool _owns;

    internal MediumNaming(ImageBind network, ImageBindTokenizer tokenizer, Device device, bool owns = false)
    {
        (_network, _tokenizer, _device, _owns) = (network, tokenizer, device, owns);
        _preparation = new MediaPreparation(network.Config);
    }

    /// <summary>Loads an encoder that has a tower for texts, with its <c>tokenizer/</c>.</summary>
    /// <param name="folder">As the training of the encoder writes it.</param>
    /// <param name="device">Where to compute; null is the CPU.</param>
    /// <exception cref="InvalidDataException">What does not fit, by name.</exception>
    public static MediumNaming Load(string folder, Device? device = null)
    {
        var network = ImageBind.Load(folder, device);
        if (network.Config.Text is not { } text)
        {
            network.Dispose();
            throw new InvalidDataException($"{folder} has no tower for texts; name an encoder that was trained with one.");
        }

        var tokenizer = new ImageBindTokenizer(ClipTokenizer.Load(Path.Combine(folder, "tokenizer")), text.MaxTokens);
        return new MediumNaming(network, tokenizer, device ?? CPU, owns: true);
    }

    /// <summary>The places of names: of each the mean of its wordings.</summary>
    /// <param name="names">Each with one wording or more.</param>
    /// <returns>[names, output], each of length 1, owned by the caller's dispose scope.</returns>
    public Tensor Places(IReadOnlyList<IReadOnlyList<string>> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var texts = names.SelectMany(wordings => wordings).ToList();
        var owners = names.SelectMany((wordings, name) => wordings.Select(_ => (long)name)).ToArray();
        var vectors = cat([.. texts.Chunk(4 * Batch).Select(chunk => _network.PoolText(_tokenizer.Encode(chunk, _device)))]);
        var sums = zeros([names.Count, vectors.shape[1]], device: _device).index_add(0, tensor(owners, device: _device), vectors, 1);
        return nn.functional.normalize(sums, 2, -1).MoveToOuterDisposeScope();
    }

    /// <summary>Names in the order of their nearness to a medium.</summary>
    /// <param name="medium">A picture, sound or clip.</param>
    /// <param name="places">From <see cref="Places"/>.</param>
    /// <returns>Indexes of the names, the nearest first.</returns>
    public IReadOnlyList<int> Rank(Medium medium, Tensor places)
    {
        ArgumentNullException.ThrowIfNull(medium);
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        return Order(medium.Kind, _preparation.Prepare(medium, _device), places, (int)places.shape[0])[0];
    }

    /// <summary>The nearest names of prepared media.</summary>
    /// <param name="kind">What they are.</param>
    /// <param name="views">As <see cref="ImageBind.Pool"/> takes them.</param>
    /// <param name="places">From <see cref="Places"/>.</param>
    /// <param name="count">How many names.</param>
    internal IReadOnlyList<int[]> Order(MediaKind kind, Tensor views, Tensor places, int count)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var all = new List<int[]>();
        foreach (var part in views.split(Batch))
        {
            using var step = NewDisposeScope();
            var nearest = _network.Pool(kind, part).matmul(places.t()).topk(count, -1).indexes.cpu().data<long>().ToArray();
            all.AddRange(nearest.Chunk(count).Select(row => Array.ConvertAll(row, index => (int)index)));
        }

        return all;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_owns)
        {
            _network.Dispose();
        }
    }
}
