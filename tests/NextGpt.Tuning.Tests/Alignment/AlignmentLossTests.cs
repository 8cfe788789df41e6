using NextGpt.Media;
using NextGpt.Tuning.Alignment;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Tests.Alignment;

public sealed class AlignmentLossTests : IDisposable
{
    private readonly TinyStage _stage = new();

    [Fact]
    public void A_signal_behind_a_medium_is_projected_from_its_own_spliced_positions()
    {
        using var scope = NewDisposeScope();
        using var media = _stage.Media();
        using var language = _stage.Language();
        var stage = TinyStage.Instruction with { TextWeight = 0 };
        using var model = _stage.Model(language, media, stage);
        using var loss = new AlignmentLoss(model, stage, media);
        var writer = new RowWriter(language, model.Signals);
        var row = writer.Write(TinyStage.Mixture.ForTraining(0, "picture to video"));
        var other = writer.Write(TinyStage.Mixture.ForTraining(1, "everyday talk")) with { Weight = 3 };

        // By hand, alone and without padding, one position after the other.
        var (network, signal, medium) = (language.Network, row.Signals[0], row.Media[0]);
        using var noGradient = no_grad();
        var before = network.Embed([.. row.Tokens.Take(medium.Position)]);
        var shown = model.Input!.call(tensor(media.Features([medium.Recipe])[0]).view(1, 1, -1));
        var behind = network.Embed([.. row.Tokens.Skip(medium.Position + 1)]);
        var whole = cat([before, shown, behind], 1);
        var hidden = network.call(whole, null, null);
        var states = cat([.. Enumerable.Range(signal.Start, signal.Length).Select(at => hidden.narrow(1, at, 1) + whole.narrow(1, at, 1))], 1);
        var projected = model.Outputs[MediaKind.Video].call(states);
        var gold = tensor(media.Golds(MediaKind.Video, [signal.Caption])[0]).view(projected.shape);
        var wanted = (projected - gold).square().sum(-1).sqrt().mean().item<float>();

        Assert.Equal(wanted, loss.Of([row]).item<float>(), 1e-4f);
        Assert.Equal(wanted, loss.Of([row with { Weight = 0.5 }, other]).item<float>(), 1e-4f);
        Assert.Equal(wanted * 2, new AlignmentLoss(model, stage with { KindWeights = new Dictionary<MediaKind, double> { [MediaKind.Video] = 2 } }, media).Of([row]).item<float>(), 1e-4f);
    }

    [Fact]
    public void A_row_that_weighs_nothing_teaches_nothing_and_one_of_weight_two_counts_twice()
    {
        using var scope = NewDisposeScope();
        var (hidden, head) = (randn(2, 5, 8), randn(11, 8));
        var labels = tensor(new long[] { -100, 3, -100, 7, 1, -100, -100, -100, 10, 0 }, [2, 5]);
        float Of(params float[] weights) =>
            NextTokenLoss.MeanOfLabelled(hidden, labels, rows => rows.matmul(head.t()), tensor(weights)).item<float>();

        Assert.Equal(NextTokenLoss.Mean(hidden.matmul(head.t()), labels, tensor(new[] { 2f, 1f })).item<float>(), Of(2, 1), 1e-5f);
        Assert.Equal(NextTokenLoss.MeanOfLabelled(hidden, labels, rows => rows.matmul(head.t())).item<float>(), Of(1, 1), 1e-5f);
        Assert.NotEqual(Of(1, 0), Of(0, 1));
    }

    [Fact]
    public void Batches_are_neighbours_by_length_and_follow_from_seed_and_step_alone()
    {
        var plan = new BatchPlan(new Lengths(), 4, seed: 9, batches: 4);
        var again = new BatchPlan(new Lengths(), 4, seed: 9, batches: 4);
        var forward = Enumerable.Range(0, 12).Select(step => plan.Rows(step).Select(row => row.Tokens.Count).ToArray()).ToList();

        Assert.Equal(forward[6], again.Rows(6).Select(row => row.Tokens.Count));   // a resumed run goes straight there
        Assert.Equal(
            Enumerable.Range(0, 48).Select(place => new Lengths().At(place).Tokens.Count).Order(), forward.SelectMany(lengths => lengths).Order());
        var padded = forward.Sum(lengths => lengths.Max() * 4);
        Assert.True(padded < 1.35 * forward.Sum(lengths => lengths.Sum()), $"{padded} positions for {forward.Sum(lengths => lengths.Sum())} tokens.");
        Assert.NotEqual(forward.Take(4).Select(lengths => lengths.Max()).Order(), forward.Take(4).Select(lengths => lengths.Max()));
    }

    public void Dispose() => _stage.Dispose();

    private sealed class Lengths : IRowSource
    {
        public TrainingRow At(long place) => new() { Tokens = new int[10 + new Random((int)place).Next(90)], Labels = [] };
    }
}
