using NextGpt.Model.Decoders.Enlarging;
using NextGpt.Tuning.Pictures;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Enlarging;

/// <summary>Compares a network with interpolation on drawings that were kept back, and lays the pictures side by side.</summary>
/// <param name="wanted">[count, 3, size, size] float, 0..1: as they were drawn large; owned by the caller.</param>
/// <param name="factor">How many times smaller the input is.</param>
/// <param name="decode">Passes small pictures through the autoencoder, [batch, 3, height, width] float, 0..1; null where there is none.</param>
internal sealed class EnlargingJudge(Tensor wanted, int factor, Func<Tensor, Tensor>? decode)
{
    /// <summary>The way of the network, as scores call it.</summary>
    internal const string Network = "network";

    /// <summary>The small drawing itself, as scores call it.</summary>
    internal const string Drawn = "drawn";

    /// <summary>What the autoencoder makes of the small drawing, as scores call it.</summary>
    internal const string Decoded = "decoded";

    private const int Shown = 12;

    /// <summary>Measures bicubic, Lanczos and the network, each on drawn and on decoded pictures.</summary>
    /// <param name="network">The network.</param>
    /// <param name="sheet">Gets rows of: input with large pixels, bicubic, network, as drawn. Null writes none.</param>
    internal IReadOnlyList<EnlargingScore> Judge(PictureEnlarger network, string? sheet)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var scores = new List<EnlargingScore>();
        var drawn = nn.functional.avg_pool2d(wanted, factor);
        var inputs = decode is null ? [(Drawn, drawn)] : new[] { (Drawn, drawn), (Decoded, InParts(drawn, decode)) };
        foreach (var (name, small) in inputs)
        {
            var bicubic = InParts(small, part => PlainEnlarging.Bicubic(part, factor));
            var own = InParts(small, network.call);
            scores.Add(EnlargingScore.Of("bicubic", name, bicubic, wanted));
            scores.Add(EnlargingScore.Of("Lanczos", name, InParts(small, part => PlainEnlarging.Lanczos(part, factor)), wanted));
            scores.Add(EnlargingScore.Of(Network, name, own, wanted));
            if (sheet is not null && name == inputs[^1].Item1)
            {
                var count = Math.Min(Shown, wanted.shape[0]);
                var squares = nn.functional.interpolate(small, scale_factor: [factor, factor], mode: InterpolationMode.Nearest);
                var rows = stack([.. new[] { squares, bicubic, own, wanted }.Select(part => part.narrow(0, 0, count))], 1);
                ContactSheet.Write(sheet, rows.flatten(0, 1), 4);
            }
        }

        return scores;
    }

    private static Tensor InParts(Tensor pictures, Func<Tensor, Tensor> make)
    {
        using var scope = NewDisposeScope();
        var parts = pictures.split(16).Select(part =>
        {
            using var inner = NewDisposeScope();
            return make(part).clamp(0, 1).alias().MoveToOuterDisposeScope();
        });
        return cat([.. parts]).MoveToOuterDisposeScope();
    }
}
