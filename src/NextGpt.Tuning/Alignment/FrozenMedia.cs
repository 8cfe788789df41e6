using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using NextGpt.Media;
using NextGpt.Model.Decoders;
using NextGpt.Model.Encoders;
using NextGpt.Model.Packages;
using NextGpt.Tuning.Data;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Alignment;

/// <summary>An encoder and decoders in their folders, asked once for everything; answers are kept in files beside the run.</summary>
/// <remarks>Networks are read when something is asked that no file has. The files' names hold the hash of the network. Not thread-safe.</remarks>
public sealed class FrozenMedia : ITrainingMedia
{
    private const int CaptionsAtOnce = 64;

    private readonly WorldStudio _studio;
    private readonly Device _device;
    private readonly string? _encoderFolder;
    private readonly VectorCache? _features;
    private readonly Dictionary<MediaKind, (DiffusionDecoder Decoder, VectorCache Golds)> _decoders = [];
    private ImageBindEncoder? _encoder;

    /// <summary>Opens the folders; reads configurations and hashes the weights.</summary>
    /// <param name="studio">Makes media.</param>
    /// <param name="encoder">The folder of an ImageBind; null shows nothing.</param>
    /// <param name="decoders">Folders of diffusion decoders with text encoders; empty makes nothing.</param>
    /// <param name="cache">Where answers are kept.</param>
    /// <param name="device">Where the networks work.</param>
    /// <exception cref="InvalidDataException">A folder cannot be used, with what is missing.</exception>
    public FrozenMedia(WorldStudio studio, string? encoder, IEnumerable<string> decoders, string cache, Device device)
    {
        ArgumentNullException.ThrowIfNull(decoders);
        _studio = studio;
        _device = device;
        _encoderFolder = encoder;
        try
        {
            if (encoder is not null)
            {
                var config = ImageBindConfig.Load(Path.Combine(encoder, "config.json"));
                FeatureSize = config.OutputSize;
                Reads = KindsOf(config);
                _features = new VectorCache(Path.Combine(cache, $"features-{HashOf(encoder)}.bin"));
            }

            foreach (var folder in decoders)
            {
                var decoder = DiffusionDecoder.Load(folder, device);
                if (!decoder.ReadsText || !_decoders.TryAdd(
                    decoder.Kind,
                    (decoder, new VectorCache(Path.Combine(cache, $"captions-{decoder.Kind}-{HashOf(Path.Combine(folder, "text_encoder"), Path.Combine(folder, "tokenizer"))}.bin")))))
                {
                    throw new InvalidDataException(decoder.ReadsText
                        ? $"{folder} is a second decoder of {decoder.Kind}; give one of each kind."
                        : $"{folder} has no text_encoder with a tokenizer, and signals are learnt from what it says of captions.");
                }
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public IReadOnlySet<MediaKind> Reads { get; } = new HashSet<MediaKind>();

    /// <inheritdoc/>
    public IReadOnlySet<MediaKind> Makes => _decoders.Keys.ToHashSet();

    /// <inheritdoc/>
    public int? FeatureSize { get; }

    /// <inheritdoc/>
    public (int Queries, int Width) ShapeOf(MediaKind kind)
    {
        var shape = _decoders[kind].Decoder.ConditioningShape;
        return shape.Count == 1 ? (1, (int)shape[0]) : ((int)shape[0], (int)shape[1]);
    }

    /// <inheritdoc/>
    public IReadOnlyList<float[]> Features(IReadOnlyList<MediumRecipe> recipes)
    {
        ArgumentNullException.ThrowIfNull(recipes);
        var cache = _features ?? throw new InvalidOperationException("There is no encoder, so nothing can be shown; name one with --encoder.");
        return [.. recipes.Select(recipe =>
        {
            var key = KeyOf(recipe);
            if (!cache.Has(key))
            {
                using var scope = NewDisposeScope();
                using var noGradient = no_grad();
                _encoder ??= ImageBindEncoder.Load(_encoderFolder ?? string.Empty, MediaFeatures.Pooled, _device);
                cache.Add(key, Plain(_encoder.Encode(_studio.Make(recipe))));
            }

            return cache.Read(key);
        })];
    }

    /// <inheritdoc/>
    public IReadOnlyList<float[]> Golds(MediaKind kind, IReadOnlyList<string> captions)
    {
        ArgumentNullException.ThrowIfNull(captions);
        var (decoder, cache) = _decoders[kind];
        foreach (var asked in captions.Distinct(StringComparer.Ordinal).Where(caption => !cache.Has(VectorCache.KeyOf(caption))).Chunk(CaptionsAtOnce))
        {
            using var scope = NewDisposeScope();
            using var noGradient = no_grad();
            var answers = Plain(decoder.Encode(asked));   // [captions · queries · width]
            var size = answers.Length / asked.Length;
            for (var index = 0; index < asked.Length; index++)
            {
                cache.Add(VectorCache.KeyOf(asked[index]), answers.AsSpan(index * size, size));
            }
        }

        return [.. captions.Select(caption => cache.Read(VectorCache.KeyOf(caption)))];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _encoder?.Dispose();
        _features?.Dispose();
        foreach (var (decoder, golds) in _decoders.Values)
        {
            decoder.Dispose();
            golds.Dispose();
        }
    }

    /// <summary>The kinds that an encoder has towers for.</summary>
    internal static HashSet<MediaKind> KindsOf(ImageBindConfig config)
    {
        MediaKind[] seen = config.Vision is null ? [] : [MediaKind.Image, MediaKind.Video];
        return config.Audio is null ? [.. seen] : [.. seen, MediaKind.Audio];
    }

    private static Guid KeyOf(MediumRecipe recipe)
    {
        var files = recipe.Rows.Select(row => row.Path);
        return VectorCache.KeyOf(recipe switch
        {
            PictureRecipe picture => JsonSerializer.Serialize(new
            {
                files,
                picture.Backdrop,
                pieces = picture.Pieces.Select(piece => new { piece.X, piece.Y, piece.Size, piece.Mirrored, piece.HueTurn }),
            }),
            ClipRecipe clip => JsonSerializer.Serialize(
                new { files, motion = clip.Motion?.Name, clip.Quickly, clip.Size, clip.HueTurn, clip.Backdrop }),
            SoundRecipe sound => JsonSerializer.Serialize(new { files, sound.Change }),
            _ => throw new ArgumentException($"No key is known for {recipe}.", nameof(recipe)),
        });
    }

    private static float[] Plain(Tensor values) =>
        MemoryMarshal.Cast<byte, float>(values.to(ScalarType.Float32).cpu().contiguous().bytes).ToArray();

    private static string HashOf(params ReadOnlySpan<string> folders)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var folder in folders)
        {
            foreach (var file in Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
            {
                hash.AppendData(Encoding.UTF8.GetBytes(Path.GetRelativePath(folder, file)));
                hash.AppendData(SHA256.HashData(File.ReadAllBytes(file)));
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 8));
    }
}
