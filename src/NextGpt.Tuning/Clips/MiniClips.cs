using NextGpt.Model.Decoders.StableDiffusion;
using NextGpt.Model.Decoders.TextToVideo;

namespace NextGpt.Tuning.Clips;

/// <summary>The U-Net for clips that grows out of one for pictures.</summary>
public static class MiniClips
{
    /// <summary>The numbers of a network for clips whose layers within a frame are exactly those of a network for pictures.</summary>
    /// <remarks>Frames know their places (<see cref="UNet3DConditionConfig.FramePositions"/>): a drawing slides, it does not only sway.</remarks>
    /// <param name="picture">The network for pictures.</param>
    /// <exception cref="InvalidDataException">It has something that networks for clips have not; says what.</exception>
    public static UNet3DConditionConfig UNetFor(UNet2DConditionConfig picture)
    {
        ArgumentNullException.ThrowIfNull(picture);
        var headSize = picture.LevelChannels[0] / picture.Heads[0];
        (bool Fits, string What)[] needs =
        [
            (picture.LevelChannels.Zip(picture.Heads).All(level => level.First == level.Second * headSize), "attention heads of one width on all levels"),
            (picture.ContextSizes.Distinct().Count() == 1, "one width of the conditioning on all levels"),
            (picture.TransformerLayers == 1, "one transformer block per attention"),
            (picture.LinearProjection, "linear layers around the transformers"),
            (picture.CosineFirst && picture.FrequencyShift == 0, "a time embedding with the cosines first and no shift"),
            (picture.ClassSize is null || picture.ClassFromContext, "no class besides the conditioning"),
        ];
        if (needs.Where(need => !need.Fits).Select(need => need.What).FirstOrDefault() is { } missing)
        {
            throw new InvalidDataException($"This U-Net for pictures cannot become one for clips, which have {missing}; train it so.");
        }

        return new UNet3DConditionConfig
        {
            InputChannels = picture.InputChannels,
            OutputChannels = picture.OutputChannels,
            SampleSize = picture.SampleSize,
            LevelChannels = picture.LevelChannels,
            DownAttention = picture.DownAttention,
            UpAttention = picture.UpAttention,
            BlocksPerLevel = picture.BlocksPerLevel,
            HeadSize = headSize,
            ContextSize = picture.ContextSizes[0],
            NormGroups = picture.NormGroups,
            NormEpsilon = picture.NormEpsilon,
            ClassSize = picture.ClassSize,
            FramePositions = true,
        };
    }
}
