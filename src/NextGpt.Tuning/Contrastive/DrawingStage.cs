using NextGpt.Tuning.Optimisation;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Contrastive;

/// <summary>Puts drawings on grounds: turned, stretched, bent, and over time where they move.</summary>
internal static class DrawingStage
{
    /// <summary>Where drawings lie, freely.</summary>
    /// <param name="mirrored">[batch] bool: which may be mirrored; half of them are.</param>
    /// <param name="random">At the step's numbers.</param>
    /// <returns>[batch, 2, 3]: from places of the picture to places of the drawing, both −1..1.</returns>
    internal static Tensor Freely(Tensor mirrored, StepRandom random)
    {
        using var scope = NewDisposeScope();
        var batch = mirrored.shape[0];
        Tensor Between(double least, double most) => (random.Uniform(batch) * (most - least)) + least;
        var turn = where(random.Uniform(batch) < 0.15, Between(-0.8, 0.8), Between(-0.25, 0.25));
        var zoom = 1 / where(random.Uniform(batch) < 0.2, Between(0.4, 0.7), Between(0.7, 1.12));
        var aspect = Between(-0.2, 0.2).exp();
        var shear = Between(-0.15, 0.15);
        var sign = where(mirrored.logical_and(random.Uniform(batch) < 0.5), -ones_like(turn), ones_like(turn));
        var (sine, cosine) = (turn.sin(), turn.cos());
        var (a, b) = (sign * zoom * aspect * (cosine + (shear * sine)), sign * zoom * aspect * ((shear * cosine) - sine));
        var (c, d) = (zoom * sine / aspect, zoom * cosine / aspect);
        var room = (1 - (1 / zoom)).clamp(min: 0.12);
        var (x, y) = (Between(-1, 1) * room, Between(-1, 1) * room);
        return Rows(a, b, -((a * x) + (b * y)), c, d, -((c * x) + (d * y))).MoveToOuterDisposeScope();
    }

    /// <summary>Where drawings lie when they have a pose.</summary>
    /// <param name="x">[batch] shift to the right in halves of the picture.</param>
    /// <param name="y">[batch] shift downwards.</param>
    /// <param name="radians">[batch] turn, clockwise.</param>
    /// <param name="size">[batch] share of the picture's width.</param>
    /// <param name="mirrored">[batch] bool</param>
    /// <returns>[batch, 2, 3]</returns>
    internal static Tensor Posed(Tensor x, Tensor y, Tensor radians, Tensor size, Tensor mirrored)
    {
        using var scope = NewDisposeScope();
        var (sine, cosine) = ((-radians).sin() / size, (-radians).cos() / size);
        var sign = where(mirrored, -ones_like(x), ones_like(x));
        return Rows(
            sign * cosine, -sign * sine, -sign * ((cosine * x) - (sine * y)), sine, cosine, -((sine * x) + (cosine * y))).MoveToOuterDisposeScope();
    }

    /// <summary>Pastes drawings on grounds.</summary>
    /// <param name="drawings">[batch, 4, size, size] colours (not multiplied) and opacity, 0..1</param>
    /// <param name="places">[batch, 2, 3]</param>
    /// <param name="bend">[batch, size, size, 2] added to the places, or null.</param>
    /// <param name="grounds">[batch, 3, size or 1, size or 1]</param>
    /// <returns>[batch, 3, size, size] float, 0..1</returns>
    internal static Tensor Paste(Tensor drawings, Tensor places, Tensor? bend, Tensor grounds)
    {
        using var scope = NewDisposeScope();
        var alpha = drawings.narrow(1, 3, 1);
        var layers = cat([drawings.narrow(1, 0, 3) * alpha, alpha], 1);
        var grid = nn.functional.affine_grid(places, layers.shape, align_corners: false);
        var placed = nn.functional.grid_sample(layers, bend is null ? grid : grid + bend, align_corners: false);
        return ((grounds * (1 - placed.narrow(1, 3, 1))) + placed.narrow(1, 0, 3)).MoveToOuterDisposeScope();
    }

    /// <summary>Smooth small shifts, for half of the drawings.</summary>
    /// <returns>[batch, size, size, 2]</returns>
    internal static Tensor Bend(long batch, long size, StepRandom random)
    {
        using var scope = NewDisposeScope();
        var strength = random.Uniform(batch, 1, 1, 1) * 0.09 * (random.Uniform(batch, 1, 1, 1) < 0.5).to(ScalarType.Float32);
        return Enlarged(random.Normal(batch, 2, 4, 4) * strength, size).permute(0, 2, 3, 1).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>Grounds: white, a colour, one colour into another, or clouds of colour.</summary>
    /// <param name="light">[batch, 1, 1, 1] bool: which must be light, because what lies on them is dark.</param>
    /// <param name="size">Width and height.</param>
    /// <param name="random">At the step's numbers.</param>
    /// <returns>[batch, 3, size, size] float, 0..1</returns>
    internal static Tensor Grounds(Tensor light, long size, StepRandom random)
    {
        using var scope = NewDisposeScope();
        var batch = light.shape[0];
        var first = random.Uniform(batch, 3, 1, 1);
        var second = random.Uniform(batch, 3, 1, 1);
        var angle = random.Uniform(batch, 1, 1, 1) * (2 * Math.PI);
        var line = linspace(-0.5, 0.5, size, device: light.device);
        var share = (0.5 + (line.view(1, 1, 1, -1) * angle.cos()) + (line.view(1, 1, -1, 1) * angle.sin())).clamp(0, 1);
        var kind = random.Uniform(batch, 1, 1, 1);
        var clouds = first + (Enlarged(random.Normal(batch, 3, 5, 5), size) * 0.2);
        var ground = where(kind < 0.45, ones_like(clouds),
            where(kind < 0.75, first, where(kind < 0.88, (first * share) + (second * (1 - share)), clouds))).clamp(0, 1);
        return where(light, 0.6 + (0.4 * ground), ground).MoveToOuterDisposeScope();
    }

    private static Tensor Enlarged(Tensor coarse, long size) =>
        nn.functional.interpolate(coarse, [size, size], mode: InterpolationMode.Bilinear, align_corners: true);

    private static Tensor Rows(Tensor a, Tensor b, Tensor e, Tensor c, Tensor d, Tensor f) =>
        stack([stack([a, b, e], 1), stack([c, d, f], 1)], 1);
}
