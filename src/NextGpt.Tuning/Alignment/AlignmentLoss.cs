using System.Globalization;
using NextGpt.Tuning.Losses;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Alignment;

/// <summary>What a batch of rows costs: next tokens, and how far projected signals are from their gold captions.</summary>
/// <remarks>
/// Wu et al. 2023 (NExT-GPT), sections 4.2 and 5.1. A signal's states are the last hidden states at the positions whose input are
/// its tokens, plus those tokens' embeddings: what answering hands to the output projection. Positions count in the spliced row.
/// </remarks>
/// <param name="model">The network with its parts.</param>
/// <param name="stage">What counts how much.</param>
/// <param name="media">Features and gold captions; null where rows are words alone.</param>
internal sealed class AlignmentLoss(AlignmentModel model, AlignmentStage stage, ITrainingMedia? media) : IDisposable
{
    private readonly Tensor _sums = zeros(4, device: model.Language.Network.Device).DetachFromDisposeScope();

    /// <summary>The weighed sum of a batch.</summary>
    /// <param name="rows">The batch.</param>
    /// <returns>A scalar with gradients, owned by the caller's dispose scope.</returns>
    /// <exception cref="InvalidDataException">The batch has nothing that this stage learns from.</exception>
    public Tensor Of(IReadOnlyList<TrainingRow> rows)
    {
        using var scope = NewDisposeScope();
        var network = model.Language.Network;
        var length = rows.Max(row => row.Tokens.Count);
        var (tokens, labels) = Padded(rows, length);
        var embedded = WithMedia(network.Embed(tokens), rows, length);   // [batch, seq, hidden]

        // Padding stands behind: a causal network does not see it, and nothing of it is learnt.
        var hidden = network.call(embedded, null, null);                 // [batch, seq, hidden]
        var weights = tensor([.. rows.Select(row => (float)row.Weight)], device: network.Device);
        var parts = new List<Tensor>();
        if (stage.TextWeight > 0 && rows.Any(row => row.Labels.Skip(1).Any(label => label != NextTokenLoss.Unlabelled)))
        {
            var text = NextTokenLoss.MeanOfLabelled(hidden, labels, network.Head, weights);
            Note(0, text);
            parts.Add(text * stage.TextWeight);
        }

        if (stage.CaptionWeight > 0 && Captions(embedded, hidden, rows, length) is { } captions)
        {
            Note(2, captions);
            parts.Add(captions * stage.CaptionWeight);
        }

        return parts.Count == 0
            ? throw new InvalidDataException($"A batch of {rows.Count} rows has nothing that the stage {stage.Name} learns from; look at its samples.")
            : parts.Aggregate((sum, part) => sum + part).MoveToOuterDisposeScope();
    }

    /// <summary>The mean parts since the last call, for a person; reads from the device.</summary>
    public string ReadParts()
    {
        using var scope = NewDisposeScope();
        var sums = _sums.cpu().data<float>().ToArray();
        _sums.zero_();
        return string.Join(", ", new[] { ("next token", 0), ("caption distance", 2) }
            .Where(part => sums[part.Item2 + 1] > 0)
            .Select(part => string.Create(CultureInfo.InvariantCulture, $"{part.Item1} {sums[part.Item2] / sums[part.Item2 + 1]:0.0000}")));
    }

    public void Dispose() => _sums.Dispose();

    private (Tensor Tokens, Tensor Labels) Padded(IReadOnlyList<TrainingRow> rows, int length)
    {
        var (tokens, labels) = (new long[rows.Count * length], new long[rows.Count * length]);
        Array.Fill(tokens, model.Language.Tokenizer.PadToken);
        Array.Fill(labels, NextTokenLoss.Unlabelled);
        for (var row = 0; row < rows.Count; row++)
        {
            for (var at = 0; at < rows[row].Tokens.Count; at++)
            {
                tokens[(row * length) + at] = Math.Max(0, rows[row].Tokens[at]);   // a medium comes over it
                labels[(row * length) + at] = rows[row].Labels[at];
            }
        }

        var device = model.Language.Network.Device;
        return (tensor(tokens, [rows.Count, length], device: device), tensor(labels, [rows.Count, length], device: device));
    }

    private Tensor WithMedia(Tensor embedded, IReadOnlyList<TrainingRow> rows, int length)
    {
        var shown = rows.SelectMany((row, index) => row.Media.Select(medium => (Row: index, Medium: medium))).ToList();
        if (shown.Count == 0)
        {
            return embedded;
        }

        if (media is null || model.Input is null)
        {
            throw new InvalidDataException("A row shows a medium, and there is no encoder with an input projection; name one with --encoder.");
        }

        var (features, device) = (media.Features([.. shown.Select(entry => entry.Medium.Recipe)]), embedded.device);
        var width = model.Input.FeatureSize;
        var positions = features[0].Length / width;
        // Copied, because managed memory lies anywhere, and matrix products round otherwise where it lies otherwise.
        var given = tensor(features.SelectMany(values => values).ToArray(), [shown.Count, positions, width]).clone().to(device);
        var projected = model.Input.call(given);   // [shown, tokens, hidden]
        if (projected.shape[1] != shown[0].Medium.Count)
        {
            throw new InvalidDataException($"The input projection gives {projected.shape[1]} positions of a medium, rows have {shown[0].Medium.Count}.");
        }

        var places = shown.SelectMany(entry => Enumerable.Range(0, entry.Medium.Count).Select(at => ((long)entry.Row * length) + entry.Medium.Position + at));
        return embedded.reshape(-1, embedded.shape[2])
            .index_copy(0, tensor(places.ToArray(), device: device), projected.reshape(-1, projected.shape[2]).to(embedded.dtype))
            .view(embedded.shape);
    }

    /// <returns>A scalar, or null where no row has a signal.</returns>
    private Tensor? Captions(Tensor embedded, Tensor hidden, IReadOnlyList<TrainingRow> rows, int length)
    {
        var (sums, total) = (new List<Tensor>(), 0.0);
        var spoken = rows.SelectMany((row, index) => row.Signals.Select(signal => (Row: index, Signal: signal)));
        foreach (var kind in spoken.Where(entry => model.Outputs.ContainsKey(entry.Signal.Kind)).GroupBy(entry => entry.Signal.Kind).OrderBy(kind => kind.Key))
        {
            var entries = kind.ToList();
            var projection = model.Outputs[kind.Key];
            var span = entries[0].Signal.Length;
            var places = tensor(
                entries.SelectMany(entry => Enumerable.Range(0, span).Select(at => ((long)entry.Row * length) + entry.Signal.Start + at)).ToArray(),
                device: hidden.device);
            var width = hidden.shape[2];
            Tensor At(Tensor states) => states.reshape(-1, width).index_select(0, places).view(entries.Count, span, width).to(ScalarType.Float32);
            var projected = projection.call(At(hidden) + At(embedded));   // [spans, queries, out]
            var golds = (media ?? throw new InvalidDataException("A row speaks a signal, and no decoder says what its caption means."))
                .Golds(kind.Key, [.. entries.Select(entry => entry.Signal.Caption)]);
            var wanted = tensor(golds.SelectMany(values => values).ToArray(), projected.shape).clone().to(hidden.device);
            var weights = entries.Select(entry => (float)rows[entry.Row].Weight).ToArray();
            sums.Add((CaptionAlignmentLoss.PerSpan(projected, wanted) * tensor(weights, device: hidden.device)).sum()
                * stage.KindWeights.GetValueOrDefault(kind.Key, 1));
            total += weights.Sum();
        }

        return sums.Count == 0 ? null : sums.Aggregate((sum, part) => sum + part) / Math.Max(1e-12, total);
    }

    private void Note(int at, Tensor value)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        _sums.narrow(0, at, 1).add_(value.detach());
        _sums.narrow(0, at + 1, 1).add_(1);
    }
}
