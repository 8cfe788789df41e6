using System.Text.Json;
using NextGpt.Media;
using NextGpt.Model.Decoders.Schedulers;
using NextGpt.Model.Decoders.StableDiffusion;
using NextGpt.Model.Projections;
using NextGpt.Model.Tests;
using NextGpt.Model.Weights;
using NextGpt.Tuning.Losses;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Tests.Losses;

/// <summary>The losses of NExT-GPT's second stage, compared with what its own functions compute (golden <c>nextgpt_image_loss</c>).</summary>
public sealed class NextGptLossTests
{
    private static readonly IReadOnlyDictionary<MediaKind, IReadOnlyList<int>> Signals =
        new Dictionary<MediaKind, IReadOnlyList<int>> { [MediaKind.Image] = [5, 6], [MediaKind.Audio] = [8, 9, 10] };

    [Fact]
    public void Caption_and_denoising_loss_and_the_gradients_of_both_equal_the_reference()
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenFixture.Open("nextgpt_image_loss");
        using var projection = new OutputProjection(new OutputProjectionConfig
        {
            InputSize = 24,
            OutputSize = 16,
            Queries = 7,
            HiddenSize = 32,
            IntermediateSize = (int)golden.Model.Tensors["projector.tfm.encoder.layers.0.linear1.weight"].Shape[0],
        });
        CheckpointLoader.Fill(projection, golden.Model, name => Below(name, "projector."));
        using var unet = UNetOf(golden);
        var schedule = new NoiseSchedule(SchedulerConfig.Parse(golden.Config.GetProperty("scheduler").GetRawText(), "scheduler"));
        var signalLeft = schedule.SignalTable(CPU).index_select(0, golden.Tensor("in.timesteps"));

        // 1. the states of each span, found in the labels
        var tokens = golden.Integers("in.signal_token_ids").Select(id => (int)id).ToArray();
        var spans = new SignalSpans(new Dictionary<MediaKind, IReadOnlyList<int>> { [MediaKind.Image] = tokens }, separator: 7)
            .Find(golden.Integers("in.labels"), seq: 12);
        Assert.Equal([0, 1], spans.Select(span => span.Row));
        var (hidden, embedding, labels) = (golden.Tensor("in.hidden_states"), golden.Tensor("in.embed_tokens"), golden.Tensor("in.labels"));
        var states = cat([.. spans.Select(span => hidden[span.Row].narrow(0, span.Start, span.Length).unsqueeze(0)
            + embedding.index_select(0, labels[span.Row].narrow(0, span.Start, span.Length)).unsqueeze(0))], 0);
        var projected = projection.call(states);
        golden.Record("mid.projected", projected);

        // 2. both losses
        var caption = CaptionAlignmentLoss.Mean(projected, golden.Tensor("in.caption_embeddings"));
        var latent = golden.Tensor("in.latent_mean") * golden.Config.GetProperty("vae_scaling_factor").GetDouble();
        var noisy = NoiseSchedule.AddNoise(latent, golden.Tensor("in.noise"), signalLeft);
        golden.Record("mid.noisy_latents", noisy);
        var predicted = unet.call(noisy, golden.Tensor("in.timesteps").to(ScalarType.Float32), projected, null);
        golden.Record("mid.model_pred", predicted);
        var target = DenoisingLoss.Target(latent, golden.Tensor("in.noise"), signalLeft, PredictionKind.Epsilon);
        golden.Record("mid.mse_per_sample", DenoisingLoss.PerSample(predicted, target));
        golden.Record("mid.snr_weight", DenoisingLoss.Weights(signalLeft, PredictionKind.Epsilon));
        var intended = DenoisingLoss.Mean(predicted, target, signalLeft);
        var repository = DenoisingLoss.Mean(predicted, target, signalLeft, rule: SnrRule.Repository);

        golden.AssertClose("out.caption_loss", caption);
        golden.AssertClose("out.gen_loss_min_snr_intended", intended);
        golden.AssertClose("out.gen_loss_repository", repository);
        golden.AssertClose("out.total_repository", caption + repository);

        // 3. what they would change
        (caption + repository).backward();
        var compared = 0;
        foreach (var (name, parameter) in projection.named_parameters().Where(named => golden.Io.Tensors.ContainsKey($"out.grad.{named.name}")))
        {
            golden.AssertClose($"out.grad.{name}", parameter.grad!);
            compared++;
        }

        Assert.Equal(6, compared);
        Assert.All(unet.parameters(), parameter => Assert.Null(parameter.grad));
        golden.AssertRecordedClose();
    }

    [Fact]
    public void A_signal_behind_a_spliced_medium_is_found_at_its_place_of_the_spliced_labels()
    {
        long[] labels = [-100, -100, -100, 5, 6, 2, /* second row */ 8, 9, 10, 5, 6, -100];

        var spans = new SignalSpans(Signals).Find(labels, seq: 6);

        Assert.Equal(
            [new(0, 3, 2, MediaKind.Image), new(1, 0, 3, MediaKind.Audio), new(1, 3, 2, MediaKind.Image)],
            spans);
    }

    [Fact]
    public void Torn_and_misordered_signals_and_those_across_rows_are_passed_over()
    {
        long[] labels = [6, 5, 8, 9, 5, 5, /* second row */ 6, 8, 9, 10, 8, 9];

        var span = Assert.Single(new SignalSpans(Signals).Find(labels, seq: 6));

        Assert.Equal(new(1, 1, 3, MediaKind.Audio), span);
    }

    [Fact]
    public void Separators_belong_to_the_span()
    {
        long[] labels = [1, 8, 3, 9, 3, 10, 5, 6];

        var span = Assert.Single(new SignalSpans(Signals, separator: 3).Find(labels, seq: 8));

        Assert.Equal(new(0, 1, 5, MediaKind.Audio), span);
    }

    [Fact]
    public void A_projection_that_is_right_already_has_a_finite_gradient()
    {
        using var scope = NewDisposeScope();
        var projected = ones(1, 2, 3).requires_grad_(true);

        var loss = CaptionAlignmentLoss.Mean(projected, ones(1, 2, 3));
        loss.backward();

        Assert.Equal(Math.Sqrt(CaptionAlignmentLoss.Epsilon), loss.item<float>(), 1e-6);
        Assert.All(projected.grad!.data<float>().ToArray(), slope => Assert.Equal(0, slope));
    }

    [Fact]
    public void A_sound_has_one_query_and_its_caption_may_lack_that_dimension()
    {
        using var scope = NewDisposeScope();
        var loss = CaptionAlignmentLoss.PerSpan(zeros(2, 1, 4), tensor(new float[] { 2, 2, 2, 2, 0, 0, 0, 0 }, [2, 4]));

        Assert.Equal([4f, 1e-4f], loss.data<float>().ToArray(), (a, b) => Math.Abs(a - b) < 1e-5);
        Assert.Throws<ArgumentException>(() => CaptionAlignmentLoss.PerSpan(zeros(2, 77, 768), zeros(2, 77, 1_024)));
    }

    [Fact]
    public void Velocity_is_weighed_by_the_ratio_plus_one_and_its_target_is_no_noise()
    {
        using var scope = NewDisposeScope();
        var signalLeft = tensor(new[] { 0.5f, 0.95f });   // ratios 1 and 19

        var weights = DenoisingLoss.Weights(signalLeft, PredictionKind.Velocity).data<float>().ToArray();

        Assert.Equal(0.5, weights[0], 1e-5);
        Assert.Equal(5.0 / 20, weights[1], 1e-4);
        var target = DenoisingLoss.Target(ones(2, 1), zeros(2, 1), signalLeft, PredictionKind.Velocity).data<float>().ToArray();
        Assert.Equal(-Math.Sqrt(0.5), target[0], 1e-5);
    }

    private static UNet2DCondition UNetOf(GoldenFixture golden)
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, JsonSerializer.Serialize(golden.Config.GetProperty("unet")));
            var unet = new UNet2DCondition(UNet2DConditionConfig.Load(file));
            CheckpointLoader.Fill(unet, golden.Model, name => Below(name, "unet."));
            foreach (var parameter in unet.parameters())
            {
                parameter.requires_grad_(false);
            }

            return unet;
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static string? Below(string name, string prefix) =>
        name.StartsWith(prefix, StringComparison.Ordinal) ? name[prefix.Length..] : null;
}
