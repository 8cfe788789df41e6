using NextGpt.Model.Language;
using NextGpt.Model.Lora;
using NextGpt.Model.Tests;
using TorchSharp;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Tests;

/// <summary>
/// Loss, gradients and three steps of fine-tuning against transformers and peft (<c>Goldens/llama_sft/fixture.json</c> has
/// versions, tolerance and hyperparameters).
/// </summary>
public sealed class FineTuningStepTests : IDisposable
{
    private readonly GoldenFixture _golden = GoldenFixture.Open("llama_sft");
    private readonly LlamaModel _model;
    private readonly LoraAdapter _adapter;

    public FineTuningStepTests()
    {
        _model = new LlamaModel(LlamaConfigFile.Read(_golden.PathOf("config.json")));
        _model.Load(_golden.Model);
        _adapter = LoraAdapter.Load(_golden.Folder, _model);
    }

    public void Dispose()
    {
        _adapter.Dispose();
        _model.Dispose();
        _golden.Dispose();
    }

    [Fact]
    public void Logits_loss_and_loss_per_token_are_those_of_the_reference()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        _adapter.Attach(_model);

        var logits = Logits();

        // The second row ends in four tokens of padding, whose own logits nobody uses.
        var wanted = _golden.Tensor("out.logits");
        Assert.True((logits[0] - wanted[0]).abs().max().item<float>() < 1e-4);
        Assert.True((logits[1] - wanted[1]).narrow(0, 0, 10).abs().max().item<float>() < 1e-4);
        _golden.AssertClose("out.loss", NextTokenLoss.Mean(logits, _golden.Tensor("in.labels")));
        _golden.AssertClose("out.loss_per_token", NextTokenLoss.PerToken(logits, _golden.Tensor("in.labels")));
    }

    [Fact]
    public void Gradients_of_the_whole_network_are_those_of_the_reference()
    {
        using var scope = NewDisposeScope();
        foreach (var parameter in _model.parameters())
        {
            parameter.requires_grad = true;
        }

        var loss = NextTokenLoss.Mean(Logits(), _golden.Tensor("in.labels"));
        loss.backward();

        _golden.AssertClose("out.base.loss", loss);
        foreach (var (name, parameter) in _model.named_parameters())
        {
            if (_golden.Io.Tensors.ContainsKey("out.base.grad." + name))
            {
                _golden.AssertClose("out.base.grad." + name, parameter.grad!);
            }

            Assert.NotNull(parameter.grad);
        }
    }

    [Fact]
    public void Gradients_of_all_28_lora_matrices_are_those_of_the_reference_and_the_base_has_none()
    {
        using var scope = NewDisposeScope();
        _adapter.Attach(_model);

        NextTokenLoss.Mean(Logits(), _golden.Tensor("in.labels")).backward();

        Assert.Equal(28, _adapter.NamedParameters.Count());
        foreach (var (name, parameter) in _adapter.NamedParameters)
        {
            _golden.AssertClose("out.grad." + name, parameter.grad!);
        }

        Assert.All(_model.parameters(), parameter => Assert.Null(parameter.grad));
    }

    [Theory]
    [InlineData("clip")]
    [InlineData("noclip")]
    public void Three_steps_move_the_matrices_as_the_reference_does(string variant)
    {
        var hyper = _golden.Facts.GetProperty("hyper");
        var rate = hyper.GetProperty("lr").GetDouble();
        var schedule = new CosineSchedule(hyper.GetProperty("warmup_steps").GetInt32(), hyper.GetProperty("total_steps").GetInt32());
        var bound = variant == "clip" ? hyper.GetProperty("max_grad_norm").GetDouble() : double.PositiveInfinity;
        _adapter.Attach(_model);
        using var optimizer = optim.AdamW(
            _adapter.NamedParameters.Select(named => named.Parameter), rate,
            hyper.GetProperty("betas")[0].GetDouble(), hyper.GetProperty("betas")[1].GetDouble(),
            hyper.GetProperty("eps").GetDouble(), hyper.GetProperty("weight_decay").GetDouble());
        var (losses, norms, rates) = (new List<float>(), new List<float>(), new List<float>());
        var compared = 0;
        for (var call = 0; call < 4; call++)
        {
            using var scope = NewDisposeScope();
            foreach (var group in optimizer.ParamGroups)
            {
                group.LearningRate = rate * schedule.Factor(call);
            }

            optimizer.zero_grad();
            var loss = NextTokenLoss.Mean(Logits(), _golden.Tensor("in.labels"));
            loss.backward();
            norms.Add((float)GradientClip.ToNorm(_adapter.NamedParameters.Select(named => named.Parameter), bound));
            optimizer.step();
            losses.Add(loss.item<float>());
            rates.Add((float)(rate * schedule.Factor(call)));
            foreach (var (name, parameter) in _adapter.NamedParameters)
            {
                if (_golden.Io.Tensors.ContainsKey($"out.{variant}.after_call{call}.{name}"))
                {
                    _golden.AssertClose($"out.{variant}.after_call{call}.{name}", parameter);
                    compared++;
                }
            }
        }

        _golden.AssertClose($"out.{variant}.loss", tensor(losses.ToArray()));
        _golden.AssertClose($"out.{variant}.grad_norm_before_clip", tensor(norms.ToArray()));
        _golden.AssertClose($"out.{variant}.lr", tensor(rates.ToArray()));
        Assert.Equal(_golden.Io.Tensors.Keys.Count(name => name.StartsWith($"out.{variant}.after", StringComparison.Ordinal)), compared);
        Assert.True(compared > 0 || variant == "noclip");
    }

    [Fact]
    public void A_training_step_leaves_no_tensors_behind()
    {
        _adapter.Attach(_model);
        var parameters = _adapter.NamedParameters.Select(named => named.Parameter).ToList();
        using var optimizer = optim.AdamW(parameters, 1e-3);
        void Step()
        {
            using var scope = NewDisposeScope();
            optimizer.zero_grad();
            NextTokenLoss.Mean(Logits(), _golden.Tensor("in.labels")).backward();
            GradientClip.ToNorm(parameters, 1);
            optimizer.step();
        }

        Step();
        var statistics = DisposeScopeManager.Statistics;
        statistics.Reset();
        Step();
        var afterOne = statistics.ThreadTotalLiveCount;
        Step();

        Assert.Equal(afterOne, statistics.ThreadTotalLiveCount);
    }

    private Tensor Logits() =>
        _model.Head(_model.call(_model.Embed(_golden.Tensor("in.input_ids")), null, null));
}
