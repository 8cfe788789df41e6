using TorchSharp.Modules;
using static TorchSharp.torch;

namespace NextGpt.Model.Lora;

/// <summary>The two small matrices of one layer's correction: scale · up · down (B and A of the paper).</summary>
internal sealed class LoraPair : IDisposable
{
    /// <param name="down">[rank, in]</param>
    /// <param name="up">[out, rank]</param>
    /// <param name="scale">alpha / rank, or alpha / √rank.</param>
    /// <param name="dropout">Share of the inputs that training leaves out, 0 to 1.</param>
    public LoraPair(Parameter down, Parameter up, double scale, double dropout)
    {
        Down = down;
        Up = up;
        Scale = scale;
        Dropout = dropout;
    }

    /// <summary>[rank, in], called <c>lora_A</c> in files.</summary>
    public Parameter Down { get; }

    /// <summary>[out, rank], called <c>lora_B</c> in files.</summary>
    public Parameter Up { get; }

    public double Scale { get; }

    public double Dropout { get; }

    /// <summary>The correction of an output.</summary>
    /// <param name="input">[..., in]</param>
    /// <param name="training">Whether inputs are dropped.</param>
    /// <returns>[..., out] in the input's element type, owned by the caller's dispose scope.</returns>
    public Tensor Apply(Tensor input, bool training)
    {
        using var scope = NewDisposeScope();
        var kept = input.to(Down.dtype);
        if (training && Dropout > 0)
        {
            kept = nn.functional.dropout(kept, Dropout, training: true);
        }

        var low = nn.functional.linear(kept, Down);   // [..., rank]
        return nn.functional.linear(low, Up).mul(Scale).to(input.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>The correction of the weight.</summary>
    /// <returns>[out, in] float32, owned by the caller's dispose scope.</returns>
    public Tensor Delta()
    {
        using var scope = NewDisposeScope();
        return Up.to(ScalarType.Float32).mm(Down.to(ScalarType.Float32)).mul(Scale).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        Down.Dispose();
        Up.Dispose();
    }
}
