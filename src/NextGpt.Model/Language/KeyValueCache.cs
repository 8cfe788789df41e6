using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace NextGpt.Model.Language;

/// <summary>Keys and values of the tokens a <see cref="LlamaModel"/> has read, so that each token is computed once.</summary>
/// <remarks>
/// The room is taken at once and grows only by <see cref="Reserve"/>. Keys are stored after rotation. Rows may begin with
/// padding (shorter prompts in one batch); padding takes room, but no position, and is never attended to. Belongs to the
/// thread that runs the network.
/// </remarks>
public sealed class KeyValueCache : IDisposable
{
    private readonly Tensor[] _keys;
    private readonly Tensor[] _values;
    private readonly LlamaConfig _config;

    /// <summary>Takes the room.</summary>
    /// <param name="config">The network's numbers.</param>
    /// <param name="capacity">Tokens per row, padding included.</param>
    /// <param name="batch">Number of rows.</param>
    /// <param name="type">The network's element type.</param>
    /// <param name="device">The network's device; null is the CPU.</param>
    /// <param name="leftPadding">Padding tokens at the start of each row; null is none.</param>
    public KeyValueCache(
        LlamaConfig config,
        int capacity,
        int batch = 1,
        ScalarType type = ScalarType.Float32,
        Device? device = null,
        IReadOnlyList<int>? leftPadding = null)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        if (leftPadding is not null && (leftPadding.Count != batch || leftPadding.Any(count => count < 0)))
        {
            throw new ArgumentException($"One count from 0 up for each of the {batch} rows was expected.", nameof(leftPadding));
        }

        _config = config;
        Batch = batch;
        Capacity = capacity;
        LeftPadding = leftPadding is not null && leftPadding.Any(count => count > 0) ? [.. leftPadding] : null;
        _keys = [.. Enumerable.Range(0, config.Layers).Select(_ => Room(capacity, type, device))];
        _values = [.. Enumerable.Range(0, config.Layers).Select(_ => Room(capacity, type, device))];
    }

    /// <summary>Number of rows.</summary>
    public int Batch { get; }

    /// <summary>Tokens per row there is room for.</summary>
    public int Capacity { get; private set; }

    /// <summary>Tokens per row stored, padding included.</summary>
    public int Length { get; private set; }

    /// <summary>Padding tokens at the start of each row, or null when no row has any.</summary>
    public IReadOnlyList<int>? LeftPadding { get; }

    /// <summary>Makes room for at least this many tokens per row, keeping what is stored.</summary>
    public void Reserve(int capacity)
    {
        if (capacity <= Capacity)
        {
            return;
        }

        foreach (var store in new[] { _keys, _values })
        {
            for (var layer = 0; layer < store.Length; layer++)
            {
                using var scope = NewDisposeScope();
                using var noGrad = no_grad();
                var room = Room(capacity, store[layer].dtype, store[layer].device);
                room.narrow(2, 0, Length).copy_(store[layer].narrow(2, 0, Length));
                store[layer].Dispose();
                store[layer] = room;
            }
        }

        Capacity = capacity;
    }

    /// <summary>Forgets everything after the first <paramref name="length"/> tokens of each row: the shared start of two
    /// turns stays, the rest is read again.</summary>
    public void Truncate(int length)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 0);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length);
        Length = length;
    }

    /// <summary>Copies a row's keys or values of one layer out as plain numbers.</summary>
    /// <param name="layer">From 0.</param>
    /// <param name="row">From 0.</param>
    /// <param name="from">First token, from 0.</param>
    /// <param name="keys">[key/value heads, tokens, head size], row-major; the length gives the number of tokens.</param>
    /// <param name="values">As <paramref name="keys"/>.</param>
    public void CopyTo(int layer, int row, int from, Span<float> keys, Span<float> values)
    {
        CopyOut(_keys[layer], row, from, keys);
        CopyOut(_values[layer], row, from, values);
    }

    /// <summary>
    /// Stores plain numbers as a row's keys and values of one layer. Call for every layer and row, then
    /// <see cref="SetLength"/>.
    /// </summary>
    /// <param name="layer">From 0.</param>
    /// <param name="row">From 0.</param>
    /// <param name="from">First token, from 0.</param>
    /// <param name="keys">[key/value heads, tokens, head size], row-major, after rotation.</param>
    /// <param name="values">As <paramref name="keys"/>.</param>
    public void CopyFrom(int layer, int row, int from, ReadOnlySpan<float> keys, ReadOnlySpan<float> values)
    {
        CopyIn(_keys[layer], row, from, keys);
        CopyIn(_values[layer], row, from, values);
    }

    /// <summary>Declares how many tokens per row are stored, after <see cref="CopyFrom"/>.</summary>
    public void SetLength(int length)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 0);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Capacity);
        Length = length;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in _keys.Concat(_values))
        {
            tensor.Dispose();
        }
    }

    /// <summary>Stores a chunk's keys and values behind what is there; <see cref="SetLength"/> follows after the last layer.</summary>
    /// <param name="layer">From 0.</param>
    /// <param name="keys">[batch, key/value heads, seq, headSize], after rotation.</param>
    /// <param name="values">As <paramref name="keys"/>.</param>
    /// <param name="seq">Tokens in the chunk.</param>
    /// <returns>Views of everything stored, the chunk included, owned by the caller's dispose scope.</returns>
    internal (Tensor Keys, Tensor Values) Append(int layer, Tensor keys, Tensor values, int seq)
    {
        using var scope = NewDisposeScope();
        _keys[layer].narrow(2, Length, seq).copy_(keys);
        _values[layer].narrow(2, Length, seq).copy_(values);
        return (
            _keys[layer].narrow(2, 0, Length + seq).MoveToOuterDisposeScope(),
            _values[layer].narrow(2, 0, Length + seq).MoveToOuterDisposeScope());
    }

    private Tensor Room(int capacity, ScalarType type, Device? device) =>
        zeros([Batch, _config.KeyValueHeads, capacity, _config.HeadSize], type, device).DetachFromDisposeScope();

    private int TokensIn(int numbers, int from)
    {
        var tokens = numbers / (_config.KeyValueHeads * _config.HeadSize);
        if (numbers % (_config.KeyValueHeads * _config.HeadSize) != 0 || from < 0 || from + tokens > Capacity)
        {
            throw new ArgumentException(
                $"{numbers} numbers from token {from} do not fit: a token has {_config.KeyValueHeads} x {_config.HeadSize}, "
                + $"the capacity is {Capacity} tokens.");
        }

        return tokens;
    }

    private void CopyOut(Tensor store, int row, int from, Span<float> destination)
    {
        var tokens = TokensIn(destination.Length, from);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var part = store[row].narrow(1, from, tokens).to(ScalarType.Float32).cpu().contiguous();
        MemoryMarshal.Cast<byte, float>(part.bytes).CopyTo(destination);
    }

    private void CopyIn(Tensor store, int row, int from, ReadOnlySpan<float> source)
    {
        var tokens = TokensIn(source.Length, from);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var part = empty([_config.KeyValueHeads, tokens, _config.HeadSize]);
        source.CopyTo(MemoryMarshal.Cast<byte, float>(part.bytes));
        store[row].narrow(1, from, tokens).copy_(part);
    }
}
