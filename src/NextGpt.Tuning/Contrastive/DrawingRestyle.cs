using NextGpt.Tuning.Optimisation;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Contrastive;

/// <summary>Draws a thing again as another hand might: other colours, contours, flat or shaded fills.</summary>
/// <remarks>
/// The encoder shall know things in styles it has never seen, so what styles differ in is what must not be relied on. Every change
/// has its own chance per drawing.
/// </remarks>
internal static class DrawingRestyle
{
    // Luminance and two differences of colour (NTSC 1953): in this space a turn of the hue is a rotation.
    private static readonly float[] ToLuminance = [0.299f, 0.587f, 0.114f, 0.596f, -0.274f, -0.322f, 0.211f, -0.523f, 0.312f];
    private static readonly float[] FromLuminance = [1, 0.956f, 0.621f, 1, -0.272f, -0.647f, 1, -1.106f, 1.703f];

    /// <summary>Changes drawings.</summary>
    /// <param name="drawings">[batch, 4, size, size] float, 0..1: colours (not multiplied) and opacity.</param>
    /// <param name="colourful">[batch, 1, 1, 1] bool: whose colour is part of what they are called; it changes little.</param>
    /// <param name="hollow">[batch, 1, 1, 1] bool: which nobody would know by their contour alone.</param>
    /// <param name="random">At the step's numbers.</param>
    /// <returns>The same shape and range, and [batch, 1, 1, 1] bool: which became so dark that they need a light ground; owned by the caller's dispose scope.</returns>
    internal static (Tensor Drawings, Tensor Dark) Change(Tensor drawings, Tensor colourful, Tensor hollow, StepRandom random)
    {
        using var scope = NewDisposeScope();
        var batch = drawings.shape[0];
        Tensor Chance(double share) => random.Uniform(batch, 1, 1, 1) < share;
        Tensor Between(double least, double most) => (random.Uniform(batch, 1, 1, 1) * (most - least)) + least;

        var alpha = drawings.narrow(1, 3, 1);
        var contour = Contour(drawings.narrow(1, 0, 3), alpha);   // [batch, 1, size, size], before colours change
        var colour = Recoloured(drawings.narrow(1, 0, 3), colourful, Chance, Between);

        // Few levels of each colour, or few details, as in flat drawings.
        var levels = Between(2, 5).floor();
        colour = where(Chance(0.1), ((colour * levels).floor() / (levels - 0.999)).clamp(0, 1), colour);
        var soft = Softened(colour * alpha) / Softened(alpha).clamp(min: 1e-3);
        colour = where(Chance(0.2), soft, colour);

        // Light from one side, as on a solid body.
        var angle = Between(0, 2 * Math.PI);
        var across = linspace(-1, 1, drawings.shape[3], device: drawings.device).view(1, 1, 1, -1);
        var down = linspace(-1, 1, drawings.shape[2], device: drawings.device).view(1, 1, -1, 1);
        var light = 1 + (Between(0.1, 0.4) * ((across * angle.cos()) + (down * angle.sin())));
        colour = where(Chance(0.25), (colour * light).clamp(0, 1), colour);

        // Lines around and within; with or without what they enclose.
        var outlined = Chance(0.35);
        var thick = Chance(0.5);
        var line = where(thick, Grown(contour), contour) * outlined.to(ScalarType.Float32);
        var emptied = outlined.logical_and(Chance(0.3));
        colour = where(emptied, where(Chance(0.7), ones_like(colour), colour.mean([1], keepdim: true) * 0.4 + 0.6), colour);
        var ink = Between(0, 0.25) * (random.Uniform(batch, 3, 1, 1) < 0.7).to(ScalarType.Float32);
        colour = (colour * (1 - line)) + (ink * line);
        alpha = where(outlined, maximum(alpha, Grown(alpha) * line), alpha);

        var black = Chance(0.04).logical_and(hollow.logical_not());
        colour = where(black, ink.expand_as(colour), colour);
        return (cat([colour, alpha], 1).MoveToOuterDisposeScope(), black.MoveToOuterDisposeScope());
    }

    /// <summary>Where a pen would go: steps of colour or opacity.</summary>
    private static Tensor Contour(Tensor colour, Tensor alpha)
    {
        var shown = cat([colour * alpha, alpha], 1);
        var steps = nn.functional.pad(shown.narrow(3, 1, shown.shape[3] - 1) - shown.narrow(3, 0, shown.shape[3] - 1), [0, 1, 0, 0]).abs()
            + nn.functional.pad(shown.narrow(2, 1, shown.shape[2] - 1) - shown.narrow(2, 0, shown.shape[2] - 1), [0, 0, 0, 1]).abs();
        return ((steps.amax([1], keepdim: true) - 0.12) * 4).clamp(0, 1);
    }

    private static Tensor Recoloured(Tensor colour, Tensor colourful, Func<double, Tensor> chance, Func<double, double, Tensor> between)
    {
        var device = colour.device;
        var turn = where(chance(0.25), between(-Math.PI, Math.PI), between(-0.35, 0.35));
        turn = where(colourful, turn.clamp(-0.12, 0.12), turn).flatten();
        var strength = where(chance(0.15), zeros_like(between(0, 1)), between(0.4, 1.4));
        strength = where(colourful, strength.clamp(0.75, 1.4), strength).flatten();
        var zero = zeros_like(turn);
        var (sine, cosine) = (turn.sin() * strength, turn.cos() * strength);
        var rotation = stack(
            [stack([ones_like(turn), zero, zero], 1), stack([zero, cosine, -sine], 1), stack([zero, sine, cosine], 1)], 1);   // [batch, 3, 3]
        var matrix = tensor(FromLuminance, [3, 3], device: device).clone().matmul(rotation).matmul(tensor(ToLuminance, [3, 3], device: device).clone());
        var turned = matrix.bmm(colour.flatten(2)).view(colour.shape);
        turned = ((turned - 0.5) * between(0.65, 1.25)) + 0.5 + between(-0.15, 0.15);
        return where(chance(0.03).logical_and(colourful.logical_not()), 1 - turned, turned).clamp(0, 1);
    }

    private static Tensor Softened(Tensor planes) => nn.functional.avg_pool2d(planes, 3, 1, 1);

    private static Tensor Grown(Tensor planes) => nn.functional.max_pool2d(planes, 3, 1, 1);
}
