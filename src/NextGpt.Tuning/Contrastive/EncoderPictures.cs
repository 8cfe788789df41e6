using NextGpt.Model.Encoders;
using NextGpt.Tuning.Data;
using NextGpt.Tuning.Optimisation;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Contrastive;

/// <summary>Drawings, scenes and clips as the vision tower takes them, made new for every step.</summary>
/// <remarks>Holds the drawings and the animations on the device. Not thread-safe.</remarks>
internal sealed class EncoderPictures : IDisposable
{
    private readonly Tensor _atlas;     // [pictures, 4, size, size] uint8
    private readonly Tensor? _strips;   // [animations, frames, 4, size, size] uint8
    private readonly Tensor _mean, _deviation;
    private readonly bool[] _colourful, _hollow, _dark, _sided;
    private readonly int _size, _frames;
    private readonly Device _device;

    /// <param name="atlas">Drawings that may be trained on.</param>
    /// <param name="animations">Frames of the animations that may be trained on.</param>
    /// <param name="vision">Sizes and colours of the tower.</param>
    /// <param name="device">Where to make them.</param>
    internal EncoderPictures(PictureAtlas atlas, IReadOnlyList<byte[]> animations, ImageBindVisionConfig vision, Device device)
    {
        if (atlas.Size != vision.ImageSize)
        {
            throw new InvalidDataException($"The atlas has drawings of {atlas.Size} pixels, the encoder looks at {vision.ImageSize}; make one of that size.");
        }

        using var scope = NewDisposeScope();
        (_size, _frames, _device) = (atlas.Size, vision.FramesPerClip, device);
        _atlas = tensor(atlas.Pixels, [atlas.Pictures.Count, 4, _size, _size], ScalarType.Byte).to(device).DetachFromDisposeScope();
        _strips = animations.Count == 0 ? null
            : stack([.. animations.Select(frames => tensor(frames, [_frames, 4, _size, _size], ScalarType.Byte))]).to(device).DetachFromDisposeScope();
        _mean = tensor([vision.Mean.Red, vision.Mean.Green, vision.Mean.Blue], [1, 3, 1, 1], device: device).DetachFromDisposeScope();
        _deviation = tensor([vision.Deviation.Red, vision.Deviation.Green, vision.Deviation.Blue], [1, 3, 1, 1], device: device).DetachFromDisposeScope();
        _colourful = [.. atlas.Pictures.Select(picture => EncoderWords.NamesColour(picture.Caption) || picture.Group is "shape" or "symbol")];
        _hollow = [.. atlas.Pictures.Select(picture => picture.Group is "face" or "symbol" or "shape")];
        _dark = [.. atlas.Pictures.Select(picture => picture.Style is "silhouette" or "doodle")];
        _sided = [.. atlas.Pictures.Select(picture => Pictures.CaptionWording.NamesSide(picture.Caption))];
    }

    /// <summary>Single drawings, restyled and placed freely.</summary>
    /// <param name="pictures">Places in the atlas.</param>
    /// <param name="random">At the step's numbers.</param>
    /// <returns>[batch, 3, size, size], normalised, owned by the caller's dispose scope.</returns>
    internal Tensor Drawings(IReadOnlyList<int> pictures, StepRandom random)
    {
        using var scope = NewDisposeScope();
        var batch = pictures.Count;
        var (drawings, dark) = Restyled(pictures, random);
        var shown = DrawingStage.Paste(
            drawings, DrawingStage.Freely(Flags(pictures, _sided).logical_not().flatten(), random), DrawingStage.Bend(batch, _size, random),
            DrawingStage.Grounds(dark, _size, random));
        var blurred = nn.functional.avg_pool2d(shown, 3, 1, 1);
        shown = where(random.Uniform(batch, 1, 1, 1) < 0.12, blurred, shown);
        var grain = random.Uniform(batch, 1, 1, 1) * 0.06 * (random.Uniform(batch, 1, 1, 1) < 0.3).to(ScalarType.Float32);
        return Normalised((shown + (random.Normal(shown.shape) * grain)).clamp(0, 1)).MoveToOuterDisposeScope();
    }

    /// <summary>Drawings that are moved.</summary>
    /// <param name="pictures">Places in the atlas.</param>
    /// <param name="motions">How each moves.</param>
    /// <param name="quickly">Which move quickly.</param>
    /// <param name="random">At the step's numbers.</param>
    /// <returns>[batch, 1, 3, frames, size, size], normalised, owned by the caller's dispose scope.</returns>
    internal Tensor Moved(IReadOnlyList<int> pictures, IReadOnlyList<Motion> motions, IReadOnlyList<bool> quickly, StepRandom random)
    {
        using var scope = NewDisposeScope();
        var batch = pictures.Count;
        var (drawings, dark) = Restyled(pictures, random);
        var poses = Enumerable.Range(0, batch).SelectMany(at => Enumerable.Range(0, _frames).Select(frame => motions[at].Pose(frame * 16 / _frames, quickly[at]))).ToList();
        Tensor Of(Func<MotionPose, double> number) => tensor([.. poses.Select(pose => (float)number(pose))], device: _device);
        var size = (0.42 + (0.3 * random.Uniform(batch))).repeat_interleave(_frames);
        var mirrored = Flags(pictures, _sided).logical_not().flatten().logical_and(random.Uniform(batch) < 0.5).repeat_interleave(_frames);
        var places = DrawingStage.Posed(
            Of(pose => pose.X), Of(pose => pose.Y), Of(pose => pose.Degrees * Math.PI / 180), size * Of(pose => pose.Scale), mirrored);
        return Film(drawings.repeat_interleave(_frames, 0), places, dark, random).MoveToOuterDisposeScope();
    }

    /// <summary>Animations of the world, shifted and sized a little.</summary>
    /// <param name="animations">Places among the animations.</param>
    /// <param name="random">At the step's numbers.</param>
    /// <returns>[batch, 1, 3, frames, size, size], normalised, owned by the caller's dispose scope.</returns>
    internal Tensor Animated(IReadOnlyList<int> animations, StepRandom random)
    {
        using var scope = NewDisposeScope();
        var batch = animations.Count;
        var strips = _strips ?? throw new InvalidOperationException("This world has no animations.");
        var frames = strips.index_select(0, tensor([.. animations.Select(index => (long)index)], device: _device)).flatten(0, 1)
            .to(ScalarType.Float32) / 255;
        Tensor Steady(Tensor perClip) => perClip.repeat_interleave(_frames);
        var shift = (random.Uniform(2, batch) - 0.5) * 0.3;
        var places = DrawingStage.Posed(
            Steady(shift[0]), Steady(shift[1]), Steady((random.Uniform(batch) - 0.5) * 0.3), Steady(0.7 + (0.4 * random.Uniform(batch))),
            Steady(random.Uniform(batch) < 0.5));
        return Film(frames, places, zeros(batch, 1, 1, 1, ScalarType.Bool, _device), random).MoveToOuterDisposeScope();
    }

    /// <summary>Normalised colours.</summary>
    /// <param name="shown">[batch, 3, size, size] float, 0..1</param>
    internal Tensor Normalised(Tensor shown) => (shown - _mean) / _deviation;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in new[] { _atlas, _strips, _mean, _deviation })
        {
            tensor?.Dispose();
        }
    }

    private Tensor Film(Tensor drawings, Tensor places, Tensor dark, StepRandom random)
    {
        var grounds = DrawingStage.Grounds(dark, _size, random).repeat_interleave(_frames, 0);
        return Normalised(DrawingStage.Paste(drawings, places, null, grounds)).unflatten(0, -1, _frames).transpose(1, 2).unsqueeze(1);
    }

    private (Tensor Drawings, Tensor Dark) Restyled(IReadOnlyList<int> pictures, StepRandom random)
    {
        var chosen = _atlas.index_select(0, tensor([.. pictures.Select(index => (long)index)], device: _device)).to(ScalarType.Float32) / 255;
        var (drawings, dark) = DrawingRestyle.Change(chosen, Flags(pictures, _colourful), Flags(pictures, _hollow), random);
        return (drawings, dark.logical_or(Flags(pictures, _dark)));
    }

    private Tensor Flags(IReadOnlyList<int> pictures, bool[] flags) =>
        tensor([.. pictures.Select(index => flags[index])], [pictures.Count, 1, 1, 1], device: _device);
}
