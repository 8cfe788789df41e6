using System.Runtime.InteropServices;

namespace NextGpt.Model.Language.Quantized;

/// <summary>
/// Runs a packed LLaMA network on the CPU: one token of a reply, many of a prompt, or one each of several sequences.
/// </summary>
/// <remarks>
/// <para>Touvron et al. 2023, section 2.2, with int8 activations between the matrix products (32 to a scale).</para>
/// <para>A token's result depends on nothing but the tokens before it in its sequence: neither on the number of threads,
/// nor on the instruction set, nor on what is computed beside it. Steps allocate nothing. Not thread-safe: one caller at a
/// time. The helpers sleep between calls, so the cores are free for libtorch.</para>
/// </remarks>
internal sealed unsafe class QuantizedDecoder : ITeamWork, IDisposable
{
    /// <summary>Tokens computed side by side; longer prompts go in several passes.</summary>
    public const int MostRows = 128;

    private const int Tile = 4;
    private const int PanelRows = PanelMatrix.PanelRows;

    private readonly QuantizedLlama _model;
    private readonly LlamaConfig _config;
    private readonly PanelKernels _kernels;
    private readonly WorkerTeam _team;
    private readonly Activations _shared;
    private readonly Activations[] _private;
    private readonly QuantizedAttention[] _attentions;
    private readonly double[] _frequencies;
    private readonly int _queryRows;
    private readonly int _keyRows;
    private readonly int _innerStride;

    private readonly float* _memory;
    private readonly float* _stream;      // [rows, hidden]
    private readonly float* _projected;   // [rows, query + 2 key/value]
    private readonly float* _mixed;       // [rows, query]
    private readonly float* _inner;       // [rows, inner]
    private readonly float* _cosine;      // [rows, head / 2]
    private readonly float* _sine;        // [rows, head / 2]
    private readonly float* _normed;      // [threads, widest]
    private readonly int _widest;

    private readonly QuantizedKeyValueCache[] _caches = new QuantizedKeyValueCache[MostRows];
    private readonly int[] _positions = new int[MostRows];
    private int _rows;
    private int _firstOutput;
    private float* _logits;
    private float* _hidden;

    /// <summary>Takes scratch memory and starts the helper threads.</summary>
    /// <param name="model">The weights; must outlive the decoder.</param>
    /// <param name="threads">Threads in all, at least 1.</param>
    /// <param name="path">Instructions to use; null takes the best of this machine.</param>
    public QuantizedDecoder(QuantizedLlama model, int threads, KernelPath? path = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        _model = model;
        _config = model.Config;
        _kernels = PanelKernels.Of(path ?? PanelKernels.Best);
        _queryRows = _config.QueryHeads * _config.HeadSize;
        _keyRows = _config.KeyValueHeads * _config.HeadSize;
        _innerStride = (_config.IntermediateSize + PanelRows - 1) / PanelRows * PanelRows;
        _widest = Math.Max(_innerStride, Math.Max(_config.HiddenSize, _queryRows));
        _widest = (_widest + PanelRows - 1) / PanelRows * PanelRows;
        _frequencies = Frequencies(_config);

        var half = _config.HeadSize / 2;
        var projected = _queryRows + (2 * _keyRows);
        var perRow = _config.HiddenSize + projected + _queryRows + _innerStride + (2 * half);
        _memory = (float*)NativeMemory.AlignedAlloc((nuint)(((long)perRow * MostRows) + ((long)_widest * threads)) * sizeof(float), 64);
        _stream = _memory;
        _projected = _stream + ((long)MostRows * _config.HiddenSize);
        _mixed = _projected + ((long)MostRows * projected);
        _inner = _mixed + ((long)MostRows * _queryRows);
        _cosine = _inner + ((long)MostRows * _innerStride);
        _sine = _cosine + ((long)MostRows * half);
        _normed = _sine + ((long)MostRows * half);

        var plain = model.Head.NeedsPlain || model.Layers.Any(
            layer => layer.QueryKeyValue.NeedsPlain || layer.Output.NeedsPlain || layer.GateUp.NeedsPlain || layer.Down.NeedsPlain);
        _shared = new Activations(MostRows, _widest, plain);
        _private = [.. Enumerable.Range(0, threads).Select(_ => new Activations(1, _widest, plain))];
        _attentions = [.. Enumerable.Range(0, threads).Select(_ => new QuantizedAttention(_config.HeadSize))];
        _team = new WorkerTeam(threads);
    }

    /// <summary>The network's numbers.</summary>
    public LlamaConfig Config => _config;

    /// <summary>Threads in all.</summary>
    public int Threads => _team.Threads;

    /// <summary>Which instructions the products use.</summary>
    public KernelPath Path => _kernels.Path;

    /// <summary>A cache for one sequence of this network.</summary>
    /// <param name="capacity">Longest sequence, in tokens.</param>
    public QuantizedKeyValueCache NewCache(int capacity) => new(_config, capacity);

    /// <summary>The embedding of a token.</summary>
    /// <param name="token">Its id.</param>
    /// <param name="destination">[hidden]</param>
    public void Embed(int token, Span<float> destination)
    {
        CheckToken(token);
        if (destination.Length != _config.HiddenSize)
        {
            throw new ArgumentException($"An embedding has {_config.HiddenSize} elements; the destination has {destination.Length}.");
        }

        fixed (float* target = destination)
        {
            _model.Embedding.ReadRow(token, target);
        }
    }

    /// <summary>Continues a sequence by tokens.</summary>
    /// <param name="cache">The sequence; grows by the tokens.</param>
    /// <param name="tokens">One or more ids.</param>
    /// <param name="logits">[outputs, vocab] of the last positions, as many as fit; empty for none.</param>
    /// <param name="hidden">[outputs, hidden] after the final norm of the same positions; empty for none.</param>
    /// <exception cref="ArgumentException">A size does not fit, or the cache is too short.</exception>
    public void Run(QuantizedKeyValueCache cache, ReadOnlySpan<int> tokens, Span<float> logits, Span<float> hidden)
    {
        CheckRoom(cache, tokens.Length);
        foreach (var token in tokens)
        {
            CheckToken(token);
        }

        var outputs = Outputs(tokens.Length, logits.Length, hidden.Length);
        fixed (float* logitsStart = logits, hiddenStart = hidden)
        {
            for (var first = 0; first < tokens.Length; first += MostRows)
            {
                var rows = Math.Min(MostRows, tokens.Length - first);
                for (var row = 0; row < rows; row++)
                {
                    _model.Embedding.ReadRow(tokens[first + row], _stream + ((long)row * _config.HiddenSize));
                }

                Continue(cache, rows, first - (tokens.Length - outputs), logitsStart, hiddenStart);
            }
        }
    }

    /// <summary>Continues a sequence by embeddings (projected media among tokens).</summary>
    /// <param name="cache">The sequence; grows by the positions.</param>
    /// <param name="embeddings">[positions, hidden]</param>
    /// <param name="logits">[outputs, vocab] of the last positions, as many as fit; empty for none.</param>
    /// <param name="hidden">[outputs, hidden] after the final norm of the same positions; empty for none.</param>
    /// <exception cref="ArgumentException">A size does not fit, or the cache is too short.</exception>
    public void RunEmbeddings(
        QuantizedKeyValueCache cache, ReadOnlySpan<float> embeddings, Span<float> logits, Span<float> hidden)
    {
        var width = _config.HiddenSize;
        if (embeddings.Length % width != 0)
        {
            throw new ArgumentException($"Embeddings have {width} elements each; {embeddings.Length} is not a multiple of that.");
        }

        var count = embeddings.Length / width;
        CheckRoom(cache, count);
        var outputs = Outputs(count, logits.Length, hidden.Length);
        fixed (float* logitsStart = logits, hiddenStart = hidden)
        {
            for (var first = 0; first < count; first += MostRows)
            {
                var rows = Math.Min(MostRows, count - first);
                embeddings.Slice(first * width, rows * width).CopyTo(new Span<float>(_stream, rows * width));
                Continue(cache, rows, first - (count - outputs), logitsStart, hiddenStart);
            }
        }
    }

    /// <summary>Continues several sequences by one token each; the weights are read once for all of them.</summary>
    /// <param name="caches">Different sequences, at most <see cref="MostRows"/>.</param>
    /// <param name="tokens">One id for each.</param>
    /// <param name="logits">[sequences, vocab]; empty for none.</param>
    /// <param name="hidden">[sequences, hidden] after the final norm; empty for none.</param>
    /// <exception cref="ArgumentException">A size does not fit, or a cache is full.</exception>
    public void RunBatch(
        ReadOnlySpan<QuantizedKeyValueCache> caches, ReadOnlySpan<int> tokens, Span<float> logits, Span<float> hidden)
    {
        if (caches.Length != tokens.Length || caches.Length is 0 or > MostRows)
        {
            throw new ArgumentException($"1 to {MostRows} sequences with one token each; got {caches.Length} and {tokens.Length}.");
        }

        for (var row = 0; row < tokens.Length; row++)
        {
            CheckToken(tokens[row]);
            CheckRoom(caches[row], 1);
            if (caches[..row].Contains(caches[row]))
            {
                throw new ArgumentException("A sequence may stand in a batch once.");
            }
        }

        Outputs(tokens.Length, logits.Length, hidden.Length);
        fixed (float* logitsStart = logits, hiddenStart = hidden)
        {
            for (var row = 0; row < tokens.Length; row++)
            {
                _model.Embedding.ReadRow(tokens[row], _stream + ((long)row * _config.HiddenSize));
                Place(row, caches[row], caches[row].Length);
            }

            Pass(tokens.Length, 0, logitsStart, hiddenStart);
        }

        foreach (var cache in caches)
        {
            cache.SetLength(cache.Length + 1);
        }
    }

    /// <summary>One thread's part of a pass.</summary>
    void ITeamWork.Do(int part)
    {
        // A single token is normed and quantised by every thread for itself: that is quicker than waiting for another.
        var single = _rows == 1;
        var activations = single ? _private[part] : _shared;
        var (from, to) = single ? (0, 1) : _team.Share(part, _rows);
        var normed = _normed + ((long)part * _widest);
        var hidden = _config.HiddenSize;
        var projected = _queryRows + (2 * _keyRows);
        for (var index = 0; index < _config.Layers; index++)
        {
            var layer = _model.Layers[index];

            // 1. query, key, value
            Norm(layer.AttentionNorm);
            Multiply(layer.QueryKeyValue, activations, part, _projected, projected, layer.QueryKeyValueBias, add: false);
            _team.Meet();

            // 2. positions; keys and values into the cache
            Turn(index, part);
            _team.Meet();

            // 3. attention
            Attend(index, part);
            _team.Meet();
            Quantise(_mixed, _queryRows, _queryRows);
            Multiply(layer.Output, activations, part, _stream, hidden, null, add: true);
            _team.Meet();

            // 4. feed-forward
            Norm(layer.FeedForwardNorm);
            Gate(layer.GateUp, activations, part);
            _team.Meet();
            Quantise(_inner, _innerStride, _config.IntermediateSize);
            Multiply(layer.Down, activations, part, _stream, hidden, null, add: true);
            _team.Meet();
        }

        Finish(part, normed);

        void Norm(float* weight)
        {
            for (var row = from; row < to; row++)
            {
                VectorMath.Norm(_stream + ((long)row * hidden), weight, hidden, (float)_config.NormEpsilon, normed);
                activations.Set(row, normed, hidden);
            }

            MeetUnlessSingle();
        }

        void Quantise(float* source, int stride, int columns)
        {
            for (var row = from; row < to; row++)
            {
                activations.Set(row, source + ((long)row * stride), columns);
            }

            MeetUnlessSingle();
        }

        void MeetUnlessSingle()
        {
            if (!single)
            {
                _team.Meet();
            }
        }
    }

    /// <summary>Stops the helpers and frees scratch memory; the weights stay.</summary>
    public void Dispose()
    {
        _team.Dispose();
        _shared.Dispose();
        foreach (var activations in _private)
        {
            activations.Dispose();
        }

        foreach (var attention in _attentions)
        {
            attention.Dispose();
        }

        NativeMemory.AlignedFree(_memory);
    }

    private static double[] Frequencies(LlamaConfig config)
    {
        var frequencies = new double[config.HeadSize / 2];
        for (var index = 0; index < frequencies.Length; index++)
        {
            var plain = 1 / Math.Pow(config.RopeBase, 2.0 * index / config.HeadSize);
            var wavelength = 2 * Math.PI / plain;
            var smooth = ((config.RopeTrainedLength / wavelength) - config.RopeLowFrequencyFactor)
                / (config.RopeHighFrequencyFactor - config.RopeLowFrequencyFactor);
            frequencies[index] = config.RopeScaling switch
            {
                RopeScaling.Linear => plain / config.RopeFactor,
                RopeScaling.Llama3 => double.Lerp(plain / config.RopeFactor, plain, Math.Clamp(smooth, 0, 1)),
                _ => plain,
            };
        }

        return frequencies;
    }

    private void Continue(QuantizedKeyValueCache cache, int rows, int firstOutput, float* logits, float* hidden)
    {
        for (var row = 0; row < rows; row++)
        {
            Place(row, cache, cache.Length + row);
        }

        // Output i of the call belongs to row i - firstOutput of this pass.
        var skip = Math.Max(0, firstOutput);
        Pass(
            rows,
            Math.Min(rows, Math.Max(0, -firstOutput)),
            logits is null ? null : logits + ((long)skip * _config.VocabularySize),
            hidden is null ? null : hidden + ((long)skip * _config.HiddenSize));
        cache.SetLength(cache.Length + rows);
    }

    private void Place(int row, QuantizedKeyValueCache cache, int position)
    {
        _caches[row] = cache;
        _positions[row] = position;
        var half = _config.HeadSize / 2;
        for (var index = 0; index < half; index++)
        {
            // The reference multiplies in float32.
            var angle = (double)((float)_frequencies[index] * position);
            var (sine, cosine) = Math.SinCos(angle);
            _cosine[(row * half) + index] = (float)cosine;
            _sine[(row * half) + index] = (float)sine;
        }

        foreach (var attention in _attentions)
        {
            attention.Reserve(cache.Capacity);
        }
    }

    private void Pass(int rows, int firstOutput, float* logits, float* hidden)
    {
        _rows = rows;
        _firstOutput = logits is null && hidden is null ? rows : firstOutput;
        _logits = logits;
        _hidden = hidden;
        try
        {
            _team.Run(this);
        }
        finally
        {
            Array.Clear(_caches, 0, rows);
        }
    }

    /// <summary>Products of this thread's panels with every row.</summary>
    private void Multiply(
        PanelMatrix matrix, Activations activations, int part, float* destination, int stride, float* bias, bool add)
    {
        var (from, to) = _team.Share(part, matrix.Panels);
        var result = stackalloc float[Tile * PanelRows];
        for (var panel = from; panel < to; panel++)
        {
            var column = panel * PanelRows;
            var width = Math.Min(PanelRows, matrix.Rows - column);
            for (var first = 0; first < _rows; first += Tile)
            {
                var count = Math.Min(Tile, _rows - first);
                matrix.Multiply(_kernels, panel, activations, first, count, result);
                for (var row = 0; row < count; row++)
                {
                    var values = result + (row * PanelRows);
                    var target = destination + ((long)(first + row) * stride) + column;
                    for (var lane = 0; lane < width; lane++)
                    {
                        var value = bias is null ? values[lane] : values[lane] + bias[column + lane];
                        target[lane] = add ? target[lane] + value : value;
                    }
                }
            }
        }
    }

    /// <summary>The feed-forward gate: panels of gate and up lie in turns and meet here.</summary>
    private void Gate(PanelMatrix matrix, Activations activations, int part)
    {
        var (from, to) = _team.Share(part, matrix.Panels / 2);
        var gate = stackalloc float[Tile * PanelRows];
        var up = stackalloc float[Tile * PanelRows];
        for (var pair = from; pair < to; pair++)
        {
            for (var first = 0; first < _rows; first += Tile)
            {
                var count = Math.Min(Tile, _rows - first);
                matrix.Multiply(_kernels, 2 * pair, activations, first, count, gate);
                matrix.Multiply(_kernels, (2 * pair) + 1, activations, first, count, up);
                for (var row = 0; row < count; row++)
                {
                    VectorMath.SwiGlu(
                        gate + (row * PanelRows),
                        up + (row * PanelRows),
                        _inner + ((long)(first + row) * _innerStride) + (pair * PanelRows));
                }
            }
        }
    }

    /// <summary>Rotary positions of queries and keys; keys and values go into the cache.</summary>
    private void Turn(int layer, int part)
    {
        var heads = _config.KeyValueHeads;
        var group = _config.QueryHeads / heads;
        var (size, half) = (_config.HeadSize, _config.HeadSize / 2);
        var (from, to) = _team.Share(part, _rows * heads);
        for (var item = from; item < to; item++)
        {
            var (row, head) = (item / heads, item % heads);
            var start = _projected + ((long)row * (_queryRows + (2 * _keyRows)));
            var cosine = _cosine + ((long)row * half);
            var sine = _sine + ((long)row * half);
            for (var query = head * group; query < (head + 1) * group; query++)
            {
                VectorMath.Rotate(start + (query * size), cosine, sine, half);
            }

            var key = start + _queryRows + (head * size);
            VectorMath.Rotate(key, cosine, sine, half);
            _caches[row].Write(layer, head, _positions[row], key, key + _keyRows);
        }
    }

    /// <summary>Attention of every query head of every row, in tiles that share keys.</summary>
    private void Attend(int layer, int part)
    {
        var heads = _config.KeyValueHeads;
        var group = _config.QueryHeads / heads;
        var size = _config.HeadSize;
        var projected = _queryRows + (2 * _keyRows);
        var queries = stackalloc float*[Tile];
        var results = stackalloc float*[Tile];
        var lengths = stackalloc int[Tile];
        var item = 0;
        for (var first = 0; first < _rows;)
        {
            var end = first + 1;
            while (end < _rows && _caches[end] == _caches[first])
            {
                end++;
            }

            var all = (end - first) * group;
            for (var head = 0; head < heads; head++)
            {
                for (var tile = 0; tile < all; tile += Tile)
                {
                    if (item++ % _team.Threads != part)
                    {
                        continue;
                    }

                    var count = Math.Min(Tile, all - tile);
                    for (var query = 0; query < count; query++)
                    {
                        var row = first + ((tile + query) / group);
                        var offset = ((head * group) + ((tile + query) % group)) * size;
                        queries[query] = _projected + ((long)row * projected) + offset;
                        results[query] = _mixed + ((long)row * _queryRows) + offset;
                        lengths[query] = _positions[row] + 1;
                    }

                    _attentions[part].Compute(_caches[first], layer, head, count, queries, lengths, results);
                }
            }

            first = end;
        }
    }

    /// <summary>Final norm and head of the rows somebody asked for.</summary>
    private void Finish(int part, float* normed)
    {
        var outputs = _rows - _firstOutput;
        if (outputs == 0)
        {
            return;
        }

        var single = outputs == 1;
        var activations = single ? _private[part] : _shared;
        var (from, to) = single ? (0, 1) : _team.Share(part, outputs);
        var width = _config.HiddenSize;
        for (var output = from; output < to; output++)
        {
            var row = _stream + ((long)(_firstOutput + output) * width);
            VectorMath.Norm(row, _model.FinalNorm, width, (float)_config.NormEpsilon, normed);
            activations.Set(output, normed, width);
            if (_hidden is not null && (part == 0 || !single))
            {
                new ReadOnlySpan<float>(normed, width).CopyTo(new Span<float>(_hidden + ((long)output * width), width));
            }
        }

        if (!single)
        {
            _team.Meet();
        }

        if (_logits is null)
        {
            return;
        }

        var matrix = _model.Head;
        var vocabulary = _config.VocabularySize;
        var result = stackalloc float[Tile * PanelRows];
        (from, to) = _team.Share(part, matrix.Panels);
        for (var panel = from; panel < to; panel++)
        {
            var column = panel * PanelRows;
            var lanes = Math.Min(PanelRows, vocabulary - column);
            for (var first = 0; first < outputs; first += Tile)
            {
                var count = Math.Min(Tile, outputs - first);
                matrix.Multiply(_kernels, panel, activations, first, count, result);
                for (var output = 0; output < count; output++)
                {
                    new ReadOnlySpan<float>(result + (output * PanelRows), lanes)
                        .CopyTo(new Span<float>(_logits + ((long)(first + output) * vocabulary) + column, lanes));
                }
            }
        }
    }

    private int Outputs(int positions, int logits, int hidden)
    {
        var outputs = logits > 0 ? logits / _config.VocabularySize : hidden / _config.HiddenSize;
        return (logits == 0 || logits == outputs * _config.VocabularySize)
            && (hidden == 0 || hidden == outputs * _config.HiddenSize)
            && outputs <= positions
            ? outputs
            : throw new ArgumentException(
                $"Logits ({logits}) must be a multiple of {_config.VocabularySize} and hidden ({hidden}) the same multiple of " +
                $"{_config.HiddenSize}, for at most {positions} positions.");
    }

    private void CheckToken(int token)
    {
        if ((uint)token >= (uint)_config.VocabularySize)
        {
            throw new ArgumentOutOfRangeException(
                nameof(token), token, $"A token id must be 0 to {_config.VocabularySize - 1}.");
        }
    }

    private static void CheckRoom(QuantizedKeyValueCache cache, int positions)
    {
        ArgumentNullException.ThrowIfNull(cache);
        if (positions < 1 || positions > cache.Capacity - cache.Length)
        {
            throw new ArgumentException(
                $"{positions} positions do not fit after {cache.Length} of {cache.Capacity}; give 1 or more, and a cache with room.");
        }
    }
}
