using NextGpt.Tuning.Data;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Pictures;

/// <summary>Turns scenes into pixels on the training device, many at once.</summary>
/// <remarks>Holds the atlas on the device. Not thread-safe.</remarks>
public sealed class SceneRenderer : IDisposable
{
    private readonly Tensor _atlas;   // [pictures, 4, size, size] uint8
    private readonly int _size;

    /// <summary>Brings the atlas to the device.</summary>
    /// <param name="atlas">The drawings.</param>
    /// <param name="device">Where scenes shall be rendered.</param>
    public SceneRenderer(PictureAtlas atlas, Device device)
    {
        using var scope = NewDisposeScope();
        _size = atlas.Size;
        _atlas = tensor(atlas.Pixels, [atlas.Pictures.Count, 4, _size, _size], ScalarType.Byte).to(device).DetachFromDisposeScope();
    }

    /// <summary>Renders scenes.</summary>
    /// <param name="scenes">Any scenes; those with the same number and size of pieces are done together.</param>
    /// <returns>[scenes, 3, size, size] float32, −1..1, owned by the caller's dispose scope.</returns>
    public Tensor Render(IReadOnlyList<PictureScene> scenes)
    {
        using var scope = NewDisposeScope();
        var groups = Enumerable.Range(0, scenes.Count)
            .GroupBy(index => (scenes[index].Pieces.Count, scenes[index].Pieces[0].Size)).ToList();
        var parts = groups.Select(group => RenderAlike([.. group.Select(index => scenes[index])])).ToList();
        var order = groups.SelectMany(group => group).ToArray();
        var places = new long[order.Length];
        for (var at = 0; at < order.Length; at++)
        {
            places[order[at]] = at;
        }

        return cat(parts).index_select(0, tensor(places).to(_atlas.device)).MoveToOuterDisposeScope();
    }

    /// <summary>Renders single drawings in the middle, each on a colour, some mirrored, moved a little: food for the autoencoder.</summary>
    /// <param name="pictures">[batch] int64, places in the atlas.</param>
    /// <param name="backdrops">[batch, 3] float, 0..1</param>
    /// <param name="mirrored">[batch] bool</param>
    /// <param name="scale">[batch] float; 1 is full size, 0.5 is half.</param>
    /// <param name="shift">[batch, 2] float, −1..1 of the room that is left (all of it at full size is a quarter of the picture).</param>
    /// <returns>[batch, 3, size, size] float32, −1..1, owned by the caller's dispose scope.</returns>
    public Tensor RenderLoose(Tensor pictures, Tensor backdrops, Tensor mirrored, Tensor scale, Tensor shift)
    {
        using var scope = NewDisposeScope();
        var zoom = 1 / scale;
        var room = (1 - scale).clamp(min: 0.25).unsqueeze(1);
        var offset = -shift * room * zoom.unsqueeze(1);   // [batch, 2]
        var sign = where(mirrored, -ones_like(zoom), ones_like(zoom));
        var zero = zeros_like(zoom);
        var transform = stack(
            [stack([sign * zoom, zero, sign * offset.select(1, 0)], 1), stack([zero, zoom, offset.select(1, 1)], 1)], 1);   // [batch, 2, 3]
        var layers = Place(Premultiplied(pictures), transform);
        return Composite(backdrops.view(-1, 3, 1, 1), [layers]).MoveToOuterDisposeScope();
    }

    /// <summary>Renders drawings whole, in the middle, on white.</summary>
    /// <param name="pictures">[batch] int64, places in the atlas.</param>
    /// <returns>[batch, 3, size, size] float32, −1..1, owned by the caller's dispose scope.</returns>
    public Tensor RenderPlain(Tensor pictures)
    {
        using var scope = NewDisposeScope();
        return Composite(ones(1, 3, 1, 1, device: _atlas.device), [Premultiplied(pictures)]).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose() => _atlas.Dispose();

    private Tensor RenderAlike(PictureScene[] scenes)
    {
        var device = _atlas.device;
        var backdrops = tensor(
            scenes.SelectMany(scene => new[] { scene.Backdrop.Red / 255f, scene.Backdrop.Green / 255f, scene.Backdrop.Blue / 255f }).ToArray(),
            [scenes.Length, 3, 1, 1]).to(device);
        var layers = Enumerable.Range(0, scenes[0].Pieces.Count).Select(slot =>
        {
            ScenePiece[] pieces = [.. scenes.Select(scene => scene.Pieces[slot])];
            var layer = Premultiplied(tensor(pieces.Select(piece => (long)piece.Picture).ToArray()).to(device));
            if (pieces.Any(piece => piece.Blackened))
            {
                var kept = tensor(pieces.SelectMany(piece => Enumerable.Repeat(piece.Blackened ? 0f : 1f, 3).Append(1f)).ToArray(),
                    [pieces.Length, 4, 1, 1]).to(device);
                layer = layer * kept;
            }

            if (pieces[0].Size != _size)
            {
                layer = nn.functional.avg_pool2d(layer, _size / pieces[0].Size);   // [batch, 4, piece, piece]
            }

            return pieces.All(piece => piece.Size == _size && !piece.Mirrored) ? layer : Place(layer, Transforms(pieces).to(device));
        }).ToArray();
        return Composite(backdrops, layers);
    }

    /// <summary>[batch, 4, size, size] float32, 0..1, colours multiplied with the opacity.</summary>
    private Tensor Premultiplied(Tensor pictures)
    {
        var chosen = _atlas.index_select(0, pictures).to(ScalarType.Float32) / 255;
        var alpha = chosen.narrow(1, 3, 1);
        return cat([chosen.narrow(1, 0, 3) * alpha, alpha], 1);
    }

    private Tensor Place(Tensor layer, Tensor transform)
    {
        var grid = nn.functional.affine_grid(transform, [layer.shape[0], 4, _size, _size], align_corners: false);
        return nn.functional.grid_sample(layer, grid, align_corners: false);
    }

    // Output places to piece places, both −1..1: a pixel's middle falls on a pixel's middle, so nothing is blurred.
    private Tensor Transforms(ScenePiece[] pieces)
    {
        var numbers = pieces.SelectMany(piece =>
        {
            var zoom = (float)_size / piece.Size;
            var sign = piece.Mirrored ? -1f : 1f;
            return new[]
            {
                sign * zoom, 0, sign * (zoom - 1 - (2f * piece.X / piece.Size)),
                0, zoom, zoom - 1 - (2f * piece.Y / piece.Size),
            };
        });
        return tensor(numbers.ToArray(), [pieces.Length, 2, 3]).clone();   // copied: products round otherwise where memory lies otherwise
    }

    private static Tensor Composite(Tensor backdrop, IReadOnlyList<Tensor> layers)
    {
        var canvas = backdrop;
        foreach (var layer in layers)
        {
            canvas = canvas * (1 - layer.narrow(1, 3, 1)) + layer.narrow(1, 0, 3);
        }

        return canvas * 2 - 1;
    }
}
