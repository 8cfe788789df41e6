using NextGpt.Model.Weights;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace NextGpt.Model.Projections;

/// <summary>One stage of a group projection.</summary>
/// <param name="Blocks">Transformer blocks.</param>
/// <param name="Groups">Tokens that come out, each for a group of those that came in; 0 lets them all through.</param>
public sealed record GroupStage(int Blocks, int Groups);

/// <summary>The numbers of a group projection.</summary>
public sealed record GroupProjectionConfig
{
    /// <summary>Width of what the encoder gives.</summary>
    public required int InputSize { get; init; }

    /// <summary>Width of the language model.</summary>
    public required int OutputSize { get; init; }

    /// <summary>Width inside.</summary>
    public int HiddenSize { get; init; } = 512;

    /// <summary>Attention heads.</summary>
    public int Heads { get; init; } = 8;

    /// <summary>The stages in order; v2's: six blocks and 64 groups, three and 8, three and none.</summary>
    public IReadOnlyList<GroupStage> Stages { get; init; } = [new(6, 64), new(3, 8), new(3, 0)];

    /// <summary>Reads the numbers off the shapes of a checkpoint.</summary>
    /// <exception cref="InvalidDataException">It is no such projection; names the tensor.</exception>
    internal static GroupProjectionConfig Of(ITensorSource source, int heads)
    {
        var first = ProjectionWeights.ShapeOf(source, "in_fc.weight", 2);
        var stages = Enumerable.Range(0, ProjectionWeights.Count(source, "layers")).Select(stage => new GroupStage(
            ProjectionWeights.Count(source, $"layers.{stage}.blocks"),
            ProjectionWeights.Has(source, $"layers.{stage}.group_token")
                ? (int)ProjectionWeights.ShapeOf(source, $"layers.{stage}.group_token", 3)[1]
                : 0));
        var config = new GroupProjectionConfig
        {
            InputSize = (int)first[1],
            HiddenSize = (int)first[0],
            OutputSize = (int)ProjectionWeights.ShapeOf(source, "out_fc.weight", 2)[0],
            Heads = heads,
            Stages = [.. stages],
        };
        return heads >= 1 && config.HiddenSize % heads == 0
            ? config
            : throw new InvalidDataException($"{source.Name}: a width of {config.HiddenSize} cannot be shared by {heads} heads evenly.");
    }
}

/// <summary>Groups the patches of a medium, stage after stage, to a few tokens that mean something together.</summary>
/// <remarks>
/// Wu et al. 2023 (NExT-GPT), section 3, after Xu et al. 2022 (GroupViT), section 3.2; weight names of v2. A patch belongs to the
/// group whose token it is most like: a hard choice, through which the gradient of the soft one flows.
/// </remarks>
internal sealed class GroupProjection : InputProjection
{
    [ComponentName(Name = "in_fc")]
    private readonly Linear _in;

    [ComponentName(Name = "layers")]
    private readonly ModuleList<GroupProjectionStage> _stages;

    [ComponentName(Name = "norm")]
    private readonly LayerNorm _norm;

    [ComponentName(Name = "out_fc")]
    private readonly Linear _out;

    private readonly GroupProjectionConfig _config;

    internal GroupProjection(GroupProjectionConfig config, Device? device, ScalarType? dtype)
        : base(nameof(GroupProjection))
    {
        _config = config;
        _in = nn.Linear(config.InputSize, config.HiddenSize, device: device, dtype: dtype);
        _stages = new ModuleList<GroupProjectionStage>([.. Enumerable.Range(0, config.Stages.Count)
            .Select(stage => new GroupProjectionStage(config, stage, device, dtype))]);
        _norm = nn.LayerNorm(config.HiddenSize, device: device, dtype: dtype);
        _out = nn.Linear(config.HiddenSize, config.OutputSize, device: device, dtype: dtype);
        RegisterComponents();
    }

    public override int FeatureSize => _config.InputSize;

    public override int HiddenSize => _config.OutputSize;

    /// <param name="features">[batch, patches, features]</param>
    /// <returns>[batch, groups of the last grouping stage, hidden]</returns>
    public override Tensor forward(Tensor features)
    {
        using var scope = NewDisposeScope();
        var tokens = _in.call(features);   // [batch, patches, inner]
        Tensor? groups = null;
        foreach (var stage in _stages)
        {
            (tokens, groups) = stage.call(tokens, groups);
        }

        return _out.call(_norm.call(tokens)).MoveToOuterDisposeScope();
    }
}

/// <summary>Blocks over tokens and group tokens, then the grouping.</summary>
internal sealed class GroupProjectionStage : nn.Module<Tensor, Tensor?, (Tensor Tokens, Tensor? Groups)>
{
    [ComponentName(Name = "group_token")]
    private readonly Parameter? _groups;

    [ComponentName(Name = "group_projector")]
    private readonly GroupTokenProjection? _groupProjection;

    [ComponentName(Name = "blocks")]
    private readonly ModuleList<GroupBlock> _blocks;

    [ComponentName(Name = "downsample")]
    private readonly GroupAssignment? _assignment;

    private readonly int _count;

    internal GroupProjectionStage(GroupProjectionConfig config, int index, Device? device, ScalarType? dtype)
        : base(nameof(GroupProjectionStage))
    {
        var stage = config.Stages[index];
        var before = index == 0 ? 0 : config.Stages[index - 1].Groups;
        _count = stage.Groups;
        if (_count > 0)
        {
            _groups = new Parameter(zeros(1, _count, config.HiddenSize, dtype ?? ScalarType.Float32, device ?? CPU));
            _groups.DetachFromDisposeScope();
            _groupProjection = before > 0 ? new GroupTokenProjection(config, before, _count, device, dtype) : null;
            _assignment = new GroupAssignment(config, _count, device, dtype);
        }

        _blocks = new ModuleList<GroupBlock>(
            [.. Enumerable.Range(0, stage.Blocks).Select(_ => new GroupBlock(config, device, dtype))]);
        RegisterComponents();
    }

    /// <param name="tokens">[batch, tokens, inner]</param>
    /// <param name="before">[batch, groups of the stage before, inner], or null.</param>
    /// <returns>[batch, groups or tokens, inner], and the stage's own group tokens [batch, groups, inner].</returns>
    public override (Tensor Tokens, Tensor? Groups) forward(Tensor tokens, Tensor? before)
    {
        using var scope = NewDisposeScope();
        var (batch, seq) = (tokens.shape[0], tokens.shape[1]);
        if (_groups is not null)
        {
            var groups = _groups.expand(batch, -1, -1);   // [batch, groups, inner]
            if (_groupProjection is not null && before is not null)
            {
                groups = groups + _groupProjection.call(before);
            }

            tokens = cat([tokens, groups], 1);
        }

        foreach (var block in _blocks)
        {
            tokens = block.call(tokens);
        }

        if (_assignment is null)
        {
            return (tokens.MoveToOuterDisposeScope(), null);
        }

        var own = tokens.narrow(1, seq, _count).contiguous();
        var grouped = _assignment.call(tokens.narrow(1, 0, seq), own);
        return (grouped.MoveToOuterDisposeScope(), own.MoveToOuterDisposeScope());
    }
}

/// <summary>Group tokens of one stage as an offset for those of the next: norm, then a mix among tokens.</summary>
internal sealed class GroupTokenProjection : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "0")]
    private readonly LayerNorm _norm;

    [ComponentName(Name = "1")]
    private readonly GroupMlp _mix;

    internal GroupTokenProjection(GroupProjectionConfig config, int before, int after, Device? device, ScalarType? dtype)
        : base(nameof(GroupTokenProjection))
    {
        _norm = nn.LayerNorm(config.HiddenSize, device: device, dtype: dtype);
        _mix = new GroupMlp(before, config.HiddenSize / 2, after, device, dtype);
        RegisterComponents();
    }

    /// <returns>[batch, groups after, inner]</returns>
    public override Tensor forward(Tensor groups)
    {
        using var scope = NewDisposeScope();
        return _mix.call(_norm.call(groups).transpose(1, 2)).transpose(1, 2).MoveToOuterDisposeScope();
    }
}

/// <summary>Self-attention and feed-forward, each normed first.</summary>
internal sealed class GroupBlock : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "norm1")]
    private readonly LayerNorm _attentionNorm;

    [ComponentName(Name = "attn")]
    private readonly GroupSelfAttention _attention;

    [ComponentName(Name = "norm2")]
    private readonly LayerNorm _feedForwardNorm;

    [ComponentName(Name = "mlp")]
    private readonly GroupMlp _feedForward;

    internal GroupBlock(GroupProjectionConfig config, Device? device, ScalarType? dtype)
        : base(nameof(GroupBlock))
    {
        _attentionNorm = nn.LayerNorm(config.HiddenSize, device: device, dtype: dtype);
        _attention = new GroupSelfAttention(config, device, dtype);
        _feedForwardNorm = nn.LayerNorm(config.HiddenSize, device: device, dtype: dtype);
        _feedForward = new GroupMlp(config.HiddenSize, 4 * config.HiddenSize, config.HiddenSize, device, dtype);
        RegisterComponents();
    }

    /// <returns>[batch, tokens, inner]</returns>
    public override Tensor forward(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        tokens = tokens + _attention.call(_attentionNorm.call(tokens));
        tokens = tokens + _feedForward.call(_feedForwardNorm.call(tokens));
        return tokens.MoveToOuterDisposeScope();
    }
}

/// <summary>Attention with one weight for query, key and value, and no bias on it.</summary>
internal sealed class GroupSelfAttention : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "qkv")]
    private readonly Linear _queryKeyValue;

    [ComponentName(Name = "proj")]
    private readonly Linear _out;

    private readonly int _heads;

    internal GroupSelfAttention(GroupProjectionConfig config, Device? device, ScalarType? dtype)
        : base(nameof(GroupSelfAttention))
    {
        _heads = config.Heads;
        _queryKeyValue = nn.Linear(config.HiddenSize, 3 * config.HiddenSize, hasBias: false, device: device, dtype: dtype);
        _out = nn.Linear(config.HiddenSize, config.HiddenSize, device: device, dtype: dtype);
        RegisterComponents();
    }

    /// <returns>[batch, tokens, inner]</returns>
    public override Tensor forward(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        var (batch, seq, width) = (tokens.shape[0], tokens.shape[1], tokens.shape[2]);
        var parts = _queryKeyValue.call(tokens).view(batch, seq, 3, _heads, width / _heads).permute(2, 0, 3, 1, 4).unbind(0);
        var mixed = nn.functional.scaled_dot_product_attention(parts[0], parts[1], parts[2]);   // [batch, heads, tokens, headSize]
        return _out.call(mixed.transpose(1, 2).reshape(batch, seq, width)).MoveToOuterDisposeScope();
    }
}

/// <summary>Two linear layers with exact GELU between them.</summary>
internal sealed class GroupMlp : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "fc1")]
    private readonly Linear _up;

    [ComponentName(Name = "fc2")]
    private readonly Linear _down;

    internal GroupMlp(int inputs, int inner, int outputs, Device? device, ScalarType? dtype)
        : base(nameof(GroupMlp))
    {
        _up = nn.Linear(inputs, inner, device: device, dtype: dtype);
        _down = nn.Linear(inner, outputs, device: device, dtype: dtype);
        RegisterComponents();
    }

    /// <returns>[..., outputs]</returns>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return _down.call(nn.functional.gelu(_up.call(input))).MoveToOuterDisposeScope();
    }
}

/// <summary>Gives every token to one group and makes one token of each group.</summary>
internal sealed class GroupAssignment : nn.Module<Tensor, Tensor, Tensor>
{
    [ComponentName(Name = "norm_tokens")]
    private readonly LayerNorm _groupNorm;

    [ComponentName(Name = "mlp_inter")]
    private readonly GroupMlp _mix;

    [ComponentName(Name = "norm_post_tokens")]
    private readonly LayerNorm _mixedNorm;

    [ComponentName(Name = "norm_x")]
    private readonly LayerNorm _tokenNorm;

    [ComponentName(Name = "pre_assign_attn")]
    private readonly GroupCrossBlock _look;

    [ComponentName(Name = "assign")]
    private readonly GroupAttention _assign;

    [ComponentName(Name = "norm_new_x")]
    private readonly LayerNorm _newNorm;

    [ComponentName(Name = "mlp_channels")]
    private readonly GroupMlp _feedForward;

    internal GroupAssignment(GroupProjectionConfig config, int groups, Device? device, ScalarType? dtype)
        : base(nameof(GroupAssignment))
    {
        _groupNorm = nn.LayerNorm(config.HiddenSize, device: device, dtype: dtype);
        _mix = new GroupMlp(groups, config.HiddenSize / 2, groups, device, dtype);
        _mixedNorm = nn.LayerNorm(config.HiddenSize, device: device, dtype: dtype);
        _tokenNorm = nn.LayerNorm(config.HiddenSize, device: device, dtype: dtype);
        _look = new GroupCrossBlock(config, device, dtype);
        _assign = new GroupAttention(config, heads: 1, hard: true, device, dtype);
        _newNorm = nn.LayerNorm(config.HiddenSize, device: device, dtype: dtype);
        _feedForward = new GroupMlp(config.HiddenSize, 4 * config.HiddenSize, config.HiddenSize, device, dtype);
        RegisterComponents();
    }

    /// <param name="tokens">[batch, tokens, inner]</param>
    /// <param name="groups">[batch, groups, inner]</param>
    /// <returns>[batch, groups, inner]</returns>
    public override Tensor forward(Tensor tokens, Tensor groups)
    {
        using var scope = NewDisposeScope();
        tokens = _tokenNorm.call(tokens);
        groups = _mixedNorm.call(_mix.call(_groupNorm.call(groups).transpose(1, 2)).transpose(1, 2));
        groups = _look.call(groups, tokens);
        var grouped = _assign.call(groups, tokens) + groups;
        grouped = grouped + _feedForward.call(_newNorm.call(grouped));
        return grouped.MoveToOuterDisposeScope();
    }
}

/// <summary>Group tokens look at the tokens before these are shared out.</summary>
internal sealed class GroupCrossBlock : nn.Module<Tensor, Tensor, Tensor>
{
    [ComponentName(Name = "attn")]
    private readonly GroupAttention _attention;

    [ComponentName(Name = "norm2")]
    private readonly LayerNorm _feedForwardNorm;

    [ComponentName(Name = "mlp")]
    private readonly GroupMlp _feedForward;

    [ComponentName(Name = "norm_post")]
    private readonly LayerNorm _lastNorm;

    internal GroupCrossBlock(GroupProjectionConfig config, Device? device, ScalarType? dtype)
        : base(nameof(GroupCrossBlock))
    {
        _attention = new GroupAttention(config, config.Heads, hard: false, device, dtype);
        _feedForwardNorm = nn.LayerNorm(config.HiddenSize, device: device, dtype: dtype);
        _feedForward = new GroupMlp(config.HiddenSize, 4 * config.HiddenSize, config.HiddenSize, device, dtype);
        _lastNorm = nn.LayerNorm(config.HiddenSize, device: device, dtype: dtype);
        RegisterComponents();
    }

    /// <returns>[batch, groups, inner]</returns>
    public override Tensor forward(Tensor groups, Tensor tokens)
    {
        using var scope = NewDisposeScope();
        groups = groups + _attention.call(groups, tokens);
        groups = groups + _feedForward.call(_feedForwardNorm.call(groups));
        return _lastNorm.call(groups).MoveToOuterDisposeScope();
    }
}

/// <summary>Attention of groups to tokens: soft over the tokens, or hard over the groups.</summary>
internal sealed class GroupAttention : nn.Module<Tensor, Tensor, Tensor>
{
    [ComponentName(Name = "q_proj")]
    private readonly Linear _query;

    [ComponentName(Name = "k_proj")]
    private readonly Linear _key;

    [ComponentName(Name = "v_proj")]
    private readonly Linear _value;

    [ComponentName(Name = "proj")]
    private readonly Linear _out;

    private readonly int _heads;
    private readonly bool _hard;

    internal GroupAttention(GroupProjectionConfig config, int heads, bool hard, Device? device, ScalarType? dtype)
        : base(nameof(GroupAttention))
    {
        (_heads, _hard) = (heads, hard);
        _query = nn.Linear(config.HiddenSize, config.HiddenSize, device: device, dtype: dtype);
        _key = nn.Linear(config.HiddenSize, config.HiddenSize, device: device, dtype: dtype);
        _value = nn.Linear(config.HiddenSize, config.HiddenSize, device: device, dtype: dtype);
        _out = nn.Linear(config.HiddenSize, config.HiddenSize, device: device, dtype: dtype);
        RegisterComponents();
    }

    /// <param name="groups">[batch, groups, inner]</param>
    /// <param name="tokens">[batch, tokens, inner]</param>
    /// <returns>[batch, groups, inner]</returns>
    public override Tensor forward(Tensor groups, Tensor tokens)
    {
        using var scope = NewDisposeScope();
        var (query, key, value) = (Heads(_query.call(groups)), Heads(_key.call(tokens)), Heads(_value.call(tokens)));
        var mixed = _hard
            ? Share(query, key).matmul(value)
            : nn.functional.scaled_dot_product_attention(query, key, value);   // [batch, heads, groups, headSize]
        return _out.call(mixed.transpose(1, 2).reshape(groups.shape)).MoveToOuterDisposeScope();
    }

    /// <summary>Each token wholly to its likeliest group; every group takes the mean of its tokens, a little less.</summary>
    /// <returns>[batch, heads, groups, tokens]</returns>
    private Tensor Share(Tensor query, Tensor key)
    {
        var logits = query.matmul(key.transpose(-2, -1)) / Math.Sqrt(query.shape[^1]);
        if (training)
        {
            var even = rand_like(logits).clamp_min(1e-20);
            logits = logits - (-even.log()).clamp_min(1e-20).log();   // Gumbel noise, Jang et al. 2017
        }

        var soft = nn.functional.softmax(logits, -2);
        var chosen = soft.argmax(-2, keepdim: true);   // [batch, heads, 1, tokens]
        var hard = zeros_like(soft).scatter_(-2, chosen, ones_like(chosen).to(soft.dtype));
        var share = is_grad_enabled() ? hard - soft.detach() + soft : hard;
        return share / (share.sum(-1, keepdim: true) + 1);
    }

    private Tensor Heads(Tensor input) =>
        input.view(input.shape[0], input.shape[1], _heads, input.shape[2] / _heads).transpose(1, 2);
}
