using TorchSharp;
using static TorchSharp.torch;

namespace NextGpt.Model.Language;

/// <summary>Rotary positions (Su et al. 2021) with linear or Llama 3 stretching.</summary>
internal sealed class LlamaRotary : IDisposable
{
    private readonly Tensor _frequencies;
    private readonly Tensor _signs;

    public LlamaRotary(LlamaConfig config, Device device)
    {
        var half = config.HeadSize / 2;
        float[] frequencies = [.. Enumerable.Range(0, half).Select(pair => Frequency(config, pair))];
        float[] signs = [.. Enumerable.Repeat(-1f, half), .. Enumerable.Repeat(1f, half)];
        Frequencies = frequencies;
        _frequencies = tensor(frequencies, device: device).DetachFromDisposeScope();
        _signs = tensor(signs, device: device).DetachFromDisposeScope();
    }

    /// <summary>[headSize / 2], radians per token.</summary>
    public IReadOnlyList<float> Frequencies { get; }

    /// <summary>What every layer of one call shares.</summary>
    public LlamaStep Step(
        int batch, int seq, int past, KeyValueCache? cache, IReadOnlyList<int>? leftPadding, ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var device = _frequencies.device;
        var places = arange(past, past + seq, dtype: ScalarType.Int64, device: device).unsqueeze(0);   // [1, seq]
        var padding = leftPadding is null
            ? null
            : tensor(leftPadding.Select(count => (long)count).ToArray(), [batch, 1], device: device);   // [batch, 1]
        var positions = padding is null ? places : (places - padding).clamp_min_(0);
        var (cosine, sine) = Tables(positions);   // [batch or 1, seq, headSize]
        return new LlamaStep(
            batch, seq, past, 2 * Frequencies.Count, cache,
            cosine.unsqueeze(1).to(type).MoveToOuterDisposeScope(),
            sine.mul(_signs).unsqueeze(1).to(type).MoveToOuterDisposeScope(),
            Mask(places, padding, past + seq)?.MoveToOuterDisposeScope());
    }

    /// <summary>Cosine and sine of every angle, first half and second half of a head alike.</summary>
    /// <param name="positions">[batch or 1, seq] int64</param>
    /// <returns>[batch or 1, seq, headSize] float32, owned by the caller's dispose scope.</returns>
    internal (Tensor Cosine, Tensor Sine) Tables(Tensor positions)
    {
        using var scope = NewDisposeScope();
        var half = positions.to(ScalarType.Float32).unsqueeze(-1) * _frequencies;
        var angles = cat([half, half], -1);
        return (angles.cos().MoveToOuterDisposeScope(), angles.sin().MoveToOuterDisposeScope());
    }

    public void Dispose()
    {
        _frequencies.Dispose();
        _signs.Dispose();
    }

    private static float Frequency(LlamaConfig config, int pair)
    {
        var plain = 1 / Math.Pow(config.RopeBase, 2.0 * pair / config.HeadSize);
        if (config.RopeScaling != RopeScaling.Llama3)
        {
            return (float)(plain / (config.RopeScaling == RopeScaling.Linear ? config.RopeFactor : 1));
        }

        // Turns within the trained length: many turns are kept, few are stretched, between them is a ramp.
        var turns = config.RopeTrainedLength * plain / (2 * Math.PI);
        var kept = Math.Clamp(
            (turns - config.RopeLowFrequencyFactor) / (config.RopeHighFrequencyFactor - config.RopeLowFrequencyFactor), 0, 1);
        return (float)((kept * plain) + ((1 - kept) * plain / config.RopeFactor));
    }

    /// <returns>[batch or 1, 1, seq, past + seq] true where attention is allowed, or null where the kernel's own rule does.</returns>
    private static Tensor? Mask(Tensor places, Tensor? padding, int total)
    {
        var seq = (int)places.shape[1];
        if (padding is null && (seq == 1 || seq == total))
        {
            return null;
        }

        var keys = arange(total, dtype: ScalarType.Int64, device: places.device).view(1, 1, 1, total);
        var queries = places.view(1, 1, seq, 1);
        var allowed = keys <= queries;
        return padding is null
            ? allowed
            // Padding sees itself, so that its row of the softmax is not empty and stays a number.
            : allowed.logical_and((keys >= padding.view(-1, 1, 1, 1)).logical_or(keys == queries));
    }
}

/// <summary>What every layer of one call shares: how many tokens, where they stand, what they may see.</summary>
/// <param name="Batch">Rows.</param>
/// <param name="Seq">New tokens per row.</param>
/// <param name="Past">Tokens per row in the cache.</param>
/// <param name="HeadSize">Width of a head.</param>
/// <param name="Cache">Earlier tokens, or null.</param>
/// <param name="Cosine">[batch or 1, 1, seq, headSize]</param>
/// <param name="SignedSine">As <paramref name="Cosine"/>; negative for the first half of a head.</param>
/// <param name="Mask">[batch or 1, 1, seq, past + seq] true where attention is allowed, or null.</param>
internal sealed record LlamaStep(
    int Batch, int Seq, int Past, int HeadSize, KeyValueCache? Cache, Tensor Cosine, Tensor SignedSine, Tensor? Mask)
{
    /// <summary>Whether the attention kernel must hide later tokens itself.</summary>
    public bool IsCausal => Mask is null && Seq > 1;

    private static readonly Scalar One = 1;

    /// <summary>Turns each pair (element i, element i + half) by its position's angle.</summary>
    /// <param name="heads">[batch, heads, seq, headSize]</param>
    public Tensor Rotate(Tensor heads)
    {
        using var scope = NewDisposeScope();
        return heads.mul(Cosine).addcmul_(heads.roll(HeadSize / 2, -1), SignedSine, One).MoveToOuterDisposeScope();
    }
}
